//! Reads the bulk of a chunk a window at a time, where the machine has the instructions.
//!
//! ```text
//! chunk:   ...tail of a token ┃ window ┃ window ┃ window, to the chunk's end ┃
//!          └─ scalar ─────────┘                           └─ scalar: a token that is cut ─┘
//! ```
//!
//! Guarantees: between two chunks the state is the scalar scanner's, so that either may go on; a text
//! is refused exactly when the scalar one refuses it, and with the error that it gives: what is found
//! wrong here is read once more by it.

use super::lexemes::{Lexeme, lexeme};
use super::simd::{BLOCK, BLOCKS, Carry, DEPTH_MAX, Due, Escapes, Grammar, Row, WINDOW, Window};
use super::{Expect, Halt, Inside, NAME_BYTES_MAX, Scanner, Sink, Text};
use crate::body_filter::BodyError;
use crate::value_action::JsonKind;

/// From how many bytes on a window is worth its while.
pub(super) const WORTH: usize = 128;

/// What is known of a run of windows, beside what the masks say.
struct Run<'c> {
    chunk: &'c [u8],
    /// Up to where UTF-8 has been checked.
    checked: usize,
    /// The last bracket or comma.
    separator: Option<usize>,
    /// The quote that opened the last string, if that has not ended.
    string: Option<usize>,
}

impl Scanner {
    /// Whether reading windows can begin at `at`, where the scalar scanner is about to read.
    #[inline]
    pub(super) fn may_read_windows(&self, chunk: &[u8], at: usize) -> bool {
        at >= self.resume && self.skipped.is_some() && chunk.len() - at >= self.worth
    }

    /// Reads windows from `at` on, and says from where the scalar scanner has to go on.
    pub(super) fn windows<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        let (Some(vectors), Some(due)) = (self.vectors, self.due()) else {
            self.resume = at + self.worth;
            return Ok(at);
        };
        let mut carry = Carry {
            in_string: u64::from(self.expect == Expect::InString).wrapping_neg(),
            escaped: 0,
            bare: 0,
            colons: 0,
            commas: 0,
            grammar: Grammar::new(self.depth_max, &self.objects, due),
            escapes: Escapes { low: 0, cut: None },
        };
        let mut run = Run {
            chunk,
            checked: at,
            separator: None,
            string: None,
        };
        let mut window = Window::new();
        let mut depth = self.objects.len();
        let mut from = at;
        while from < chunk.len() {
            let to = chunk.len().min(from + WINDOW);
            let seen = vectors.read(&mut carry, chunk, (from, to), &mut window);
            let rows = &window.rows;
            let right = !seen.wrong && run.check(&carry, rows, (from, to), seen.non_ascii);
            if !right {
                return Err(self.refusal(chunk, at));
            }
            if let Some(end) = self.end_of_skipped(&mut depth, (&run, &carry), rows, (from, to)) {
                // A short look is not worth its while again before the window ends.
                self.resume = if self.worth < WORTH { end } else { to };
                return self.leave_skipped(end, sink);
            }
            from = to;
        }
        self.resume = chunk.len();
        self.hand_over(&run, &carry, at)
    }

    /// What the scalar scanner expects, in the terms of the grammar; none within a token.
    fn due(&self) -> Option<Due> {
        let due = |value, close, name, colon| {
            Some(Due {
                value,
                close,
                name,
                colon,
            })
        };
        if self.objects.is_empty() || self.depth_max > DEPTH_MAX {
            return None;
        }
        match self.expect {
            Expect::Value => due(1, 0, 0, 0),
            Expect::ValueOrClose => due(1, 1, 0, 0),
            Expect::NameOrClose => due(1, 1, 1, 0),
            Expect::Name => due(1, 0, 1, 0),
            Expect::Colon => due(0, 0, 0, 1),
            Expect::CommaOrClose => due(0, 0, 0, 0),
            Expect::InString if self.text.is_between_characters() => due(0, 0, 0, 0),
            Expect::End
            | Expect::InString
            | Expect::InName
            | Expect::InNumber
            | Expect::InLiteral => None,
        }
    }

    /// The position after the bracket that ends the container that is being skipped.
    fn end_of_skipped(
        &self,
        depth: &mut usize,
        (run, carry): (&Run<'_>, &Carry),
        rows: &[Row; BLOCKS],
        (from, to): (usize, usize),
    ) -> Option<usize> {
        let outside = self.skipped?;
        let grammar = &carry.grammar;
        if grammar.lowest > outside {
            *depth = grammar.depth();
            return None;
        }
        for (row, at) in rows.iter().zip((from..to).step_by(BLOCK)) {
            let mut left = row.events;
            while left != 0 {
                let place = at + left.trailing_zeros() as usize;
                left &= left - 1;
                match run.chunk.get(place) {
                    Some(b'{' | b'[') => *depth += 1,
                    _ => *depth = depth.saturating_sub(1),
                }
                if *depth == outside {
                    return Some(place + 1);
                }
            }
        }
        None
    }

    /// The container that was being skipped ends before `at`.
    fn leave_skipped<S: Sink>(&mut self, at: usize, sink: &mut S) -> Result<usize, Halt> {
        self.objects
            .truncate(self.skipped.take().unwrap_or_default());
        self.scalar_ends(at, sink)?;
        Ok(at)
    }

    /// Leaves the state of the scalar scanner as if it had read until the position that is returned:
    /// the chunk's end, unless a name, a number or the like is cut there.
    fn hand_over(&mut self, run: &Run<'_>, carry: &Carry, start: usize) -> Result<usize, Halt> {
        let end = run.chunk.len();
        let due = carry.grammar.due;
        let in_value = carry.in_string != 0 && due.colon == 0;
        let begun = due.value != 0 && due.close == 0 || due.colon != 0 || carry.bare != 0;
        if begun && !in_value {
            // Back to where the member or the element begins.
            let Some(separator) = run.separator else {
                return Ok(start);
            };
            let (at, expect) = match run.chunk.get(separator) {
                Some(b',') => (separator, Expect::CommaOrClose),
                Some(b'{') => (separator + 1, Expect::NameOrClose),
                Some(b'[') => (separator + 1, Expect::ValueOrClose),
                _ => return Err(Box::new(BodyError::Spent)),
            };
            self.take_over(carry, expect);
            return Ok(at);
        }
        if in_value {
            self.take_over(carry, Expect::InString);
            self.text = Text::default();
            let cut = carry.escapes.cut.unwrap_or(end);
            let cut = cut.min(end - usize::from(carry.escaped != 0));
            return Ok(cut.min(run.checked));
        }
        let object = carry.grammar.objects().last();
        let expect = match object {
            None => Expect::End,
            Some(true) if due.close != 0 => Expect::NameOrClose,
            Some(false) if due.close != 0 => Expect::ValueOrClose,
            Some(_) => Expect::CommaOrClose,
        };
        self.take_over(carry, expect);
        Ok(end)
    }

    fn take_over(&mut self, carry: &Carry, expect: Expect) {
        self.objects.clear();
        self.objects.extend(carry.grammar.objects());
        self.expect = expect;
    }

    /// What the scalar scanner has against the text.
    #[cold]
    fn refusal(&self, chunk: &[u8], at: usize) -> Halt {
        let mut again = Self {
            expect: self.expect,
            objects: self.objects.clone(),
            text: self.text,
            offset: self.offset,
            ..Self::new(self.depth_max)
        };
        let refused = again.scalar(chunk, at, &mut Nobody).err();
        refused.unwrap_or_else(|| Box::new(BodyError::Spent))
    }
}

impl Run<'_> {
    /// Checks what the masks alone do not say: numbers and literals, UTF-8, the length of names.
    fn check(
        &mut self,
        carry: &Carry,
        rows: &[Row; BLOCKS],
        (from, to): (usize, usize),
        non_ascii: bool,
    ) -> bool {
        let blocks = (to - from).div_ceil(BLOCK);
        let mut at = from;
        for row in rows.get(..blocks).unwrap_or_default() {
            let mut left = row.bare;
            while left != 0 {
                let place = at.wrapping_add(left.trailing_zeros() as usize);
                left &= left.wrapping_sub(1);
                if lexeme(self.chunk, place) == Lexeme::Wrong {
                    return false;
                }
            }
            at = at.wrapping_add(BLOCK);
        }
        if non_ascii || self.checked < from {
            let text = self.chunk.get(self.checked..to).unwrap_or_default();
            match std::str::from_utf8(text) {
                Ok(_) => self.checked = to,
                Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
                Err(_) => return false,
            }
        } else {
            self.checked = to;
        }
        self.follow_names(carry, rows, (from, to)) && self.follow_marks(carry, rows, (from, to))
    }

    /// Checks the length of a name that goes on from one window to the next.
    fn follow_names(
        &mut self,
        carry: &Carry,
        rows: &[Row; BLOCKS],
        (from, to): (usize, usize),
    ) -> bool {
        if let Some(begin) = self.string {
            let mut rows = rows.iter().zip((from..to).step_by(BLOCK));
            let first = rows.find(|(row, _)| row.quotes != 0);
            let end = first.map_or(to, |(row, at)| at + row.quotes.trailing_zeros() as usize);
            if end - begin - 1 > NAME_BYTES_MAX {
                return false;
            }
        }
        if carry.in_string == 0 || carry.grammar.due.colon == 0 {
            self.string = None;
        } else if let Some(quote) = last(quotes(rows), (from, to), |_| true) {
            self.string = Some(quote);
        }
        true
    }

    /// Finds the last separator, and whether a cut escape is where the text ends.
    fn follow_marks(
        &mut self,
        carry: &Carry,
        rows: &[Row; BLOCKS],
        window: (usize, usize),
    ) -> bool {
        let chunk = self.chunk;
        let separator = last(rows.iter().map(|row| row.marks), window, |at| {
            chunk.get(at) != Some(&b':')
        });
        self.separator = separator.or(self.separator);
        carry.escapes.cut.is_none_or(|cut| {
            let quote = last(quotes(rows), window, |_| true);
            carry.in_string != 0 && quote.is_none_or(|quote| quote < cut)
        })
    }
}

fn quotes(rows: &[Row; BLOCKS]) -> impl ExactSizeIterator<Item = u64> + DoubleEndedIterator + '_ {
    rows.iter().map(|row| row.quotes)
}

/// The last marked place of a window that is wanted.
fn last(
    words: impl ExactSizeIterator<Item = u64> + DoubleEndedIterator,
    (from, to): (usize, usize),
    wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    let beyond = BLOCKS - (to - from).div_ceil(BLOCK);
    for (row, word) in words.enumerate().rev().skip(beyond) {
        let mut left = word;
        while left != 0 {
            let bit = 63 - left.leading_zeros() as usize;
            let place = from + row * BLOCK + bit;
            if wanted(place) {
                return Some(place);
            }
            left ^= 1 << bit;
        }
    }
    None
}

/// Follows nothing.
struct Nobody;

impl Sink for Nobody {
    fn value_begins(&mut self, _: JsonKind, _: usize) -> Result<Inside, Halt> {
        Ok(Inside::Skip)
    }
    fn value_ends(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
    fn closes(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
    fn name_begins(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
    fn name_ends(&mut self, _: &[u8], _: bool) -> Result<(), Halt> {
        Ok(())
    }
    fn comma(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
}
