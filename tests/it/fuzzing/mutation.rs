//! Mutations that know a little of the formats: numbers, escapes, UTF-8, brackets, words, and the
//! lengths at which blocks and windows end.

mod words;

use crate::generated::Random;

pub(crate) use words::{JSON_WORDS, POLICY_WORDS, SELECTOR_WORDS, TABLE_WORDS, TEXT_WORDS};

/// Lengths around the ends of blocks and windows.
const LENGTHS: &[usize] = &[
    15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1023, 4095, 4096, 4097,
];

/// Bytes that mean something to some reader.
const BYTES: &[u8] =
    b"\"\\{}[],: \t\r\n0-+.eE\x00\x1f\x7f\x80\xbf\xc0\xc1\xe0\xed\xf0\xf4\xf5\xff,;=";

/// Changes inputs, with the words of one format.
pub(crate) struct Mutator {
    words: &'static [&'static str],
}

impl Mutator {
    pub(crate) const fn new(words: &'static [&'static str]) -> Self {
        Self { words }
    }

    /// Changes an input once, or a few times.
    pub(crate) fn change(&self, random: &mut Random, input: &mut Vec<u8>) {
        for _ in 0..random.choose(&[1, 1, 1, 2, 3, 6]) {
            self.step(random, input);
        }
    }

    /// Puts a piece of another input into this one.
    pub(crate) fn cross(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
        let piece = range(random, other.len());
        let place = range(random, input.len());
        let place = if random.chance(50) {
            place
        } else {
            place.start..place.start
        };
        input.splice(place, other[piece].iter().copied());
    }

    fn step(&self, random: &mut Random, input: &mut Vec<u8>) {
        let at = random.below(input.len() + 1);
        match random.below(12) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = random.next().to_le_bytes()[0],
            2 if at < input.len() => input[at] = random.choose(BYTES),
            3 => input.insert(at, random.choose(BYTES)),
            4 => {
                input.drain(range(random, input.len()));
            }
            5 => {
                let piece = input[range(random, input.len())].to_vec();
                input.splice(at..at, piece);
            }
            6 => input.truncate(at),
            7 => {
                let filler = random.choose(b"     \nab0\\\"\x80");
                let length = random.choose(LENGTHS);
                input.splice(at..at, std::iter::repeat_n(filler, length));
            }
            8 => number(random, input),
            _ if !self.words.is_empty() => {
                let word = random.choose(self.words);
                let end = if random.chance(50) {
                    at
                } else {
                    (at + word.len()).min(input.len())
                };
                input.splice(at..end, word.bytes());
            }
            _ => input.insert(at, random.next().to_le_bytes()[0]),
        }
    }
}

/// Any range within a length; short ones more often.
fn range(random: &mut Random, length: usize) -> std::ops::Range<usize> {
    let start = random.below(length + 1);
    let left = length - start;
    let longest = random.choose(&[1, 4, 16, 64, left]).min(left);
    start..start + random.below(longest + 1)
}

/// Replaces a run of digits by another number.
fn number(random: &mut Random, input: &mut Vec<u8>) {
    let from = random.below(input.len() + 1);
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = from + start;
    let digits = input[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let end = start + digits.count();
    let other = random.choose(&[
        "0",
        "1",
        "00",
        "-1",
        "127",
        "128",
        "255",
        "256",
        "65535",
        "65536",
        "4294967296",
        "9007199254740991",
        "9007199254740992",
        "18446744073709551616",
        "1e999",
        "0.1",
    ]);
    input.splice(start..end, other.bytes());
}
