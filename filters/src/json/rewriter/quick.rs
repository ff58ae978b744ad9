//! What the rewriter wants to be told of a container, and how members pass that it was not told of.

use super::frame::Cover;
use super::{Frame, FrameKind, Pass};
use crate::json::automaton::{Key, NameId};
use crate::json::glance::Others;
use crate::json::scanner::{Interest, Terms};

impl Pass<'_> {
    #[inline]
    pub(super) fn present_terms(&self) -> Terms {
        let Frame {
            kind, state, cover, ..
        } = self.rewriter.top;
        let object = kind == FrameKind::Object;
        let followed = object || kind == FrameKind::Array;
        // INVARIANT: what is hidden is followed only where something is required, and then all is told.
        let searched = matches!(cover, Cover::Searched(_));
        let others = match followed && !searched && self.question.is_none() {
            true => self.plan.glance().others(state, object),
            false => None,
        };
        Terms {
            object,
            all: others.is_none(),
            containers: others != Some(Others::Dead),
        }
    }

    /// What there is to do with a member of this name, which is remembered.
    #[inline]
    pub(super) fn interest(&mut self, raw: &[u8]) -> Interest {
        let name = self.name_id(raw, false);
        self.interest_in(name)
    }

    /// The same of a name by its length and last bytes; none when these do not decide.
    #[inline]
    pub(super) fn short_interest(&mut self, word: u64, length: usize) -> Option<Interest> {
        let name = self.plan.glance().name(word, length)?;
        Some(self.interest_in(name))
    }

    #[inline]
    fn interest_in(&mut self, name: NameId) -> Interest {
        self.rewriter.name = name;
        let table = self.plan.automaton().table();
        let next = table.next(self.rewriter.top.state, Key::Name(name));
        match next.and_then(|next| self.plan.glance().quiet(next)) {
            None => Interest::Value,
            Some(Others::Live) => Interest::Inside,
            Some(Others::Dead) => Interest::None,
        }
    }

    /// Something of which nothing was told stays in the present container.
    #[inline]
    pub(super) fn keep_unheard(&mut self) {
        let top = &mut self.rewriter.top;
        top.kept_any = true;
        top.pending = false;
    }
}
