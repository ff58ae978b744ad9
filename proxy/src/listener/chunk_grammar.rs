//! The grammar of a chunked request body, checked beside the library that decodes it (RFC 9112 section
//! 7.1), without what it leaves to taste: no chunk extensions, no spaces, no bare line feeds.
//!
//! It sees the same bytes as the decoder and keeps none of them.

/// The most hexadecimal digits of a chunk's size.
const SIZE_DIGITS_MAX: u8 = 15;

/// Where in the grammar a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Size { digits: u8, size: u64 },
    SizeFeed { size: u64 },
    Body { left: u64 },
    BodyReturn,
    BodyFeed,
    TrailerStart,
    Trailer,
    TrailerFeed,
    LastFeed,
    Done,
    Wrong,
}

/// Follows one chunked body.
#[derive(Debug)]
pub(super) struct ChunkGrammar {
    place: Place,
}

impl ChunkGrammar {
    /// At the first chunk's size.
    pub(super) fn new() -> Self {
        Self {
            place: Place::Size { digits: 0, size: 0 },
        }
    }

    /// Follows the next bytes; false once anything was wrong. What comes after the body is not looked at.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            if let Place::Body { left } = self.place {
                let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(left);
                let at = usize::try_from(here).unwrap_or(usize::MAX);
                bytes = bytes.get(at..).unwrap_or_default();
                self.place = after_body(left.saturating_sub(here));
                continue;
            }
            if matches!(self.place, Place::Done | Place::Wrong) {
                break;
            }
            self.place = next(self.place, *first);
            bytes = rest;
        }
        self.place != Place::Wrong
    }
}

fn after_body(left: u64) -> Place {
    if left == 0 {
        Place::BodyReturn
    } else {
        Place::Body { left }
    }
}

fn next(place: Place, byte: u8) -> Place {
    match (place, byte) {
        (Place::Size { digits, size }, b'\r') if digits > 0 => Place::SizeFeed { size },
        (Place::Size { digits, size }, _) if digits < SIZE_DIGITS_MAX => {
            match char::from(byte).to_digit(16) {
                Some(digit) => Place::Size {
                    digits: digits + 1,
                    size: (size << 4) | u64::from(digit),
                },
                None => Place::Wrong,
            }
        }
        (Place::SizeFeed { size: 0 }, b'\n') => Place::TrailerStart,
        (Place::SizeFeed { size }, b'\n') => Place::Body { left: size },
        (Place::BodyReturn, b'\r') => Place::BodyFeed,
        (Place::BodyFeed, b'\n') => Place::Size { digits: 0, size: 0 },
        (Place::TrailerStart, b'\r') => Place::LastFeed,
        (Place::TrailerStart, byte) if byte.is_ascii_alphanumeric() => Place::Trailer,
        (Place::Trailer, b'\r') => Place::TrailerFeed,
        (Place::Trailer, byte) if byte == b'\t' || !byte.is_ascii_control() => Place::Trailer,
        (Place::TrailerFeed, b'\n') => Place::TrailerStart,
        (Place::LastFeed, b'\n') => Place::Done,
        _ => Place::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(body: &str) -> bool {
        let mut whole = ChunkGrammar::new();
        let mut bytewise = ChunkGrammar::new();
        let verdict = whole.follow(body.as_bytes());
        let mut each = true;
        for byte in body.as_bytes() {
            each = bytewise.follow(&[*byte]);
        }
        assert_eq!(verdict, each, "{body:?}");
        verdict
    }

    #[test]
    fn follows_sound_bodies() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\n00\r\n\r\n",
            "1\r\nx\r\n0\r\nX-A: b\r\nY: c\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1",
            "5\r\nhel",
        ] {
            assert!(sound(body), "{body:?}");
        }
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for body in [
            "5\nhello\r\n0\r\n\r\n",
            "5;ext\nhello\r\n0\r\n\r\n",
            "5;ext\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5_0\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n",
            "fffffffffffffffff\r\n",
            "5\r\nhelloX0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\r\n0\n\n",
            "2;\rxx\r\n",
            "5\rhello\r\n0\r\n\r\n",
            "\r\nhello",
            "0\r\n X: y\r\n\r\n",
            "0\r\nX: y\n\r\n",
        ] {
            assert!(!sound(body), "{body:?}");
        }
    }

    #[test]
    fn holds_a_size_to_fifteen_digits() {
        assert!(sound(&format!("{}\r\n", "0".repeat(14) + "1")));
        assert!(!sound(&format!("{}\r\n", "0".repeat(15) + "1")));
    }
}
