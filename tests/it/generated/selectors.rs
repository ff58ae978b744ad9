//! Selectors: every construct of RFC 9535 over the same names and words as the documents.

use super::random::Random;
use super::strings::{self, Vocabulary};

/// What selectors may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Constructs {
    pub(crate) filters: Filters,
    pub(crate) positions: Positions,
}

/// Which filters selectors may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filters {
    Never,
    /// None inside another, and no query from `$`.
    Plain,
    Any,
}

/// Which indexes and slices selectors may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positions {
    Never,
    /// Nothing that depends on an array's length.
    FromTheStart,
    Any,
}

/// A selector as text.
pub(crate) fn selector(
    random: &mut Random,
    vocabulary: &Vocabulary,
    constructs: Constructs,
) -> String {
    let mut writer = Writer {
        vocabulary,
        constructs,
        filter_depth: 0,
        out: "$".to_owned(),
    };
    let segments = match random.below(20) {
        0 => 0,
        1..9 => 1,
        9..16 => 2,
        _ => 3,
    };
    writer.segments(random, segments);
    writer.out
}

struct Writer<'v> {
    vocabulary: &'v Vocabulary,
    constructs: Constructs,
    filter_depth: usize,
    out: String,
}

impl Writer<'_> {
    fn segments(&mut self, random: &mut Random, count: usize) {
        for _ in 0..count {
            self.segment(random);
        }
    }

    fn segment(&mut self, random: &mut Random) {
        let descendant = random.chance(25);
        if random.chance(55) {
            self.out.push_str(if descendant { ".." } else { "." });
            if random.chance(25) {
                self.out.push('*');
                return;
            }
            let name = self.vocabulary.name(random);
            if is_shorthand(name) {
                self.out.push_str(name);
                return;
            }
            if !descendant {
                self.out.pop();
            }
            self.out.push('[');
            strings::selector_string(random, name, &mut self.out);
        } else {
            self.out.push_str(if descendant { "..[" } else { "[" });
            self.picks(random);
        }
        self.out.push(']');
    }

    fn picks(&mut self, random: &mut Random) {
        let count = if random.chance(75) {
            1
        } else {
            2 + random.below(2)
        };
        for at in 0..count {
            if at > 0 {
                self.out.push_str(random.choose(&[",", ", "]));
            }
            self.pick(random);
        }
    }

    fn pick(&mut self, random: &mut Random) {
        match random.below(10) {
            0..3 => {
                let name = self.vocabulary.name(random);
                strings::selector_string(random, name, &mut self.out);
            }
            3 => self.out.push('*'),
            4..8 if self.constructs.positions == Positions::Never => self.out.push('*'),
            4 | 5 => {
                let index = self.position(random);
                self.out.push_str(&index.to_string());
            }
            6 | 7 => self.slice(random),
            _ if self.constructs.filters != Filters::Never && self.filter_depth < 2 => {
                self.out.push('?');
                self.filter_depth += 1;
                self.logical(random, 2);
                self.filter_depth -= 1;
            }
            _ => self.out.push('*'),
        }
    }

    fn position(&self, random: &mut Random) -> i64 {
        if self.constructs.positions == Positions::Any && random.chance(35) {
            random.between(-4, -1)
        } else {
            random.between(0, 4)
        }
    }

    fn slice(&mut self, random: &mut Random) {
        for (part, percent) in [(0, 60), (1, 60), (2, 40)] {
            if part > 0 {
                self.out.push(':');
            }
            if !random.chance(percent) {
                continue;
            }
            let number = match part {
                2 if self.constructs.positions == Positions::Any => random.between(-3, 3),
                2 => random.between(0, 3),
                _ if random.chance(5) => random.choose(&[1000, 9_007_199_254_740_991]),
                _ => self.position(random),
            };
            self.out.push_str(&number.to_string());
        }
    }

    fn logical(&mut self, random: &mut Random, depth: usize) {
        match random.below(10) {
            0 if depth > 0 => self.joined(random, depth, "||"),
            1 if depth > 0 => self.joined(random, depth, " && "),
            2 | 3 if depth > 0 => {
                self.out.push_str("!(");
                self.logical(random, depth - 1);
                self.out.push(')');
            }
            4 => {
                self.out.push_str(random.choose(&["", "!", "! "]));
                self.query(random);
            }
            5 => self.pattern(random),
            6 | 7 => {
                self.singular(random);
                self.out.push_str(random.choose(&["==", "!=", " > "]));
                self.literal(random);
            }
            _ => {
                self.operand(random, true);
                let operator = random.choose(&["==", " == ", "!=", " != ", "<", "<=", ">", " >= "]);
                self.out.push_str(operator);
                self.operand(random, true);
            }
        }
    }

    fn joined(&mut self, random: &mut Random, depth: usize, operator: &str) {
        for at in 0..2 + random.below(2) {
            if at > 0 {
                self.out.push_str(operator);
            }
            let bracketed = random.chance(50);
            self.out.push_str(if bracketed { "(" } else { "" });
            self.logical(random, depth - 1);
            self.out.push_str(if bracketed { ")" } else { "" });
        }
    }

    fn root(&mut self, random: &mut Random) {
        let absolute = self.constructs.filters == Filters::Any && random.chance(10);
        self.out.push(if absolute { '$' } else { '@' });
    }

    fn query(&mut self, random: &mut Random) {
        self.root(random);
        let filters = self.constructs.filters;
        if filters == Filters::Plain {
            self.constructs.filters = Filters::Never;
        }
        let count = random.below(3);
        self.segments(random, count);
        self.constructs.filters = filters;
    }

    fn singular(&mut self, random: &mut Random) {
        self.root(random);
        for _ in 0..random.choose(&[0, 1, 1, 1, 1, 2]) {
            self.out.push('[');
            if random.chance(85) {
                let name = self.vocabulary.name(random);
                strings::selector_string(random, name, &mut self.out);
            } else {
                let index = self.position(random);
                self.out.push_str(&index.to_string());
            }
            self.out.push(']');
        }
    }

    fn operand(&mut self, random: &mut Random, functions: bool) {
        match random.below(12) {
            0..5 => self.literal(random),
            9 if functions => {
                self.out.push_str("length(");
                self.operand(random, false);
                self.out.push(')');
            }
            10 if functions => {
                self.out.push_str("count(");
                self.query(random);
                self.out.push(')');
            }
            11 if functions => {
                self.out.push_str("value(");
                self.query(random);
                self.out.push(')');
            }
            _ => self.singular(random),
        }
    }

    fn literal(&mut self, random: &mut Random) {
        match random.below(8) {
            0..4 => {
                let word = self.vocabulary.word(random);
                strings::selector_string(random, word, &mut self.out);
            }
            4..6 => {
                let number = self.vocabulary.number(random);
                self.out.push_str(number);
            }
            6 => self.out.push_str("null"),
            _ => self.out.push_str(random.choose(&["true", "false"])),
        }
    }

    fn pattern(&mut self, random: &mut Random) {
        self.out
            .push_str(random.choose(&["match(", "search(", "!search("]));
        self.singular(random);
        let pattern = random.choose(&[
            "a", "a.*", ".", "[ab]", "s{2}n", "(a|b)+", "", "[^a]", "..", "a?b*", "\\\\.", "é",
        ]);
        self.out.push_str(&format!(",'{pattern}')"));
    }
}

/// RFC 9535 section 2.5.1.1, `member-name-shorthand`.
fn is_shorthand(name: &str) -> bool {
    let first = |next: char| next.is_ascii_alphabetic() || next == '_' || next >= '\u{80}';
    name.starts_with(first)
        && name
            .chars()
            .all(|next| first(next) || next.is_ascii_digit())
}
