//! Containers that open and close, and the commas in them.

use super::{Owed, Stretch, Walk, spent};
use crate::json::scanner::{Halt, Inside, Interest, Sink, Terms};
use crate::value_action::JsonKind;

impl Walk {
    /// A comma of the followed container is at `place`.
    #[inline(never)]
    pub(super) fn comma<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if !self.terms.all {
            return Ok(());
        }
        sink.comma(place)?;
        if self.terms.object {
            return Ok(());
        }
        self.value(stretch, place + 1, sink)
    }

    /// A container opens.
    #[inline(never)]
    pub(super) fn opens<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        (place, byte): (usize, u8),
        sink: &mut S,
    ) -> Result<(), Halt> {
        let outside = self.depth;
        self.depth += 1;
        let heard = self.terms.object && self.member == Interest::Value;
        let unheard = !(self.terms.all || heard);
        if unheard {
            let inside = match self.terms.object {
                true => self.member == Interest::Inside,
                false => self.terms.containers,
            };
            if !inside {
                self.passing = true;
                self.skipped = Some(outside);
                self.told = false;
                return Ok(());
            }
            self.passing = false;
            sink.passed();
        }
        let kind = if byte == b'{' {
            JsonKind::Object
        } else {
            JsonKind::Array
        };
        if sink.value_begins(kind, place)? == Inside::Skip {
            self.skipped = Some(outside);
            self.told = true;
            return Ok(());
        }
        self.passing = false;
        self.terms = self.asked(sink);
        if self.terms.all && kind == JsonKind::Array {
            return self.first_value(stretch, place + 1, sink);
        }
        Ok(())
    }

    /// What the sink is told of the container that it now follows.
    pub(super) fn asked<S: Sink>(&self, sink: &S) -> Terms {
        let terms = sink.terms();
        Terms {
            all: terms.all || self.everything,
            ..terms
        }
    }

    /// The followed container closes.
    #[inline(never)]
    pub(super) fn closes<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        self.depth = self.depth.checked_sub(1).ok_or_else(spent)?;
        self.passing = false;
        sink.closes(place)?;
        self.terms = self.asked(sink);
        self.ends(stretch, place + 1, sink)
    }

    /// A value that ended before `place` has gone, and the comma after it goes with it.
    pub(super) fn removed<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        match stretch.after_in_window(place) {
            Some((comma, b',')) => {
                self.comma = Some(comma);
                sink.comma(comma)
            }
            Some(_) => Ok(()),
            None => {
                self.due = Some((place.max(stretch.to), Owed::Comma));
                Ok(())
            }
        }
    }

    /// The followed array was opened before `place`.
    pub(super) fn first_value<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        match stretch.after_in_window(place) {
            Some((begin, _)) => self.value(stretch, begin, sink),
            None => {
                self.due = Some((place.max(stretch.to), Owed::Value));
                Ok(())
            }
        }
    }
}
