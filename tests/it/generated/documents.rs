//! Documents: nested, with duplicates, escapes, every kind of number and white space; some broken.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use postern_config::Embedded;

use super::random::Random;
use super::strings::{self, Vocabulary};

/// Numbers that not every JSON reader holds exactly.
const WIDE_NUMBERS: &[&str] = &[
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "1e400",
    "-1e400",
    "1e-400",
    "1e99999999999999999999",
    "10e99999999999999999998",
    "1e99999999999999999998",
    "1e-99999999999999999999",
    "0e99999999999999999999",
    "18446744073709551616",
];

/// How every canary begins; three more digits follow.
pub(crate) const CANARY: &str = "31337";

/// What documents may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// A name may come twice in one object.
    pub(crate) duplicates: bool,
    /// Numbers beyond double precision.
    pub(crate) wide_numbers: bool,
    /// Half of the strings and numbers come only once, so that they can be searched for.
    pub(crate) canaries: bool,
    /// Most strings hold a document, in this way.
    pub(crate) embedded: Option<Embedded>,
    /// About how many values a document has at most.
    pub(crate) values_max: usize,
}

/// A valid document.
pub(crate) fn valid(random: &mut Random, vocabulary: &Vocabulary, style: Style) -> String {
    let mut writer = Writer {
        vocabulary,
        style,
        spaces: random.choose(&[0, 0, 10, 50]),
        values_left: 1 + random.below(style.values_max),
        canaries: 0,
        earlier: Vec::new(),
        out: String::new(),
    };
    writer.white_space(random);
    let depth = 2 + random.below(5);
    writer.value(random, depth);
    writer.white_space(random);
    writer.out
}

/// A scalar that is redacted like `lexeme`, or any at all.
pub(crate) fn scalar(random: &mut Random, like: Option<&str>) -> String {
    let string = match like {
        Some(lexeme) => lexeme.starts_with('"'),
        None => random.chance(50),
    };
    let mut out = String::new();
    if string {
        let text = strings::long_text(random);
        strings::json_string(random, &text, &mut out);
    } else {
        out.push_str(random.choose(&["null", "true", "false", "0", "-1", "12.50", "1e400"]));
    }
    out
}

struct Writer<'v> {
    vocabulary: &'v Vocabulary,
    style: Style,
    spaces: usize,
    values_left: usize,
    canaries: usize,
    /// Where earlier values stand in `out`, to be repeated: equal containers are rare otherwise.
    earlier: Vec<std::ops::Range<usize>>,
    out: String,
}

impl Writer<'_> {
    fn white_space(&mut self, random: &mut Random) {
        if self.spaces > 0 && random.chance(1) {
            let run = random.below(100);
            self.out.extend(std::iter::repeat_n(' ', run));
        }
        while random.chance(self.spaces) {
            self.out.push(random.choose(&[' ', ' ', '\n', '\t', '\r']));
        }
    }

    fn value(&mut self, random: &mut Random, depth: usize) {
        self.values_left = self.values_left.saturating_sub(1);
        if !self.style.canaries && !self.earlier.is_empty() && random.chance(5) {
            let repeated = random.choose(&self.earlier);
            let repeated = self.out.get(repeated).unwrap().to_owned();
            self.out.push_str(&repeated);
            return;
        }
        let start = self.out.len();
        self.new_value(random, depth);
        self.earlier.push(start..self.out.len());
    }

    fn new_value(&mut self, random: &mut Random, depth: usize) {
        let first = self.out.trim_ascii().is_empty();
        let container = depth > 0 && (random.chance(45) || first && random.chance(90));
        match (container, random.below(10)) {
            (true, 0..6) => self.object(random, depth - 1),
            (true, _) => self.array(random, depth - 1),
            (false, 0..7) if self.style.canaries && random.chance(50) => self.canary(random),
            (false, 0..6) if self.style.embedded.is_some() && random.chance(90) => {
                self.embedded(random);
            }
            (false, 0) => {
                let text = strings::long_text(random);
                strings::json_string(random, &text, &mut self.out);
            }
            (false, 1..4) => {
                let word = self.vocabulary.word(random);
                strings::json_string(random, word, &mut self.out);
            }
            (false, 4..7) => self.number(random),
            (false, 7) => self.out.push_str("null"),
            (false, _) => self.out.push_str(random.choose(&["true", "false"])),
        }
    }

    /// A string that holds a document of its own; now and then not quite.
    fn embedded(&mut self, random: &mut Random) {
        let style = Style {
            values_max: 9,
            embedded: self.style.embedded.filter(|_| self.style.values_max > 9),
            ..self.style
        };
        let document = valid(random, self.vocabulary, style);
        let text = match (self.style.embedded, random.below(20)) {
            (_, 0) => String::from_utf8_lossy(&broken(random, &document)).into_owned(),
            (_, 1) => String::new(),
            (Some(Embedded::Base64), 2..20) => match random.below(3) {
                0 => STANDARD.encode(document),
                1 => URL_SAFE.encode(document),
                _ => URL_SAFE_NO_PAD.encode(document),
            },
            (Some(_) | None, _) => document,
        };
        strings::json_string(random, &text, &mut self.out);
    }

    /// A string or number that comes nowhere else in this document; see [`CANARY`].
    fn canary(&mut self, random: &mut Random) {
        self.canaries += 1;
        let number = format!("{CANARY}{:03}", self.canaries);
        let quote = random.choose(&["", "\""]);
        self.out.extend([quote, &number, quote]);
    }

    fn number(&mut self, random: &mut Random) {
        let number = match self.style.wide_numbers && random.chance(30) {
            true => random.choose(WIDE_NUMBERS),
            false => self.vocabulary.number(random),
        };
        self.out.push_str(number);
    }

    fn object(&mut self, random: &mut Random, depth: usize) {
        let mut used = Vec::new();
        self.out.push('{');
        self.white_space(random);
        for at in 0..self.width(random) {
            let name = match self.style.duplicates && !used.is_empty() && random.chance(30) {
                true => random.choose(&used),
                false => self.vocabulary.name(random),
            };
            if !self.style.duplicates && used.contains(&name) {
                continue;
            }
            if at > 0 && !used.is_empty() {
                self.comma(random);
            }
            used.push(name);
            strings::json_string(random, name, &mut self.out);
            self.white_space(random);
            self.out.push(':');
            self.white_space(random);
            self.value(random, depth);
        }
        self.white_space(random);
        self.out.push('}');
    }

    fn array(&mut self, random: &mut Random, depth: usize) {
        self.out.push('[');
        self.white_space(random);
        for at in 0..self.width(random) {
            if at > 0 {
                self.comma(random);
            }
            self.value(random, depth);
        }
        self.white_space(random);
        self.out.push(']');
    }

    fn comma(&mut self, random: &mut Random) {
        self.white_space(random);
        self.out.push(',');
        self.white_space(random);
    }

    fn width(&self, random: &mut Random) -> usize {
        random.below(6).min(self.values_left)
    }
}

/// Breaks a document, or at least tries: the result may still be valid.
pub(crate) fn broken(random: &mut Random, document: &str) -> Vec<u8> {
    let mut bytes = document.as_bytes().to_vec();
    let at = random.below(bytes.len());
    match random.below(7) {
        0 => bytes.truncate(at),
        1 => bytes[at] = random.next().to_le_bytes()[0],
        2 => {
            bytes.remove(at);
        }
        3 => {
            let wrong = random.choose(b",:{}[]\"\\ 0-.e\x00\x1f\x80\xc0\xed\xf5\xff");
            bytes.insert(at, wrong);
        }
        4 => bytes.extend_from_slice(random.choose(&[&b"x"[..], b" {}", b",", b"]", b"}", b"1"])),
        5 => {
            let wrong = random.choose(&["\\ud800", "\\q", "\\u12", "\t", "\\udc00\\ud800", "01"]);
            bytes.splice(at..at, wrong.bytes());
        }
        _ => {
            let from = random.below(bytes.len());
            let piece = bytes[at.min(from)..at.max(from)].to_vec();
            bytes.splice(at..at, piece);
        }
    }
    bytes
}
