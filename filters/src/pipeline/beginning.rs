//! The first bytes of a text in which tokens are looked for: whether ASCII is in it as it is.
//!
//! Guarantees: a text that a browser or a lenient parser reads as UTF-16 or UTF-32, whatever its head says, is refused
//! where its first four bytes tell: by a byte order mark, which goes before every other declaration (WHATWG Encoding,
//! section 6.1), or, in JSON, HTML and XML, by a NUL among them. What is no text is not looked at.

use crate::body_filter::BodyError;
use crate::pipeline::tokens::NamedIn;

/// How many bytes tell.
const BYTES: usize = 4;
/// UTF-16 in both orders, the first of which UTF-32 begins with too, and UTF-32 in the other.
const MARKS: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"];

/// The beginning of one body.
#[derive(Debug)]
pub(super) struct Beginning {
    read_as: NamedIn,
    seen: [u8; BYTES],
    length: usize,
}

impl Beginning {
    /// The beginning of a body that is read so, before its first byte.
    pub(super) const fn new(read_as: NamedIn) -> Self {
        Self {
            read_as,
            seen: [0; BYTES],
            length: 0,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// No token would be found in the body.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        let free = self.seen.iter_mut().skip(self.length);
        self.length += free.zip(chunk).map(|(place, byte)| *place = *byte).count();
        let seen = self.seen.get(..self.length).unwrap_or_default();
        let marked = || MARKS.iter().any(|mark| seen.starts_with(mark));
        let refused = match self.read_as {
            NamedIn::Json | NamedIn::Html | NamedIn::Xml => seen.contains(&0) || marked(),
            NamedIn::Recording | NamedIn::Text => marked(),
            NamedIn::Nothing => false,
        };
        match refused {
            true => Err(BodyError::Ambiguous {
                what: "an encoding of characters in which no token can be found",
            }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body passes, which has to be the same at every split.
    fn passes(read_as: NamedIn, body: &[u8]) -> bool {
        let pushed = |pieces: &[&[u8]]| {
            let mut beginning = Beginning::new(read_as);
            pieces.iter().all(|piece| beginning.push(piece).is_ok())
        };
        let whole = pushed(&[body]);
        for at in 0..=body.len() {
            let (first, second) = body.split_at(at);
            assert_eq!(pushed(&[first, second]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(pushed(&bytes), whole);
        whole
    }

    const TEXTS: [NamedIn; 5] = [
        NamedIn::Json,
        NamedIn::Html,
        NamedIn::Xml,
        NamedIn::Recording,
        NamedIn::Text,
    ];

    #[test]
    fn a_text_with_a_mark_of_wide_characters_is_refused_and_no_other() {
        for read_as in TEXTS {
            for body in [
                &b"\xff\xfe<\0h\0"[..],
                b"\xfe\xff\0<\0h",
                b"\xff\xfe\0\0<\0\0\0",
                b"\0\0\xfe\xff\0\0\0<",
            ] {
                assert!(!passes(read_as, body), "{read_as:?} {body:?}");
                assert!(passes(NamedIn::Nothing, body), "a picture, a film");
            }
            for body in [
                &b""[..],
                b"<",
                b"\xef\xbb\xbf<html>",
                b"<p>\xff\xfe",
                b"\xff\xfb\x90\0",
            ] {
                let binary = body.contains(&0);
                assert!(binary || passes(read_as, body), "{read_as:?} {body:?}");
            }
        }
    }

    #[test]
    fn wide_characters_without_a_mark_are_refused_where_a_reader_would_guess_them() {
        for body in [&b"{\0\"\0"[..], b"\0<\0?", b"\0\0\0{", b"\"\0\xe5\x65"] {
            for read_as in [NamedIn::Json, NamedIn::Html, NamedIn::Xml] {
                assert!(!passes(read_as, body), "{read_as:?} {body:?}");
            }
            for read_as in [NamedIn::Recording, NamedIn::Text, NamedIn::Nothing] {
                assert!(passes(read_as, body), "it may be a file of any kind");
            }
        }
        assert!(
            passes(NamedIn::Json, b"{\"a\":\"\0\"}"),
            "further behind it says nothing"
        );
    }
}
