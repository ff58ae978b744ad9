//! Names and strings as documents and selectors write them: plain, escaped, nearly the same.

use super::random::Random;

/// Member names, the frequent ones first: near misses, quotes, backslashes, several scripts.
const NAMES: &[&str] = &[
    "a",
    "b",
    "c",
    "ssn",
    "id",
    "value",
    "type",
    "A",
    "SSN",
    "ab",
    "s",
    "ssn ",
    "",
    "é",
    "☺",
    "😀",
    "it\"em",
    "a\\",
    "x/y",
    "\u{1}",
    "ſsn",
    "k",
    "\u{212a}",
    "a\u{0}",
    "naïve name",
];

/// Short strings that filters compare with.
const WORDS: &[&str] = &[
    "a",
    "b",
    "ssn",
    "x",
    "",
    "ab",
    "é",
    "😀",
    "1",
    "a\"b",
    "a\\b",
    "line\nline",
    "\u{7f}",
    "true",
    "some longer text, with commas: [1,2], {\"a\":\"b\"} and more of it \\",
];

/// Numbers that documents hold and filters compare with.
const NUMBERS: &[&str] = &[
    "1",
    "0",
    "2",
    "1.0",
    "-1",
    "10e-1",
    "1e2",
    "3",
    "10",
    "-0",
    "0.0",
    "12.50",
    "1e0",
    "10E-1",
    "1E+2",
    "100",
    "-0.0",
    "0.1",
    "1e-7",
    "2.5e3",
    "-17.25",
    "1234567",
    "0e5",
    "9007199254740991",
];

/// The names, words and numbers of one case. Where they are few, what a filter tests is there, and
/// often twice.
#[derive(Debug, Clone)]
pub(crate) struct Vocabulary {
    names: Vec<&'static str>,
    words: Vec<&'static str>,
    numbers: Vec<&'static str>,
}

impl Vocabulary {
    /// Everything, the first of each kind more often; or a few of each.
    pub(crate) fn of_case(random: &mut Random) -> Self {
        if random.chance(50) {
            return Self {
                names: [&NAMES[..6], &NAMES[..6], &NAMES[..6], NAMES].concat(),
                words: [&WORDS[..4], &WORDS[..4], WORDS].concat(),
                numbers: [&NUMBERS[..5], NUMBERS].concat(),
            };
        }
        let few = |random: &mut Random, all: &[&'static str], among: usize| {
            let count = 1 + random.below(3);
            let among = if random.chance(70) { among } else { all.len() };
            (0..count).map(|_| random.choose(&all[..among])).collect()
        };
        Self {
            names: few(random, NAMES, 6),
            words: few(random, WORDS, 4),
            numbers: few(random, NUMBERS, 8),
        }
    }

    /// A member name.
    pub(crate) fn name(&self, random: &mut Random) -> &'static str {
        random.choose(&self.names)
    }

    /// The text of a string value.
    pub(crate) fn word(&self, random: &mut Random) -> &'static str {
        random.choose(&self.words)
    }

    /// A number.
    pub(crate) fn number(&self, random: &mut Random) -> &'static str {
        random.choose(&self.numbers)
    }
}

/// A longer text: mostly plain runs, so that everything special falls on every offset of a block.
pub(crate) fn long_text(random: &mut Random) -> String {
    const SPECIAL: &[char] = &[
        '"',
        '\\',
        '\n',
        '\u{1f}',
        '\u{7f}',
        '\u{80}',
        'é',
        '߿',
        'ࠀ',
        '€',
        '\u{d7ff}',
        '\u{e000}',
        '\u{ffff}',
        '𐀀',
        '😀',
        '\u{10ffff}',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
    ];
    let length = random.below(150);
    let special = random.choose(&[0, 2, 10, 60]);
    (0..length)
        .map(|_| match random.chance(special) {
            true => random.choose(SPECIAL),
            false => char::from(b'a' + random.next().to_le_bytes()[0] % 26),
        })
        .collect()
}

/// A JSON string with that meaning, now and then with needless escapes.
pub(crate) fn json_string(random: &mut Random, text: &str, out: &mut String) {
    let needless = match random.below(8) {
        0 => 100,
        1 => 30,
        _ => 0,
    };
    out.push('"');
    for next in text.chars() {
        let needed = matches!(next, '"' | '\\' | '\0'..='\u{1f}');
        if needed || random.chance(needless) {
            escape(random, next, out);
        } else {
            out.push(next);
        }
    }
    out.push('"');
}

/// The same name as a selector writes it, in brackets.
pub(crate) fn selector_string(random: &mut Random, text: &str, out: &mut String) {
    let quote = random.choose(&['\'', '"']);
    let needless = if random.chance(10) { 50 } else { 0 };
    out.push(quote);
    for next in text.chars() {
        if next == quote || next == '\\' {
            out.push('\\');
            out.push(next);
        } else if next < ' ' || random.chance(needless) {
            unicode_escape(random, next, out);
        } else {
            out.push(next);
        }
    }
    out.push(quote);
}

fn escape(random: &mut Random, next: char, out: &mut String) {
    let short = match next {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '/' => Some("\\/"),
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    };
    match short {
        Some(short) if random.chance(60) => out.push_str(short),
        _ => unicode_escape(random, next, out),
    }
}

fn unicode_escape(random: &mut Random, next: char, out: &mut String) {
    let upper = random.chance(50);
    for unit in next.encode_utf16(&mut [0; 2]) {
        if upper {
            out.push_str(&format!("\\u{unit:04X}"));
        } else {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
}
