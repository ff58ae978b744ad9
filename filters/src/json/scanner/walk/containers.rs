//! Containers that open and close, and the commas in them.

use super::{Owed, Stretch, Walk, others, spent};
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
            // It waited for its window, and in the meantime commas have ceased to matter.
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
        // Of an element as of a member that is not known.
        let member = match self.terms.object {
            true => self.member,
            false => self.others,
        };
        if !self.terms.all && member == Interest::Inside {
            self.passing = false;
            if let Some(terms) = sink.enters(byte == b'{') {
                self.follow(terms);
                return self.entered(stretch, (place, byte), sink);
            }
            sink.passed();
        } else if !self.terms.all && member == Interest::None {
            self.passing = true;
            self.skipped = Some(outside);
            self.told = false;
            return Ok(());
        }
        self.opens_told(stretch, (place, byte), sink)
    }

    /// The same of a container of which the sink is told.
    #[inline(never)]
    fn opens_told<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        (place, byte): (usize, u8),
        sink: &mut S,
    ) -> Result<(), Halt> {
        let outside = self.depth.checked_sub(1).ok_or_else(spent)?;
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
        self.ask(sink);
        self.entered(stretch, (place, byte), sink)
    }

    /// The container that opens at `place` is followed.
    #[inline]
    fn entered<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        (place, byte): (usize, u8),
        sink: &mut S,
    ) -> Result<(), Halt> {
        if self.terms.all && byte == b'[' {
            return self.first_value(stretch, place + 1, sink);
        }
        Ok(())
    }

    /// On what terms the sink is told of the container that it now follows.
    #[inline]
    fn follow(&mut self, terms: Terms) {
        self.terms = terms;
        self.others = others(terms);
    }

    /// The same where the sink has to be asked.
    #[inline]
    fn ask<S: Sink>(&mut self, sink: &S) {
        let terms = sink.terms();
        self.follow(Terms {
            all: terms.all || self.everything,
            ..terms
        });
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
        if !self.terms.all
            && let Some(terms) = sink.leaves()
        {
            self.follow(terms);
            return Ok(());
        }
        self.closes_told(stretch, place, sink)
    }

    /// The same of a container of whose end the sink is told.
    #[inline(never)]
    fn closes_told<S: Sink>(
        &mut self,
        stretch: &Stretch<'_>,
        place: usize,
        sink: &mut S,
    ) -> Result<(), Halt> {
        sink.closes(place)?;
        self.ask(sink);
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
    #[inline(never)]
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
