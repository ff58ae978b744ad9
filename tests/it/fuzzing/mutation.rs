//! Mutations that know a little of the formats: numbers, escapes, UTF-8, brackets, words, and the
//! lengths at which blocks and windows end.

use crate::generated::Random;

/// What JSON is broken and bent with.
pub(crate) const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "{}",
    "[]",
    "\"\"",
    "\"a\":",
    "\"ssn\":",
    "null",
    "true",
    "false",
    "nul",
    "-",
    "-0",
    "0",
    "01",
    "1.",
    "1e",
    "1e+",
    "1E400",
    "1.5e-7",
    "-0.0",
    "9007199254740993",
    "\\u0061",
    "\\u0073sn",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\udc00",
    "\\ud800\\ud800",
    "\\u00",
    "\\q",
    "\\\\",
    "\\\"",
    "\\/",
    "\\b",
    "\t",
    "\r\n",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "€",
    "😀",
    "\u{10ffff}",
    "//",
    "/* */",
    "NaN",
    "Infinity",
    "'",
    "{\"a\":1,\"a\":2}",
    "\n",
    "\u{1e}",
    "\n\u{1e}",
    "[1,2,3]",
    "{\"a\":{\"b\":[{\"ssn\":\"123-45-6789\"}]}}",
    "a\\\\\":",
    "it\\\"em",
];

/// What selectors are made of.
pub(crate) const SELECTOR_WORDS: &[&str] = &[
    "$",
    "@",
    ".",
    "..",
    "*",
    "[",
    "]",
    "['a']",
    "[\"b\"]",
    "[0]",
    "[-1]",
    "[1:2]",
    "[::-1]",
    "[::0]",
    "[?",
    "?@",
    "?@.a",
    "==",
    "!=",
    "<=",
    ">=",
    "<",
    ">",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "length(",
    "count(",
    "match(",
    "search(",
    "value(",
    "'a'",
    "\"a\"",
    "null",
    "true",
    "false",
    "-0",
    "1e2",
    "1.5",
    "\\u0061",
    "\\'",
    "9007199254740991",
    "-9007199254740992",
    "\u{20}",
    "\t",
    "\n",
    ",",
    ":",
    "é",
    "☺",
    "😀",
    "$..*",
    "@..a",
    "_",
    "\\ud800",
    "\\ud83d\\ude00",
];

/// What policies are made of.
pub(crate) const POLICY_WORDS: &[&str] = &[
    "postern: 1\n",
    "name: ",
    "identity:\n",
    "labels:\n",
    "routes:\n",
    "roles:\n",
    "always:\n",
    "  ",
    "\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    ">\n",
    "---\n",
    "...\n",
    "? ",
    "<<: ",
    "~",
    "null",
    "true",
    "yes",
    "0x1f",
    "1e3",
    ".inf",
    "show",
    "redact",
    "remove",
    "mask",
    "detect",
    "pseudonym",
    "generalize",
    "$.a",
    "$[*].b",
    "match: ",
    "GET /a",
    "/a/{id}",
    "under: ",
    "formats: ",
    "unlabelled: deny",
    "names: caseless",
    "required: ",
    "\t",
    "\u{feff}",
    "é",
    "\u{0}",
    "\u{85}",
];

/// What tables are made of.
pub(crate) const TABLE_WORDS: &[&str] = &[
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\"",
    "\"\"",
    "\",\"",
    ",\"",
    "\",",
    "\"\n\"",
    "\"\r\n",
    " \"",
    "\" ",
    "ssn",
    "mail",
    "ssn,mail",
    "customer.ssn",
    "\u{feff}",
    "\u{0}",
    "é",
    "€",
    "😀",
    "\u{a0}",
    "\u{85}",
    "=1+1",
    "'",
    "\\",
    "\\\"",
    "1",
    "1.50",
    "null",
    "[redacted]",
];

/// What detectors look for, or nearly.
pub(crate) const TEXT_WORDS: &[&str] = &[
    "ann@example.com",
    "a.b+c@mail.example.co.uk",
    "@",
    "ann@localhost",
    "+44 20 7946 0958",
    "(555) 010-0199",
    "555-0100",
    "4111 1111 1111 1111",
    "4111111111111112",
    "5500-0000-0000-0004",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
    "GB82WEST12345698765433",
    "078-05-1120",
    "219-09-9999",
    "000-12-3456",
    "666 12 3456",
    "192.0.2.1",
    "2001:db8::1",
    "::1",
    "999.1.1.1",
    "1.2.3",
    "v1.2.3.4",
    "password: hunter2",
    "api_key=",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
    "-----BEGIN",
    "order 1234567890",
    "1Z999AA10123456784",
    " ",
    "\n",
    "\t",
    ".",
    ",",
    "-",
    "(",
    ")",
    "+",
    "/",
    "=",
    ":",
    "[redacted]",
    "\u{200b}",
    "\u{ad}",
    "\u{a0}",
    "\u{660}",
    "١٢٣",
    "４１１１",
    "é",
    "€",
    "😀",
    "\u{fe0f}",
    "secret",
    "token=",
    "Bearer ",
];

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
