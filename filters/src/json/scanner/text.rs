//! Reads the inside of a string (RFC 8259 section 7) in pieces, up to its closing quote.
//!
//! Guarantees: UTF-8 as RFC 3629 has it (no overlong forms, no surrogates, nothing past U+10FFFF), no
//! control characters, only the escapes of the standard; an escaped surrogate must be one of a pair.
//! It decodes nothing.

/// What is wrong with a string, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flaw {
    /// What is wrong.
    pub(super) what: &'static str,
    /// Offset in the chunk.
    pub(super) at: usize,
    /// How many bytes before that, maybe in an earlier chunk.
    pub(super) back: usize,
}

/// How far into an escape the text has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Escape {
    /// Not in an escape.
    #[default]
    Outside,
    /// After the backslash.
    Backslash,
    /// After `\u` and some hexadecimal digits; `low` when a low surrogate must come out.
    Hex { left: u8, value: u16, low: bool },
    /// After a high surrogate: a backslash must follow.
    High,
    /// After a high surrogate and a backslash: `u` must follow.
    HighBackslash,
}

/// The state of one string between two chunks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Text {
    escape: Escape,
    escaped: bool,
    /// The first bytes of a character that a chunk's end has cut.
    cut: [u8; 4],
    cut_length: usize,
}

impl Text {
    /// Whether a backslash was seen.
    pub(super) const fn has_escapes(&self) -> bool {
        self.escaped
    }

    /// Whether neither an escape nor a character has begun and not ended.
    pub(super) fn is_between_characters(&self) -> bool {
        self.escape == Escape::Outside && self.cut_length == 0
    }

    /// Reads on at `at`: the position after the closing quote, or none when the chunk ends first.
    ///
    /// # Errors
    /// The text is not valid.
    #[inline]
    pub(super) fn read(&mut self, chunk: &[u8], at: usize) -> Result<Option<usize>, Flaw> {
        let mut at = at;
        loop {
            if self.cut_length > 0 {
                at = self.complete_character(chunk, at)?;
            }
            if self.escape != Escape::Outside {
                at = self.read_escape(chunk, at)?;
            }
            let (end, ascii) = plain_run(chunk, at);
            if !ascii {
                self.check_run(chunk, at, end)?;
            }
            match chunk.get(end) {
                None => return Ok(None),
                Some(b'"') => return Ok(Some(end + 1)),
                Some(b'\\') => {
                    self.escaped = true;
                    self.escape = Escape::Backslash;
                    at = end + 1;
                }
                Some(_) => return Err(flaw("a control character in a string", end)),
            }
        }
    }

    /// Checks the UTF-8 of a run without quotes, backslashes and control characters.
    #[inline(never)]
    fn check_run(&mut self, chunk: &[u8], from: usize, to: usize) -> Result<(), Flaw> {
        let run = chunk.get(from..to).unwrap_or_default();
        let Err(error) = std::str::from_utf8(run) else {
            return Ok(());
        };
        let rest = run.get(error.valid_up_to()..).unwrap_or_default();
        // Only a chunk's end may cut a character.
        if error.error_len().is_some() || to < chunk.len() || rest.len() >= self.cut.len() {
            return Err(flaw("invalid UTF-8", from + error.valid_up_to()));
        }
        for (slot, byte) in self.cut.iter_mut().zip(rest) {
            *slot = *byte;
        }
        self.cut_length = rest.len();
        Ok(())
    }

    /// Reads the rest of a character that the previous chunk's end has cut.
    #[cold]
    fn complete_character(&mut self, chunk: &[u8], at: usize) -> Result<usize, Flaw> {
        let mut at = at;
        while self.cut_length > 0 {
            let (Some(byte), Some(slot)) = (chunk.get(at), self.cut.get_mut(self.cut_length))
            else {
                return Ok(at);
            };
            *slot = *byte;
            self.cut_length += 1;
            match std::str::from_utf8(self.cut.get(..self.cut_length).unwrap_or_default()) {
                Ok(_) => self.cut_length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    let back = self.cut_length - 1;
                    return Err(Flaw {
                        back,
                        ..flaw("invalid UTF-8", at)
                    });
                }
            }
            at += 1;
        }
        Ok(at)
    }

    /// Reads an escape to its end, or as far as the chunk goes.
    fn read_escape(&mut self, chunk: &[u8], at: usize) -> Result<usize, Flaw> {
        let mut at = at;
        while self.escape != Escape::Outside {
            let Some(byte) = chunk.get(at) else {
                return Ok(at);
            };
            self.escape = self.escape.after(*byte).map_err(|what| flaw(what, at))?;
            at += 1;
        }
        Ok(at)
    }
}

impl Escape {
    fn after(self, byte: u8) -> Result<Self, &'static str> {
        const FIRST: Escape = Escape::Hex {
            left: 4,
            value: 0,
            low: false,
        };
        const LONE: &str = "a lone surrogate";
        match self {
            Self::Outside => Ok(Self::Outside),
            Self::Backslash => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(Self::Outside),
                b'u' => Ok(FIRST),
                _ => Err("an unknown escape"),
            },
            Self::High if byte == b'\\' => Ok(Self::HighBackslash),
            Self::HighBackslash if byte == b'u' => Ok(Self::Hex {
                left: 4,
                value: 0,
                low: true,
            }),
            Self::High | Self::HighBackslash => Err(LONE),
            Self::Hex { left, value, low } => {
                let digit = (byte as char)
                    .to_digit(16)
                    .and_then(|d| u16::try_from(d).ok());
                let digit = digit.ok_or("an escape without four hexadecimal digits")?;
                let value = (value << 4) | digit;
                match (left, value) {
                    (2.., _) => Ok(Self::Hex {
                        left: left - 1,
                        value,
                        low,
                    }),
                    (_, 0xDC00..0xE000) if low => Ok(Self::Outside),
                    (_, 0xDC00..0xE000) => Err(LONE),
                    _ if low => Err(LONE),
                    (_, 0xD800..0xDC00) => Ok(Self::High),
                    _ => Ok(Self::Outside),
                }
            }
        }
    }
}

#[cold]
const fn flaw(what: &'static str, at: usize) -> Flaw {
    Flaw { what, at, back: 0 }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the run without quotes, backslashes and control characters that begins at `at` ends, and
/// whether it is ASCII; beyond its end it may answer `false` for a run that is.
///
/// PERF: eight bytes at a time; see `cargo bench` (validate and pass).
#[inline]
fn plain_run(chunk: &[u8], at: usize) -> (usize, bool) {
    let rest = chunk.get(at..).unwrap_or_default();
    let mut blocks = rest.chunks_exact(8);
    let mut length = 0;
    let mut seen = 0_u64;
    for block in blocks.by_ref() {
        let Ok(bytes) = <[u8; 8]>::try_from(block) else {
            break;
        };
        let word = u64::from_le_bytes(bytes);
        seen |= word & HIGHS;
        let stops = stops(word);
        if stops != 0 {
            let before = stops.trailing_zeros() / 8;
            return (at + length + before as usize, seen == 0);
        }
        length += 8;
    }
    for byte in blocks.remainder() {
        if *byte < 0x20 || matches!(byte, b'"' | b'\\') {
            break;
        }
        seen |= u64::from(byte & 0x80);
        length += 1;
    }
    (at + length, seen == 0)
}

/// The high bit of each byte that is a quote, a backslash or a control character. Exact up to and
/// including the first one: a borrow can only mark bytes above a true one.
#[inline]
const fn stops(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    // Bytes of 0x80 and above are none of them; XOR leaves their high bit as it is.
    (control | quote | backslash) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, one byte at a time.
    fn plain_run_slowly(chunk: &[u8], at: usize) -> (usize, bool) {
        let stop = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        let length = chunk[at..].iter().take_while(|byte| !stop(byte)).count();
        (at + length, chunk[at..at + length].is_ascii())
    }

    #[test]
    fn every_byte_at_every_place_of_a_block_stops_a_run_or_does_not() {
        for other in [
            b'a',
            0x80,
            0x22 ^ 0x80,
            0x5C ^ 0x80,
            0x21,
            0x23,
            0x5B,
            0x5D,
            0x20,
            0xFF,
        ] {
            for byte in 0..=255_u8 {
                for place in 0..20 {
                    let mut chunk = [other; 20];
                    chunk[place] = byte;
                    for at in 0..4 {
                        let (end, ascii) = plain_run(&chunk, at);
                        let (slow_end, slow_ascii) = plain_run_slowly(&chunk, at);
                        assert_eq!(end, slow_end, "{byte:x} among {other:x} at {place}");
                        // It may doubt what is ASCII, and never the other way round.
                        assert!(!ascii || slow_ascii, "{byte:x} among {other:x} at {place}");
                    }
                }
            }
        }
    }

    /// Reads a string's inside and its quote in two pieces.
    fn reads(text: &[u8], split: usize) -> bool {
        let (first, second) = text.split_at(split);
        let mut state = Text::default();
        match state.read(first, 0) {
            Err(_) => false,
            Ok(Some(_)) => true,
            Ok(None) => matches!(state.read(second, 0), Ok(Some(_))),
        }
    }

    #[test]
    fn bytes_are_utf_8_exactly_when_the_standard_library_says_so() {
        let edges = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
        ];
        let edges = edges
            .into_iter()
            .chain([0xE1, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF]);
        let edges: Vec<u8> = edges.collect();
        for index in 0..edges.len().pow(4) {
            let digit = |place: u32| edges[index / edges.len().pow(place) % edges.len()];
            let text = [digit(0), digit(1), digit(2), digit(3), b'"'];
            let valid = std::str::from_utf8(&text).is_ok();
            for split in 0..text.len() {
                assert_eq!(reads(&text, split), valid, "{text:x?} split at {split}");
            }
        }
    }

    #[test]
    fn escaped_surrogates_come_in_pairs() {
        for (text, valid) in [
            (&br#"\ud83d\ude00""#[..], true),
            (br#"\uD83D\uDE00x""#, true),
            (br#"\ud83d""#, false),
            (br#"\ude00""#, false),
            (br#"\ud83d\ud83d\ude00""#, false),
            (br#"\ud83d\n""#, false),
            (br#"\ud83dx\ude00""#, false),
            (br#"\ud7ff\ue000\u0000""#, true),
            (br#"\u00G0""#, false),
            (br#"\U0041""#, false),
            (br#"\"\\\/\b\f\n\r\t""#, true),
            (br#"\a""#, false),
        ] {
            for split in 0..text.len() {
                assert_eq!(
                    reads(text, split),
                    valid,
                    "{} split at {split}",
                    text.escape_ascii()
                );
            }
        }
    }
}
