//! Which key signs which size: the policy's first key, and then each key that the one before it has
//! signed in a Rotate entry. One key is in force for every size, never two.

use crate::log::life::{announced_key, rotation_note, rotation_text};
use crate::note::Note;
use crate::vkey::VerifierKey;

/// The keys of a log.
#[derive(Debug)]
pub(super) struct KeyChain {
    /// Keys that were in force, each up to and including a size.
    past: Vec<(u64, VerifierKey)>,
    current: VerifierKey,
}

/// What an entry is to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// No change of keys.
    None,
    /// The current key has signed the next.
    Rotated,
    /// It says that another key follows, and the current key has not signed that.
    Broken,
}

impl KeyChain {
    pub(super) const fn new(first: VerifierKey) -> Self {
        Self {
            past: Vec::new(),
            current: first,
        }
    }

    /// The key that signs heads of this size. Entries below it have to have been followed.
    pub(super) fn at(&self, size: u64) -> &VerifierKey {
        let past = self.past.iter().find(|(until, _)| size <= *until);
        past.map_or(&self.current, |(_, key)| key)
    }

    /// Follows an entry.
    pub(super) fn follow(&mut self, index: u64, entry: &[u8]) -> Link {
        let Some(next) = announced_key(entry) else {
            return Link::None;
        };
        let text = rotation_text(self.current.name(), index, &next.to_string());
        let note = rotation_note(entry).and_then(|note| Note::parse(note.as_bytes()).ok());
        let signed = note.is_some_and(|note| {
            let known = std::slice::from_ref(&self.current);
            note.text() == text && note.verified_by(known).is_ok()
        });
        if !signed || next.name() != self.current.name() {
            return Link::Broken;
        }
        let previous = std::mem::replace(&mut self.current, next);
        self.past.push((index + 1, previous));
        Link::Rotated
    }
}
