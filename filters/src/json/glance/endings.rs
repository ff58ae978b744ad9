//! How the names that selectors mention can end, as they are written in a document.
//!
//! Guarantees: no spelling of such a name is ignored. In doubt a name is looked at.
//!
//! ```text
//!            { "  c  u  s  t  o  m  e  r  " :
//! pairs                             ▲  ▲          the last two bytes: nearly every other name fails here
//! skips                          ▲     ▲          the last and the last but two
//! ```

use postern_config::routes::Names;

use crate::json::automaton::NameTable;

/// Words of a set of pairs of bytes.
const WORDS: usize = (1 << 16) / 64;

/// The bytes with which an escape can end, or a surrogate's half.
const DIGITS: &[u8] = b"0123456789abcdefABCDEF";
const IN_ESCAPES: &[u8] = b"0123456789abcdefABCDEFnrt\"\\/";

/// Two sets of pairs of bytes.
pub(super) struct Endings {
    pairs: Set,
    skips: Set,
}

/// A set of pairs of bytes.
struct Set(Box<[u64; WORDS]>);

impl Set {
    #[inline]
    fn has(&self, first: u8, last: u8) -> bool {
        let pair = usize::from(u16::from_le_bytes([first, last]));
        let word = self.0.get(pair / 64);
        word.is_none_or(|word| (word >> (pair % 64)) & 1 != 0)
    }

    fn add(&mut self, first: u8, last: u8) {
        let pair = usize::from(u16::from_le_bytes([first, last]));
        if let Some(word) = self.0.get_mut(pair / 64) {
            *word |= 1 << (pair % 64);
        }
    }
}

impl Endings {
    /// Every name may matter.
    pub(super) fn any() -> Self {
        let every = || Set(Box::new([u64::MAX; WORDS]));
        Self {
            pairs: every(),
            skips: every(),
        }
    }

    /// Of these names, and of every way to write one.
    pub(super) fn of(names: &NameTable, fold: Names) -> Self {
        let mut endings = Self {
            pairs: Set(Box::new([0; WORDS])),
            skips: Set(Box::new([0; WORDS])),
        };
        endings.add_escapes();
        for name in names.iter() {
            endings.add(name, fold);
        }
        endings
    }

    /// Whether no name that matters can end with the highest bytes of this word, the last one in the
    /// highest.
    #[inline]
    pub(super) fn ignore(&self, word: u64) -> bool {
        let [_, _, _, _, before, third, second, last] = word.to_le_bytes();
        !self.pairs.has(second, last) || self.ignore_third([before, third, second, last])
    }

    /// The same where the last two bytes do not decide.
    #[inline]
    fn ignore_third(&self, [before, third, second, last]: [u8; 4]) -> bool {
        // A quote that nothing escapes is where a name of two bytes begins. Of one that may be escaped, and
        // of a last byte that is, nothing is said.
        let unknown = second == b'\\' || third == b'"' && before == b'\\';
        !unknown && !self.skips.has(third, last)
    }

    /// Names that end with an escape, or that are empty.
    fn add_escapes(&mut self) {
        for any in 0..=u8::MAX {
            // The end of a short escape, an escaped quote or backslash, and the empty name.
            self.pairs.add(b'\\', any);
            for set in [&mut self.pairs, &mut self.skips] {
                set.add(any, b'\\');
                set.add(any, b'"');
            }
        }
        for first in DIGITS {
            for last in DIGITS {
                self.pairs.add(*first, *last);
                self.skips.add(*first, *last);
            }
        }
    }

    /// A name whose last character is written as it is.
    fn add(&mut self, name: &[u8], fold: Names) {
        let cases = |byte: u8| match fold {
            Names::Exact => [byte, byte],
            Names::Caseless => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
        };
        let mut bytes = name.iter().rev().copied();
        let Some(last) = bytes.next() else {
            return;
        };
        // A short name has its opening quote before it.
        let second = bytes.next();
        let third = bytes.next().unwrap_or(b'"');
        for last in cases(last) {
            for byte in cases(second.unwrap_or(b'"')) {
                self.pairs.add(byte, last);
            }
            for byte in cases(third) {
                self.skips.add(byte, last);
            }
            for byte in IN_ESCAPES {
                self.pairs.add(*byte, last);
                if *byte != b'"' {
                    self.skips.add(*byte, last);
                }
            }
            // Before the quote of a name of one byte may stand anything.
            if second.is_none() {
                for any in 0..=u8::MAX {
                    self.skips.add(any, last);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to write a character of a name.
    fn spellings(byte: u8) -> Vec<String> {
        let plain = char::from(byte);
        let mut all = vec![format!("\\u{byte:04x}"), format!("\\u{byte:04X}")];
        all.extend(match byte {
            b'"' | b'\\' => vec![format!("\\{plain}")],
            b'/' => vec![String::from("/"), String::from("\\/")],
            b'\n' => vec![String::from("\\n")],
            b'\t' => vec![String::from("\\t")],
            b'\r' => vec![String::from("\\r")],
            8 => vec![String::from("\\b")],
            12 => vec![String::from("\\f")],
            _ => vec![plain.to_string()],
        });
        all
    }

    fn ignores(endings: &Endings, before: &str, written: &str) -> bool {
        let text = format!("      {before}\"{written}");
        let last = text.as_bytes().last_chunk().unwrap();
        endings.ignore(u64::from_le_bytes(*last))
    }

    #[test]
    fn no_spelling_of_a_name_that_matters_is_ignored() {
        let bytes = b"aiZ_5\"\\/\n\t\r\x08\x0C";
        for fold in [Names::Exact, Names::Caseless] {
            for a in bytes {
                for b in bytes {
                    for c in bytes {
                        for name in [&[*a, *b, *c, b'x', *a][..], &[*a, *b, *c], &[*b, *c], &[*c]] {
                            every_spelling(name, fold);
                        }
                    }
                }
            }
        }
    }

    fn every_spelling(name: &[u8], fold: Names) {
        let lower = |byte: u8| match fold {
            Names::Exact => byte,
            Names::Caseless => byte.to_ascii_lowercase(),
        };
        let known: Vec<u8> = name.iter().copied().map(lower).collect();
        let table = NameTable::new(vec![known.into()]);
        let endings = Endings::of(&table, fold);
        let mut written = vec![String::new()];
        for byte in name.iter().rev().take(3) {
            written = spellings(*byte)
                .iter()
                .flat_map(|spelling| written.iter().map(move |tail| format!("{spelling}{tail}")))
                .collect();
        }
        let head = String::from_utf8(name[..name.len().saturating_sub(3)].to_vec()).unwrap();
        for tail in written {
            for before in ["{", ", ", ",\n"] {
                let quoted = format!("{}{tail}", head.replace(['"', '\\'], "y"));
                assert!(!ignores(&endings, before, &quoted), "{name:?} as {quoted}");
            }
        }
    }

    #[test]
    fn other_names_are_ignored() {
        let table = NameTable::new(vec![(*b"tax_id").into(), (*b"no").into()]);
        let endings = Endings::of(&table, Names::Exact);
        for (name, ignored) in [
            ("tax_id", false),
            ("a_id", false),
            ("id", true),
            ("void", true),
            ("name", true),
            ("no", false),
            ("casino", true),
            ("piano", false),
            ("\\\"no", false),
        ] {
            assert_eq!(ignores(&endings, "{", name), ignored, "{name}");
        }
    }
}
