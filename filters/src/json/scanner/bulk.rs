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
use super::simd::{BLOCK, Carry, DEPTH_MAX, Due, Escapes, Grammar, Row, WINDOW, Window};
use super::utf8::whole_characters;
use super::walk::{Stretch, Walk};
use super::{Expect, Halt, Inside, NAME_BYTES_MAX, Scanner, Sink, Terms, Text};
use crate::body_filter::BodyError;
use crate::value_action::JsonKind;

/// From how many bytes on a window is worth its while.
pub(super) const WORTH: usize = 128;

/// What is known of a run of windows, beside what the masks say.
struct Run<'c> {
    chunk: &'c [u8],
    /// Where the windows begin, and what is expected there.
    start: (usize, Expect),
    /// Up to where UTF-8 has been checked.
    checked: usize,
    /// The last bracket or comma.
    separator: Option<usize>,
    /// The quote that opened the last string, if that has not ended.
    string: Option<usize>,
}

impl Scanner {
    /// Whether reading windows may begin at `at`, where the scalar scanner is about to read.
    #[inline]
    pub(super) fn may_read_windows(&self, chunk: &[u8], at: usize) -> bool {
        at >= self.resume && chunk.len() - at >= self.worth
    }

    /// Reads windows from `at` on, and says from where the scalar scanner has to go on.
    pub(super) fn windows<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<Option<usize>, Halt> {
        // Where little may be held back, it is checked member by member: so all of them are told.
        let everything = sink.unheard_max() < WINDOW;
        let terms = sink.terms();
        let terms = Terms {
            all: terms.all || everything,
            ..terms
        };
        let (Some(vectors), Some(due)) = (self.vectors, self.due(sink, terms)) else {
            return Ok(None);
        };
        let end = match everything {
            true => chunk.len(),
            false => chunk.len().min(at.saturating_add(sink.unheard_max())),
        };
        let chunk = chunk.get(..end).unwrap_or_default();
        self.resume = end;
        let mut carry = Carry {
            in_string: u64::from(self.expect == Expect::InString).wrapping_neg(),
            escaped: 0,
            bare: 0,
            grammar: Grammar::new(self.depth_max, &self.objects, due),
            escapes: Escapes { low: 0, cut: None },
        };
        let mut run = Run {
            chunk,
            start: (at, self.expect),
            checked: at,
            separator: None,
            string: None,
        };
        let in_string = self.expect == Expect::InString;
        let inside = (self.objects.len(), self.skipped);
        let mut walk = Walk::new(inside, in_string, terms, everything);
        let mut window = Window::new();
        let mut from = at;
        loop {
            let to = chunk.len().min(from + WINDOW);
            let seen = vectors.read(&mut carry, chunk, (from, to), &mut window);
            let rows = window.rows();
            if seen.wrong || !run.check(&carry, rows, (from, to), seen.non_ascii) {
                return Err(self.refusal(chunk, at));
            }
            let (place, expect) = run.stop(&carry, to)?;
            let stretch = Stretch {
                chunk,
                rows,
                from,
                to: place,
            };
            walk.window(&stretch, &carry.grammar, sink)?;
            if to == chunk.len() {
                self.take_over(&carry, &walk, expect);
                walk.leave(expect != Expect::ValueOrClose, sink);
                return Ok(Some(place));
            }
            from = to;
        }
    }

    /// What the scalar scanner expects, in the terms of the grammar; none where it has to go on alone:
    /// within a token, and where the sink waits for what comes next.
    fn due<S: Sink>(&self, sink: &S, terms: Terms) -> Option<Due> {
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
        if self.skipped.is_none() {
            let begins = match self.expect {
                Expect::NameOrClose | Expect::InString => true,
                Expect::CommaOrClose => terms.all || !sink.awaits_comma(),
                Expect::ValueOrClose => !terms.all,
                Expect::Value
                | Expect::Name
                | Expect::Colon
                | Expect::End
                | Expect::InName
                | Expect::InNumber
                | Expect::InLiteral => false,
            };
            if !begins {
                return None;
            }
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

    /// Leaves the state of the scalar scanner.
    fn take_over(&mut self, carry: &Carry, walk: &Walk, expect: Expect) {
        self.objects.clear();
        self.objects.extend(carry.grammar.objects());
        self.skipped = walk.skipped;
        self.expect = expect;
        if expect == Expect::InString {
            self.text = Text::default();
        }
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
    /// From where the scalar scanner would go on if the chunk ended with the window, at `end`, and what
    /// it would expect there: this end, unless a member, a number or the like is cut by it.
    fn stop(&self, carry: &Carry, end: usize) -> Result<(usize, Expect), Halt> {
        let due = carry.grammar.due;
        let in_value = carry.in_string != 0 && due.colon == 0;
        let begun = due.value != 0 && due.close == 0 || due.colon != 0 || carry.bare != 0;
        if begun && !in_value {
            // Back to where the member or the element begins.
            let Some(separator) = self.separator else {
                return Ok(self.start);
            };
            return match self.chunk.get(separator) {
                Some(b',') => Ok((separator, Expect::CommaOrClose)),
                Some(b'{') => Ok((separator + 1, Expect::NameOrClose)),
                Some(b'[') => Ok((separator + 1, Expect::ValueOrClose)),
                _ => Err(spent()),
            };
        }
        if in_value {
            let cut = carry.escapes.cut.unwrap_or(end);
            let cut = cut.min(end - usize::from(carry.escaped != 0));
            return Ok((cut.min(self.checked), Expect::InString));
        }
        let expect = match carry.grammar.objects().last() {
            None => Expect::End,
            Some(true) if due.close != 0 => Expect::NameOrClose,
            Some(false) if due.close != 0 => Expect::ValueOrClose,
            Some(_) => Expect::CommaOrClose,
        };
        Ok((end, expect))
    }

    /// Checks what the masks alone do not say: numbers and literals, UTF-8, the length of names.
    fn check(
        &mut self,
        carry: &Carry,
        rows: &[Row],
        (from, to): (usize, usize),
        non_ascii: bool,
    ) -> bool {
        if !are_lexemes(self.chunk, rows, from) {
            return false;
        }
        if non_ascii || self.checked < from {
            let text = self.chunk.get(self.checked..to).unwrap_or_default();
            match whole_characters(text) {
                Some(whole) => self.checked += whole,
                None => return false,
            }
        } else {
            self.checked = to;
        }
        self.follow_names(carry, rows, (from, to)) && self.follow_marks(carry, rows, from)
    }

    /// Checks the length of a name that goes on from one window to the next.
    fn follow_names(&mut self, carry: &Carry, rows: &[Row], (from, to): (usize, usize)) -> bool {
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
        } else if let Some(quote) = last(quotes(rows), from, |_| true) {
            self.string = Some(quote);
        }
        true
    }

    /// Finds the last separator, and whether a cut escape is where the text ends.
    fn follow_marks(&mut self, carry: &Carry, rows: &[Row], from: usize) -> bool {
        let chunk = self.chunk;
        let separator = last(rows.iter().map(|row| row.marks), from, |at| {
            chunk.get(at) != Some(&b':')
        });
        self.separator = separator.or(self.separator);
        carry.escapes.cut.is_none_or(|cut| {
            let quote = last(quotes(rows), from, |_| true);
            carry.in_string != 0 && quote.is_none_or(|quote| quote < cut)
        })
    }
}

/// Whether everything that is neither a string nor a mark is a number or a literal, or may become one.
#[inline(never)]
fn are_lexemes(chunk: &[u8], rows: &[Row], from: usize) -> bool {
    let mut at = from;
    for row in rows {
        let mut left = row.bare;
        while left != 0 {
            let place = at.wrapping_add(left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            if lexeme(chunk, place) == Lexeme::Wrong {
                return false;
            }
        }
        at = at.wrapping_add(BLOCK);
    }
    true
}

fn quotes(rows: &[Row]) -> impl ExactSizeIterator<Item = u64> + DoubleEndedIterator + '_ {
    rows.iter().map(|row| row.quotes)
}

/// The last marked place that is wanted of a window that begins at `from`.
fn last(
    words: impl ExactSizeIterator<Item = u64> + DoubleEndedIterator,
    from: usize,
    wanted: impl Fn(usize) -> bool,
) -> Option<usize> {
    for (row, word) in words.enumerate().rev() {
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

#[cold]
fn spent() -> Halt {
    Box::new(BodyError::Spent)
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
