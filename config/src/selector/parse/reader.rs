//! A cursor over a selector's characters: the lexical floor of the parser.
//!
//! It knows characters, blank space and integers, and counts nesting; it knows no grammar.

use super::{NESTING_MAX, SelectorError};

/// The largest integer that I-JSON carries exactly (RFC 7493 section 2.2).
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A position in a selector's text.
pub(super) struct Reader {
    characters: Vec<char>,
    position: usize,
    nesting: usize,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self {
            characters: text.chars().collect(),
            position: 0,
            nesting: 0,
        }
    }

    /// The next character, unread.
    pub(super) fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    /// Reads one character.
    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek();
        if next.is_some() {
            self.position += 1;
        }
        next
    }

    /// Reads `wanted` if it comes next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += 1;
        }
        found
    }

    /// Reads all of `wanted` if it comes next.
    pub(super) fn eat_str(&mut self, wanted: &str) -> bool {
        let before = self.position;
        let found = wanted.chars().all(|c| self.eat(c));
        if !found {
            self.position = before;
        }
        found
    }

    /// Reads the longest run of characters that `wanted` accepts.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut run = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            run.push(c);
            self.position += 1;
        }
        run
    }

    /// Skips blank space (`S`, RFC 9535 section 2.1.1).
    pub(super) fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.position += 1;
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().is_none()
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Goes back to a position that [`Self::position`] gave.
    pub(super) fn rewind(&mut self, position: usize) {
        self.position = position;
    }

    /// `int` (RFC 9535 section 2.3.3): no leading zero, no `-0`, within the I-JSON range.
    pub(super) fn integer(&mut self) -> Result<i64, SelectorError> {
        let start = self.position;
        let sign = if self.eat('-') { "-" } else { "" };
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.unexpected("a digit"));
        }
        if digits == "0" && sign.is_empty() {
            return Ok(0);
        }
        if digits.starts_with('0') {
            let message = "an integer has no leading zero and is not `-0`";
            return Err(SelectorError::at(start + 1, message));
        }
        format!("{sign}{digits}")
            .parse::<i64>()
            .ok()
            .filter(|n| (-INTEGER_MAX..=INTEGER_MAX).contains(n))
            .ok_or_else(|| {
                let message = format!("an integer is between -{INTEGER_MAX} and {INTEGER_MAX}");
                SelectorError::at(start + 1, message)
            })
    }

    /// Runs `inner` one level deeper.
    ///
    /// INVARIANT: every recursion of the parser passes here, so the stack it takes is bounded.
    pub(super) fn descend<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, SelectorError>,
    ) -> Result<T, SelectorError> {
        if self.nesting == NESTING_MAX {
            let message = format!("a selector nests at most {NESTING_MAX} levels deep");
            return Err(self.error(message));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    /// An error at the next character.
    pub(super) fn error(&self, message: impl Into<String>) -> SelectorError {
        SelectorError::at(self.position + 1, message)
    }

    /// An error that names what was expected, and what is there instead.
    pub(super) fn unexpected(&self, expected: &str) -> SelectorError {
        let found = match self.peek() {
            None => "the selector ends".to_owned(),
            Some(c) if c.is_control() => format!("found the control character U+{:04X}", c as u32),
            Some(c) => format!("found `{c}`"),
        };
        self.error(format!("expected {expected}, {found}"))
    }
}
