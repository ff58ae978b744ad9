//! Members whose names may matter, and the scalars that are told.

use super::stretch::scalar_kind;
use super::{Stretch, Walk, spent};
use crate::json::scanner::{Halt, Interest, Sink};
use crate::value_action::JsonKind;

impl Walk {
    /// A member's colon is at `place`.
    #[inline(never)]
    pub(super) fn member<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if self.terms.all {
            return self.tell(stretch, place, false, sink);
        }
        let short = stretch.short_name(place);
        let interest = match short.and_then(|(word, raw)| sink.meets_short(word, raw)) {
            Some(interest) => interest,
            None => {
                let (_, raw) = stretch.name_before(place).ok_or_else(spent)?;
                if memchr::memchr(b'\\', raw).is_some() {
                    return self.tell(stretch, place, false, sink);
                }
                sink.meets(raw)
            }
        };
        match interest {
            Interest::None | Interest::Inside => {
                self.member = interest;
                self.passing = true;
                Ok(())
            }
            Interest::Replaced if self.replace(stretch, place + 1, sink)? => Ok(()),
            Interest::Replaced | Interest::Value => self.tell(stretch, place, true, sink),
        }
    }

    /// Lets the sink replace the scalar after `place` at once, if that lies in the window.
    #[inline]
    fn replace<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<bool, Halt> {
        let Some((kind, value)) = stretch.scalar(place) else {
            return Ok(false);
        };
        let done = sink.replaces(kind, value)?;
        if done {
            self.member = Interest::None;
            self.passing = false;
        }
        Ok(done)
    }

    /// Tells everything of the member whose colon is at `place`; its name only if that is not `known`.
    #[inline(never)]
    fn tell<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        known: bool,
        sink: &mut S,
    ) -> Result<(), Halt> {
        let (begin, raw) = stretch.name_before(place).ok_or_else(spent)?;
        self.member = Interest::Value;
        self.before(stretch, begin, sink)?;
        sink.name_begins(begin)?;
        if !known {
            sink.name_ends(raw, memchr::memchr(b'\\', raw).is_some())?;
        }
        self.value(stretch, place + 1, sink)
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
    pub(super) fn value<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        let Some((begin, byte)) = stretch.after(place) else {
            return Ok(());
        };
        let Some(kind) = scalar_kind(byte) else {
            return Ok(());
        };
        sink.value_begins(kind, begin)?;
        if kind == JsonKind::String {
            self.string = true;
            return match stretch.quote_from(begin + 1) {
                Some(quote) => self.string_ends(stretch, quote, sink),
                None => Ok(()),
            };
        }
        let end = stretch.bare_end(begin).ok_or_else(spent)?;
        self.ends(stretch, end, sink)
    }
}
