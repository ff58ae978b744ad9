//! The same in a JSON object that is posted, for a member at its top: some frameworks take one for a form.
//!
//! Names are compared unescaped. What is no JSON is no object to anybody who obeys one, so that a string, a bracket
//! and a colon mean here what they mean in sound JSON.

use super::{AnotherMethod, FORM_NAME_BYTES_MAX, is_override};

/// Watches an object for an override.
#[derive(Default)]
pub(super) struct Members {
    at: At,
    /// How many objects and arrays the next byte is in.
    depth: usize,
    /// The last string at the top, as it is written.
    name: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing has come.
    #[default]
    Begin,
    /// It is no object.
    NoObject,
    Between,
    InString,
    /// A backslash has come.
    Escaped,
}

impl Members {
    /// Takes the next byte.
    ///
    /// # Errors
    /// A member at the top is an override, whatever its value.
    pub(super) fn push(&mut self, byte: u8) -> Result<(), AnotherMethod> {
        match (self.at, byte) {
            (At::NoObject, _) => {}
            (At::Begin, b'{') => {
                self.at = At::Between;
                self.depth = 1;
            }
            (At::Begin, byte) if byte.is_ascii_whitespace() => {}
            // A byte order mark, which lenient readers pass over.
            (At::Begin, 0xef | 0xbb | 0xbf) => {}
            (At::Begin, _) => self.at = At::NoObject,
            (At::Between, b'"') => {
                self.at = At::InString;
                if self.depth == 1 {
                    self.name.clear();
                }
            }
            (At::Between, b'{' | b'[') => self.depth = self.depth.saturating_add(1),
            (At::Between, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            (At::Between, b':') if self.depth == 1 && is_override(&unescaped(&self.name)) => {
                return Err(AnotherMethod);
            }
            (At::Between, _) => {}
            (At::InString, b'"') => self.at = At::Between,
            (At::InString, b'\\') => {
                self.at = At::Escaped;
                self.keep(byte);
            }
            (At::InString | At::Escaped, _) => {
                self.at = At::InString;
                self.keep(byte);
            }
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.name.len() < FORM_NAME_BYTES_MAX {
            self.name.push(byte);
        }
    }
}

/// What a string says. One that is not sound says what stands there without its backslashes, as lenient parsers
/// have it.
fn unescaped(written: &[u8]) -> Vec<u8> {
    let quoted = [b"\"", written, b"\""].concat();
    let read: Result<String, _> = serde_json::from_slice(&quoted);
    read.map(String::into_bytes).unwrap_or_else(|_unsound| {
        let bytes = written.iter().copied();
        bytes.filter(|byte| *byte != b'\\').collect()
    })
}
