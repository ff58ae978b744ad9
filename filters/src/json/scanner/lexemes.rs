//! Numbers and literals that stand whole in a chunk.

use super::number::Number;

/// What begins at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A number or a literal, and what may follow it.
    Whole,
    /// It may go on in the next chunk.
    Cut,
    /// Neither.
    Wrong,
}

/// Reads the number or literal that begins at `at`, inside of a container.
#[inline]
pub(super) fn lexeme(chunk: &[u8], at: usize) -> Lexeme {
    let word = chunk.get(at..at.wrapping_add(8));
    let Some(word) = word.and_then(|word| word.first_chunk()) else {
        return slowly(chunk, at);
    };
    let word = u64::from_le_bytes(*word);
    let digits = digits(word);
    if digits == 0 {
        return literal(chunk, at, word);
    }
    let next = (word >> ((8 * digits) & 63)).to_le_bytes()[0];
    if digits < 8 && ends(next) && (digits == 1 || word & 0xFF != u64::from(b'0')) {
        return Lexeme::Whole;
    }
    long(chunk, at)
}

/// The same of a number that begins with a digit and is not a short integer.
#[inline(never)]
fn long(chunk: &[u8], at: usize) -> Lexeme {
    let rest = chunk.get(at..).unwrap_or_default();
    let Some(word) = rest.first_chunk::<8>() else {
        return slowly(chunk, at);
    };
    let word = u64::from_le_bytes(*word);
    let digits = digits(word);
    let zero = word & 0xFF == u64::from(b'0');
    if digits >= 8 {
        return if zero { Lexeme::Wrong } else { run(rest, 0) };
    }
    let next = (word >> (8 * digits)).to_le_bytes()[0];
    if zero && digits > 1 {
        Lexeme::Wrong
    } else if next == b'.' {
        run(rest, digits as usize + 1)
    } else {
        slowly(chunk, at)
    }
}

/// The same of a number whose last digits, an integer's or after the point, begin at `rest[from]`.
#[inline]
fn run(rest: &[u8], from: usize) -> Lexeme {
    let mut at = from;
    while let Some(word) = rest.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let digits = digits(word);
        at += digits as usize;
        if digits < 8 {
            let next = (word >> (8 * digits)).to_le_bytes()[0];
            if at > from && ends(next) {
                return Lexeme::Whole;
            }
            break;
        }
    }
    slowly(rest, 0)
}

/// How many of the first bytes are digits.
#[inline]
const fn digits(word: u64) -> u32 {
    let value = word ^ 0x3030_3030_3030_3030;
    // A byte of at least ten, or with a bit of the upper half, has one of them after the addition.
    // What is carried out of a byte only spoils the bytes after one that is no digit.
    let none = (value.wrapping_add(0x0606_0606_0606_0606) | value) & 0xF0F0_F0F0_F0F0_F0F0;
    none.trailing_zeros() / 8
}

#[inline]
fn literal(chunk: &[u8], at: usize, word: u64) -> Lexeme {
    let length = match word & 0xFFFF_FFFF {
        TRUE | NULL => 4,
        FALS if (word >> 32) & 0xFF == u64::from(b'e') => 5,
        _ => return slowly(chunk, at),
    };
    if ends((word >> (8 * length)).to_le_bytes()[0]) {
        Lexeme::Whole
    } else {
        Lexeme::Wrong
    }
}

const TRUE: u64 = u32::from_le_bytes(*b"true") as u64;
const NULL: u64 = u32::from_le_bytes(*b"null") as u64;
const FALS: u64 = u32::from_le_bytes(*b"fals") as u64;

/// Whether a byte may follow a number or a literal inside of a container.
#[inline]
pub(super) const fn ends(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
}

/// The same for everything that is not short and plain.
#[inline(never)]
fn slowly(chunk: &[u8], at: usize) -> Lexeme {
    let rest = chunk.get(at..).unwrap_or_default();
    let letters = match rest.first() {
        Some(b't') => &b"true"[..],
        Some(b'f') => b"false",
        Some(b'n') => b"null",
        _ => return number(rest),
    };
    let length = letters.len().min(rest.len());
    if rest.get(..length) != letters.get(..length) {
        return Lexeme::Wrong;
    }
    match rest.get(length) {
        None => Lexeme::Cut,
        Some(byte) if ends(*byte) => Lexeme::Whole,
        Some(_) => Lexeme::Wrong,
    }
}

fn number(rest: &[u8]) -> Lexeme {
    match Number::default().read(rest, 0) {
        Ok(None) => Lexeme::Cut,
        Ok(Some(end)) if rest.get(end).is_some_and(|byte| ends(*byte)) => Lexeme::Whole,
        Ok(Some(_)) | Err(_) => Lexeme::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_wrong_are_told_apart_as_by_the_reference() {
        let parts = [
            "", "-", "0", "1", "12", "9", ".", ".5", "e", "E+", "7", "true", "nul", "l", "false",
            "x",
        ];
        for a in parts {
            for b in parts {
                for c in parts {
                    for tail in [
                        "",
                        ",",
                        "}      ",
                        "],     ",
                        "\"       ",
                        ":",
                        "[",
                        " 1234567",
                        "\n",
                    ] {
                        let text = format!("{a}{b}{c}{tail}");
                        assert_eq!(
                            lexeme(text.as_bytes(), 0),
                            slowly(text.as_bytes(), 0),
                            "{text}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_byte_after_a_digit_ends_the_digits_or_is_one() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut word = *b"12345678";
                word[place] = byte;
                let expected = word
                    .iter()
                    .position(|byte| !byte.is_ascii_digit())
                    .unwrap_or(8);
                assert_eq!(
                    digits(u64::from_le_bytes(word)) as usize,
                    expected,
                    "{word:x?}"
                );
            }
        }
    }
}
