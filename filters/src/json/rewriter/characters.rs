//! The characters of a JSON string's inside, read in pieces, each with the bytes it is written with.
//!
//! It expects what the scanner has validated and still refuses what it cannot read.

use super::{Halt, spent};
use crate::detect::plain_length;
use crate::value_action::decode_one;

/// The longest spelling of a character: two escapes for a pair of surrogates.
const SPELLING_MAX: usize = 12;

/// What has been read.
pub(super) enum Taken<'t> {
    /// Characters of ASCII that are written and searched as they are.
    Plain(&'t [u8]),
    /// Any character, and how it is written.
    Character(char, &'t [u8]),
}

/// The state of one string between two pieces.
#[derive(Clone, Copy, Default)]
pub(super) struct Characters {
    /// The first bytes of a character that a piece's end has cut.
    cut: [u8; SPELLING_MAX],
    length: usize,
}

impl Characters {
    /// Reads the next piece. `take` gets each character with how it is written, or a row of characters that stand for
    /// themselves.
    ///
    /// # Errors
    /// It is not the inside of a string after all.
    pub(super) fn read(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(Taken<'_>),
    ) -> Result<(), Halt> {
        let mut rest = piece;
        while let Some((first, after)) = rest.split_first() {
            if self.length == 0 {
                let (plain, others) = rest.split_at(plain_length(rest));
                if !plain.is_empty() {
                    take(Taken::Plain(plain));
                    rest = others;
                    continue;
                }
            }
            let slot = self.cut.get_mut(self.length).ok_or_else(spent)?;
            *slot = *first;
            self.length += 1;
            rest = after;
            let spelled = self.cut.get(..self.length).unwrap_or_default();
            if let Some(character) = decode_one(spelled) {
                take(Taken::Character(character, spelled));
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
