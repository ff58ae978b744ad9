//! Tells a sink what stands in a window, from the masks alone.
//!
//! Guarantees: the sink is told everything that it wants to know, in the order of the text, and what it
//! is told of a member or an element is complete but for commas that change nothing. The window has been
//! found right before, as far as `to`; what would contradict that is an error, never passed over.

mod containers;
mod members;
mod stretch;

use super::simd::{BLOCK, Grammar, Row};
use super::{Halt, Interest, Sink, Terms};
use crate::body_filter::BodyError;

pub(super) use stretch::Stretch;

/// The end of a name and its colon, without white space between them.
const QUOTE_AND_COLON: u64 = u16::from_le_bytes(*b"\":") as u64;

/// Where the walk has come to.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about the place in the text, and they vary freely"
)]
pub(super) struct Walk {
    /// How many containers are open.
    pub(super) depth: usize,
    /// How many are open around the container that is skipped, if one is.
    pub(super) skipped: Option<usize>,
    /// Whether the sink was told of the container that is skipped.
    told: bool,
    terms: Terms,
    /// What is known of the present member.
    member: Interest,
    /// The same of members that are not known, in the present container.
    others: Interest,
    /// Something has passed of which the sink was not told.
    pub(super) passing: bool,
    /// A string has begun whose end is to be told.
    string: bool,
    /// The last comma that was told.
    comma: Option<usize>,
    /// After this place a comma is to be told, or a value, before anything else is.
    due: Option<(usize, Owed)>,
    /// The events of the last window that had to wait: a comma and a colon.
    late: [Option<usize>; 2],
    /// The sink is told everything, whatever it wants.
    everything: bool,
}

/// What could not be told because it may be cut by the chunk's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// The comma that goes with a removed value.
    Comma,
    /// The first value of an array.
    Value,
}

impl Walk {
    /// A walk that begins inside of so many containers.
    /// `everything` is told even where `terms`, and what the sink says later, ask for less.
    pub(super) fn new(
        (depth, skipped): (usize, Option<usize>),
        string: bool,
        terms: Terms,
        everything: bool,
    ) -> Self {
        Self {
            depth,
            skipped,
            told: true,
            terms,
            member: Interest::Value,
            others: others(terms),
            passing: false,
            string: string && skipped.is_none(),
            comma: None,
            due: None,
            late: [None; 2],
            everything,
        }
    }

    /// Walks through a window, unless all of it is inside of the container that is skipped.
    pub(super) fn window<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        grammar: &Grammar,
        sink: &mut S,
    ) -> Result<(), Halt> {
        match self.skipped {
            Some(outside) if grammar.lowest > outside => {
                self.depth = grammar.depth();
                self.late = [None; 2];
                Ok(())
            }
            _ => self.through(stretch, sink),
        }
    }

    /// The scalar scanner goes on; in the present container something has `begun`.
    pub(super) fn leave<S: Sink>(&mut self, begun: bool, sink: &mut S) {
        // No event says that an array's scalar has passed.
        let element = begun && !self.terms.all && !self.terms.object && self.skipped.is_none();
        if self.passing || element {
            sink.passed();
        }
    }

    fn through<S: Sink>(&mut self, stretch: &Stretch<'_>, sink: &mut S) -> Result<(), Halt> {
        if self.string {
            let Some(quote) = stretch.quote_from(stretch.from) else {
                return Ok(());
            };
            self.string_ends(stretch, quote, sink)?;
        }
        self.pay(stretch, sink)?;
        if self.late != [None; 2] {
            self.catch_up(stretch, sink)?;
        }
        let mut at = stretch.from;
        for row in stretch.rows {
            let mut left = self.events(row);
            while left != 0 {
                let bit = left & left.wrapping_neg();
                if let Some(outside) = self.skipped {
                    left = self.skip(stretch, (row, left), (at, outside), sink)?;
                    continue;
                }
                let place = at.wrapping_add(bit.trailing_zeros() as usize);
                let quick = !self.terms.all && row.brackets & bit == 0;
                if quick && self.overlooks(stretch, place, sink) {
                    left ^= bit;
                    continue;
                }
                self.event(stretch, place, sink)?;
                // It may have changed what is told.
                left = self.events(row) & !(bit | bit.wrapping_sub(1));
            }
            at = at.wrapping_add(BLOCK);
        }
        Ok(())
    }

    /// Tells what had to wait for this window.
    #[cold]
    #[inline(never)]
    fn catch_up<S: Sink>(&mut self, stretch: &Stretch<'_>, sink: &mut S) -> Result<(), Halt> {
        for place in std::mem::take(&mut self.late).into_iter().flatten() {
            // Those of a container that is skipped are a comma and a colon in it.
            if self.skipped.is_none() {
                self.event(stretch, place, sink)?;
            }
        }
        Ok(())
    }

    /// What is looked at of a block: commas only where everything is told.
    #[inline]
    fn events(&self, row: &Row) -> u64 {
        match self.terms.all {
            true => row.marks,
            false => row.brackets | row.firsts,
        }
    }

    /// Whether at `place` there is the colon of a member that does not matter by the end of its name,
    /// where not everything is told.
    #[inline]
    fn overlooks<S: Sink>(&mut self, stretch: &Stretch<'_>, place: usize, sink: &mut S) -> bool {
        let bytes = stretch
            .chunk
            .get(place.wrapping_sub(7)..place.wrapping_add(1))
            .and_then(|bytes| bytes.first_chunk());
        let Some(bytes) = bytes else {
            return false;
        };
        let word = u64::from_le_bytes(*bytes);
        if word >> 48 != QUOTE_AND_COLON || place >= stretch.to || !sink.ignores(word << 16) {
            return false;
        }
        self.passing = true;
        self.member = self.others;
        sink.meets_another();
        true
    }

    /// Tells what was due before this window.
    fn pay<S: Sink>(&mut self, stretch: &Stretch<'_>, sink: &mut S) -> Result<(), Halt> {
        match self.due.take() {
            None => Ok(()),
            Some((place, Owed::Comma)) => self.removed(stretch, place, sink),
            Some((place, Owed::Value)) => self.first_value(stretch, place, sink),
        }
    }

    #[inline]
    fn event<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if place >= stretch.to {
            return self.wait(place);
        }
        let byte = stretch.chunk.get(place).copied().unwrap_or_default();
        if byte == b':' {
            self.member(stretch, place, sink)
        } else if byte == b',' {
            self.comma(stretch, place, sink)
        } else if byte & 2 != 0 {
            self.opens(stretch, (place, byte), sink)
        } else {
            self.closes(stretch, place, sink)
        }
    }

    /// The event at `place` has to wait for the next window.
    #[cold]
    fn wait(&mut self, place: usize) -> Result<(), Halt> {
        let slot = self.late.iter_mut().find(|slot| slot.is_none());
        *slot.ok_or_else(spent)? = Some(place);
        Ok(())
    }

    /// Passes over what is left of the block at `at` as far as it belongs to the container that is
    /// skipped, and gives the events after that.
    #[inline]
    fn skip<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        (row, left): (&Row, u64),
        (at, outside): (usize, usize),
        sink: &mut S,
    ) -> Result<u64, Halt> {
        let mut brackets = row.brackets & left;
        while brackets != 0 {
            let rest = brackets & brackets.wrapping_sub(1);
            let bit = brackets ^ rest;
            brackets = rest;
            if row.firsts & bit != 0 {
                self.depth = self.depth.wrapping_add(1);
                continue;
            }
            self.depth = self.depth.wrapping_sub(1);
            if self.depth == outside {
                self.skipped = None;
                if self.told {
                    let place = at.wrapping_add(bit.trailing_zeros() as usize);
                    self.skipped_ends(stretch, place + 1, sink)?;
                }
                return Ok(left & !(bit | bit.wrapping_sub(1)));
            }
        }
        Ok(0)
    }

    /// A skipped container of which the sink was told ends before `place`.
    #[inline(never)]
    fn skipped_ends<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        self.ends(stretch, place, sink)
    }

    fn string_ends<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        quote: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        self.string = false;
        self.ends(stretch, quote + 1, sink)
    }

    /// A value of which the sink was told ends before `place`.
    fn ends<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        sink.value_ends(place)?;
        if !self.terms.all && sink.awaits_comma() {
            return self.removed(stretch, place, sink);
        }
        Ok(())
    }
}

/// What there is to do with members that are not known.
#[inline]
const fn others(terms: Terms) -> Interest {
    match terms.containers {
        true => Interest::Inside,
        false => Interest::None,
    }
}

#[cold]
fn spent() -> Halt {
    Box::new(BodyError::Spent)
}
