//! From a declared character encoding to UTF-8, as a body streams.
//!
//! Guarantees: bytes that are no character of the encoding are an error, never a replacement character;
//! a byte order mark of another encoding is an error, since it says that the declaration is wrong. The
//! output does not depend on how the input was split. It recognises no encoding by itself.

use std::fmt;

use encoding_rs::{Decoder, DecoderResult, Encoding};

use crate::body_filter::BodyError;

/// How much is decoded at once, in bytes of UTF-8.
const STEP_BYTES: usize = 16 << 10;

/// The longest byte order mark.
const MARK_BYTES: usize = 3;

/// A body on its way to UTF-8.
pub(crate) struct Transcoder {
    encoding: &'static Encoding,
    decoder: Decoder,
    /// The first bytes, until there are enough to recognise a byte order mark.
    first: Option<Vec<u8>>,
    decoded: Vec<u8>,
    offset: u64,
}

impl Transcoder {
    /// A transcoder before the first byte of a body.
    pub(crate) fn new(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            first: Some(Vec::with_capacity(MARK_BYTES)),
            decoded: vec![0; STEP_BYTES],
            offset: 0,
        }
    }

    /// Reads the next bytes and hands on their text, piece by piece.
    ///
    /// # Errors
    /// The bytes are not of the encoding, or `next` refuses a piece.
    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        next: &mut dyn FnMut(&[u8]) -> Result<(), BodyError>,
    ) -> Result<(), BodyError> {
        let Some(mut first) = self.first.take() else {
            return self.decode(chunk, false, next);
        };
        let missing = MARK_BYTES.saturating_sub(first.len());
        let (begin, rest) = chunk.split_at_checked(missing).unwrap_or((chunk, &[]));
        first.extend_from_slice(begin);
        if first.len() < MARK_BYTES {
            self.first = Some(first);
            return Ok(());
        }
        self.check_mark(&first)?;
        self.decode(&first, false, next)?;
        self.decode(rest, false, next)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// In the middle of a character, or `next` refuses the last piece.
    pub(crate) fn finish(
        &mut self,
        next: &mut dyn FnMut(&[u8]) -> Result<(), BodyError>,
    ) -> Result<(), BodyError> {
        let first = self.first.take().unwrap_or_default();
        self.check_mark(&first)?;
        self.decode(&first, true, next)
    }

    fn check_mark(&self, first: &[u8]) -> Result<(), BodyError> {
        match Encoding::for_bom(first) {
            Some((other, _)) if other != self.encoding => {
                Err(self.malformed("the byte order mark of another encoding"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn decode(
        &mut self,
        bytes: &[u8],
        last: bool,
        next: &mut dyn FnMut(&[u8]) -> Result<(), BodyError>,
    ) -> Result<(), BodyError> {
        let mut rest = bytes;
        loop {
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(rest, &mut self.decoded, last);
            self.offset += read as u64;
            rest = rest.get(read..).unwrap_or_default();
            if let DecoderResult::Malformed(..) = result {
                return Err(self.malformed("bytes that are no character of the encoding"));
            }
            next(self.decoded.get(..written).unwrap_or_default())?;
            if result == DecoderResult::InputEmpty {
                return Ok(());
            }
        }
    }

    fn malformed(&self, what: &'static str) -> BodyError {
        BodyError::Malformed {
            format: self.encoding.name(),
            what,
            offset: self.offset,
        }
    }
}

impl fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcoder")
            .field("encoding", &self.encoding.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of some pieces, or what is wrong.
    fn run(label: &str, pieces: &[&[u8]]) -> Result<String, BodyError> {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut transcoder = Transcoder::new(encoding);
        let mut out = Vec::new();
        let mut next = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok(())
        };
        for piece in pieces {
            transcoder.push(piece, &mut next)?;
        }
        transcoder.finish(&mut next)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_split_gives_the_same_text() {
        for (label, bytes, text) in [
            ("windows-1252", &b"Jos\xE9;\x80 5"[..], "José;€ 5"),
            ("iso-8859-2", b"\xA3\xF3d\xBC", "Łódź"),
            ("shift_jis", b"\x93\xFA\x96\x7B", "日本"),
            ("utf-16le", b"a\0\xE9\0", "aé"),
            ("utf-16le", b"\xFF\xFEa\0", "\u{feff}a"),
            ("windows-1252", b"a", "a"),
            ("windows-1252", b"", ""),
        ] {
            for at in 0..=bytes.len() {
                let (a, b) = bytes.split_at(at);
                assert_eq!(run(label, &[a, b]).as_deref(), Ok(text), "{label} at {at}");
            }
        }
    }

    #[test]
    fn refuses_bytes_that_are_no_character_and_marks_of_other_encodings() {
        for (label, bytes) in [
            ("shift_jis", &b"a\x93"[..]),
            ("shift_jis", b"\x81\xFF"),
            ("euc-jp", b"a\x8F"),
            ("windows-1252", b"\xEF\xBB\xBFid"),
            ("windows-1252", b"\xFF\xFEi\0"),
            ("utf-16le", b"\xFE\xFF\0a"),
            ("utf-16be", b"\0"),
        ] {
            for at in 0..=bytes.len() {
                let (a, b) = bytes.split_at(at);
                assert!(run(label, &[a, b]).is_err(), "{label} {bytes:?} at {at}");
            }
        }
    }
}
