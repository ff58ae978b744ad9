//! Whether bytes that come in pieces are UTF-8.

/// The state between two pieces.
#[derive(Clone, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character that a piece's end has cut.
    cut: [u8; 4],
    length: usize,
    /// Bytes of whole characters so far.
    offset: u64,
}

impl Utf8 {
    /// Reads the next piece.
    ///
    /// # Errors
    /// Where something begins that is no character.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), u64> {
        let mut rest = piece;
        while self.length > 0 {
            let Some((byte, after)) = rest.split_first() else {
                return Ok(());
            };
            if let Some(slot) = self.cut.get_mut(self.length) {
                *slot = *byte;
            }
            self.length += 1;
            rest = after;
            match std::str::from_utf8(self.cut.get(..self.length).unwrap_or_default()) {
                Ok(_) => self.offset += std::mem::take(&mut self.length) as u64,
                Err(error) if error.error_len().is_some() => return Err(self.offset),
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(rest) else {
            self.offset += rest.len() as u64;
            return Ok(());
        };
        self.offset += error.valid_up_to() as u64;
        if error.error_len().is_some() {
            return Err(self.offset);
        }
        let cut = rest.get(error.valid_up_to()..).unwrap_or_default();
        for (slot, byte) in self.cut.iter_mut().zip(cut) {
            *slot = *byte;
        }
        self.length = cut.len();
        Ok(())
    }

    /// Whether the text may end here: not in the middle of a character.
    pub(super) fn is_whole(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8;

    fn check(pieces: &[&[u8]]) -> Result<(), u64> {
        let mut utf8 = Utf8::default();
        for piece in pieces {
            utf8.push(piece)?;
        }
        match utf8.is_whole() {
            true => Ok(()),
            false => Err(utf8.offset),
        }
    }

    #[test]
    fn agrees_with_the_standard_library_at_every_split() {
        let texts: [&[u8]; 10] = [
            "añ€𝄞z".as_bytes(),
            b"",
            b"\xC3",
            b"a\xFF",
            b"\xC0\x80",
            b"\xED\xA0\x80",
            b"\xF4\x90\x80\x80",
            b"\xE2\x82",
            b"\xE2\x28\xA1",
            b"\xF0\x9D\x84\x9Ea\xF0\x9D",
        ];
        for text in texts {
            let expected = match std::str::from_utf8(text) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.valid_up_to() as u64),
            };
            for at in 0..=text.len() {
                let (a, b) = text.split_at(at);
                assert_eq!(check(&[a, b]), expected, "{text:?} at {at}");
            }
            let single: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(check(&single), expected, "{text:?}");
        }
    }
}
