//! Which strings hold documents: those whose own label says so, and those inside a container whose label says
//! so, since a label covers its children.
//!
//! It guarantees that a string is never taken for text because its label stands further out. A string inside a
//! document that was opened is not meant: it has labels of its own.

use super::decide::Begun;
use super::frame::{Cover, Embeds};
use super::{Captured, Halt, JsonKind, Pass, verdict};
use postern_config::Action;

impl Pass<'_> {
    /// Whether a value is a string that holds a document.
    #[inline]
    pub(super) fn is_document(&self, value: &Begun) -> bool {
        value.kind == JsonKind::String && self.document_by(value) != 0
    }

    /// The verdict that says how the string holds a document, its own before one around it; 0 when it holds
    /// none.
    fn document_by(&self, value: &Begun) -> u32 {
        let own = value.facts.verdict;
        match self.rewriter.top.embeds {
            _ if value.kind != JsonKind::String => 0,
            _ if self.embeds(own) => own,
            // PERF: to count, a string is opened only if something counted can be in it.
            _ if self.plan.counts() && !value.facts.is_live() => 0,
            Embeds::Nothing => 0,
            Embeds::Root(around) | Embeds::Inside(around) => around,
        }
    }

    /// Which strings hold documents inside a container that begins.
    #[inline]
    pub(super) fn embeds_in(&self, value: &Begun) -> Embeds {
        let own = value.facts.verdict;
        match self.rewriter.top.embeds {
            Embeds::Root(_) => Embeds::Nothing,
            _ if self.embeds(own) => Embeds::Inside(own),
            around @ (Embeds::Nothing | Embeds::Inside(_)) => around,
        }
    }

    /// Whether strings inside a container that begins are opened, so that it is followed even where no
    /// selector leads into it: what is said to hold a document and does not is refused.
    #[inline]
    pub(super) fn opens_inside(&self, value: &Begun) -> bool {
        self.embeds_in(value) != Embeds::Nothing && !self.plan.counts()
    }

    /// Whether a verdict says that strings hold documents.
    #[inline]
    fn embeds(&self, number: u32) -> bool {
        let verdicts = (self.plan.verdicts(), &self.rewriter.beyond.verdicts);
        number != 0 && verdict(verdicts, number).is_some_and(|verdict| !verdict.embedded.is_empty())
    }

    /// A value that is read before anything becomes of it.
    pub(super) fn captured(&self, value: Begun) -> Captured {
        let document = self.document_by(&value);
        let verdicts = (self.plan.verdicts(), &self.rewriter.beyond.verdicts);
        let own = verdict(verdicts, value.facts.verdict);
        let verdict = match (own.map(|own| &own.action), self.rewriter.top.cover) {
            (None | Some(Action::Show), Cover::Searched(around)) => around,
            (None, Cover::None | Cover::Shown) => document,
            (Some(_), _) => value.facts.verdict,
        };
        Captured {
            from: self.tape.here(value.at),
            verdict,
            document,
            kind: value.kind,
            state: value.state,
        }
    }

    /// Reads a string that is dropped, if it holds a document.
    #[cold]
    pub(super) fn capture_hidden(&mut self, value: Begun) -> Result<(), Halt> {
        if !self.is_document(&value) {
            return Ok(());
        }
        if let Some(hidden) = self.rewriter.hidden {
            self.tape.cut(hidden.from, value.at)?;
        }
        self.rewriter.captured = Some(self.captured(value));
        Ok(())
    }
}
