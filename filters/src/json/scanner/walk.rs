//! Tells a sink what stands in a window, from the masks alone.
//!
//! Guarantees: the sink is told everything that it wants to know, in the order of the text, and what it
//! is told of a member or an element is complete but for commas that change nothing. The window has been
//! found right before, as far as `to`; what would contradict that is an error, never passed over.

mod containers;
mod stretch;

use super::simd::{BLOCK, Grammar};
use super::{Halt, Interest, Sink, Terms};
use crate::body_filter::BodyError;
use crate::value_action::JsonKind;

pub(super) use stretch::Stretch;

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
        for place in std::mem::take(&mut self.late).into_iter().flatten() {
            self.event(stretch, place, sink)?;
        }
        let mut at = stretch.from;
        for row in stretch.rows {
            let mut left = row.events;
            while left != 0 {
                let place = at.wrapping_add(left.trailing_zeros() as usize);
                left &= left.wrapping_sub(1);
                self.event(stretch, place, sink)?;
            }
            at = at.wrapping_add(BLOCK);
        }
        Ok(())
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
            let slot = self.late.iter_mut().find(|slot| slot.is_none());
            *slot.ok_or_else(spent)? = Some(place);
            return Ok(());
        }
        let byte = stretch.chunk.get(place).copied().unwrap_or_default();
        if let Some(outside) = self.skipped {
            self.skip(stretch, (place, byte), outside, sink)
        } else if byte == b':' {
            self.colon(stretch, place, sink)
        } else if byte == b',' {
            self.comma(stretch, place, sink)
        } else if byte & 2 != 0 {
            self.opens(stretch, (place, byte), sink)
        } else {
            self.closes(stretch, place, sink)
        }
    }

    #[inline]
    fn skip<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        (place, byte): (usize, u8),
        outside: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        match byte {
            b'{' | b'[' => self.depth = self.depth.wrapping_add(1),
            b'}' | b']' => {
                self.depth = self.depth.wrapping_sub(1);
                if self.depth == outside {
                    self.skipped = None;
                    if self.told {
                        return self.ends(stretch, place + 1, sink);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A member's colon is at `place`.
    #[inline]
    fn colon<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if !self.terms.all
            && let Some([first, second, b'"']) = place
                .checked_sub(3)
                .and_then(|from| stretch.chunk.get(from..place))
            && sink.ignores(u16::from_le_bytes([*first, *second]))
        {
            self.passing = true;
            self.member = Interest::None;
            if self.terms.containers {
                self.member = Interest::Inside;
                sink.meets_another();
            }
            return Ok(());
        }
        self.member(stretch, place, sink)
    }

    /// The same where the name may matter.
    #[inline(never)]
    fn member<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        let mut interest = None;
        if !self.terms.all
            && let Some((word, length)) = stretch.short_name(place)
        {
            interest = sink.meets_short(word, length);
        }
        if !matches!(interest, None | Some(Interest::Value)) {
            return self.pass_over(interest);
        }
        let (begin, raw) = stretch.name_before(place).ok_or_else(spent)?;
        let escaped = interest.is_none() && memchr::memchr(b'\\', raw).is_some();
        if interest.is_none() && !self.terms.all && !escaped {
            interest = Some(sink.meets(raw));
            if interest != Some(Interest::Value) {
                return self.pass_over(interest);
            }
        }
        self.member = Interest::Value;
        self.before(stretch, begin, sink)?;
        sink.name_begins(begin)?;
        if interest.is_none() {
            sink.name_ends(raw, escaped)?;
        }
        self.value(stretch, place + 1, sink)
    }

    /// Nothing of the present member has to be told, or only that it is a container.
    fn pass_over(&mut self, interest: Option<Interest>) -> Result<(), Halt> {
        self.member = interest.ok_or_else(spent)?;
        self.passing = true;
        Ok(())
    }

    /// A member or an element begins at `place` of which everything is told: so is the comma before it.
    fn before<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if self.terms.all {
            return Ok(());
        }
        if std::mem::take(&mut self.passing) {
            sink.passed();
        }
        let before = stretch.before(place);
        if before.is_some_and(|(_, byte)| byte == b',') {
            let comma = before.map(|(comma, _)| comma);
            if self.comma != comma {
                sink.comma(comma.unwrap_or_default())?;
                self.comma = comma;
            }
        }
        Ok(())
    }

    /// Tells of the value that comes after `place`, unless it is a container or there is none.
    fn value<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        let Some((begin, byte)) = stretch.after(place) else {
            return Ok(());
        };
        let kind = match byte {
            b'{' | b'[' | b'}' | b']' => return Ok(()),
            b'"' => {
                sink.value_begins(JsonKind::String, begin)?;
                self.string = true;
                return match stretch.quote_from(begin + 1) {
                    Some(quote) => self.string_ends(stretch, quote, sink),
                    None => Ok(()),
                };
            }
            b't' | b'f' => JsonKind::Bool,
            b'n' => JsonKind::Null,
            _ => JsonKind::Number,
        };
        sink.value_begins(kind, begin)?;
        let end = stretch.bare_end(begin).ok_or_else(spent)?;
        self.ends(stretch, end, sink)
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

#[cold]
fn spent() -> Halt {
    Box::new(BodyError::Spent)
}
