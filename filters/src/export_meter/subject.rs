//! Who a data subject is: a keyed hash of what names it.

use std::fmt;

use siphasher::sip::SipHasher24;

use crate::export_meter::Who;
use crate::value_action::{JsonKind, decode};

/// The longest text that names a data subject, in bytes as it is read. What is longer names nobody that
/// could be recognised again.
pub(crate) const TEXT_BYTES_MAX: usize = 4096;

/// The key of the hashes that stand for data subjects in a ledger. Whoever does not have it learns
/// nothing from them, and cannot make up a subject that has another one's hash.
#[derive(Clone, Copy)]
pub struct SubjectKey([u8; 16]);

impl SubjectKey {
    /// A key made of these bytes, which are to be random and secret. Replicas that share a ledger share
    /// the key.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The subject that a text names; none when the text is empty and names nobody.
    pub(crate) fn of_text(&self, text: &[u8]) -> Option<Who> {
        match text.len() {
            0 => None,
            length if length > TEXT_BYTES_MAX => Some(Who::Nameless),
            _ => Some(Who::Known(SipHasher24::new_with_key(&self.0).hash(text))),
        }
    }

    /// The subject that a string or a number names, given as it is written: a number and a string of its
    /// digits name the same one.
    pub(crate) fn of_json(&self, kind: JsonKind, raw: &[u8]) -> Option<Who> {
        match kind {
            JsonKind::Null => None,
            JsonKind::Bool | JsonKind::Array | JsonKind::Object => Some(Who::Nameless),
            JsonKind::Number => self.of_text(raw),
            JsonKind::String => match decode(raw) {
                Some(text) => self.of_text(text.as_bytes()),
                None => Some(Who::Nameless),
            },
        }
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}
