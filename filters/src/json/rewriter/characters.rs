//! The characters of a JSON string's inside, read in pieces, each with the bytes it is written with.
//!
//! It expects what the scanner has validated and still refuses what it cannot read.

use super::{Halt, spent};
use crate::value_action::decode_one;

/// The longest spelling of a character: two escapes for a pair of surrogates.
const SPELLING_MAX: usize = 12;

/// The state of one string between two pieces.
#[derive(Clone, Copy, Default)]
pub(super) struct Characters {
    /// The first bytes of a character that a piece's end has cut.
    cut: [u8; SPELLING_MAX],
    length: usize,
}

impl Characters {
    /// Reads the next piece.
    ///
    /// # Errors
    /// It is not the inside of a string after all.
    pub(super) fn read(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(char, &[u8]),
    ) -> Result<(), Halt> {
        let mut rest = piece;
        while let Some((first, after)) = rest.split_first() {
            if self.length == 0 && first.is_ascii() && *first != b'\\' {
                take(char::from(*first), std::slice::from_ref(first));
                rest = after;
                continue;
            }
            let slot = self.cut.get_mut(self.length).ok_or_else(spent)?;
            *slot = *first;
            self.length += 1;
            rest = after;
            let spelled = self.cut.get(..self.length).unwrap_or_default();
            if let Some(character) = decode_one(spelled) {
                take(character, spelled);
                self.length = 0;
            }
        }
        Ok(())
    }

    /// The string has ended.
    ///
    /// # Errors
    /// It ended inside of a character.
    pub(super) fn finish(&mut self) -> Result<(), Halt> {
        match std::mem::take(self).length {
            0 => Ok(()),
            _ => Err(spent()),
        }
    }
}
