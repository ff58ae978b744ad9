//! What the rewriter wants to be told of a container, and how members pass that it was not told of.

use std::ops::Range;

use super::frame::{Cover, Embeds};
use super::{Frame, FrameKind, Halt, Pass};
use crate::json::automaton::{Key, NameId};
use crate::json::glance::{Look, Others};
use crate::json::scanner::{Interest, Terms};
use crate::value_action::{JsonKind, replace};

impl Pass<'_> {
    #[inline]
    pub(super) fn present_terms(&self) -> Terms {
        let Frame {
            kind,
            state,
            cover,
            embeds,
            ..
        } = self.rewriter.top;
        let object = kind == FrameKind::Object;
        let followed = object || kind == FrameKind::Array;
        // INVARIANT: what is hidden is followed only where something is required, and then all is told.
        let searched = matches!(cover, Cover::Searched(_)) || embeds != Embeds::Nothing;
        let look = match followed && !searched && self.question.is_none() {
            true => self.plan.glance().look(state),
            false => None,
        };
        look.unwrap_or(&Look::NOTHING).terms(object)
    }

    /// What there is to do with a member of this name, which is remembered.
    #[inline]
    pub(super) fn interest(&mut self, raw: &[u8]) -> Interest {
        let name = self.name_id(raw, false);
        self.interest_in(name)
    }

    /// The same of a name whose last bytes are also given as a word; none when these do not decide.
    #[inline]
    pub(super) fn short_interest(&mut self, word: u64, raw: &[u8]) -> Option<Interest> {
        let names = self.plan.automaton().names();
        let name = self.plan.glance().name(word, raw, names)?;
        Some(self.interest_in(name))
    }

    #[inline]
    fn interest_in(&mut self, name: NameId) -> Interest {
        self.rewriter.name = name;
        let table = self.plan.automaton().table();
        let next = table.next(self.rewriter.top.state, Key::Name(name));
        let Some(look) = next.and_then(|next| self.plan.glance().look(next)) else {
            return Interest::Value;
        };
        match look.value {
            None if look.replacement != 0 => {
                self.rewriter.met = look.replacement;
                Interest::Replaced
            }
            None => Interest::Value,
            Some(Others::Live) => Interest::Inside,
            Some(Others::Dead) => Interest::None,
        }
    }

    /// Whether no value is under way that changes what another one's beginning or end means.
    #[inline]
    fn is_at_rest(&self) -> bool {
        let rewriter = &*self.rewriter;
        rewriter.hidden.is_none()
            && rewriter.captured.is_none()
            && rewriter.holding.is_none()
            && rewriter.searched.is_none()
            && rewriter.lazy.is_none()
            && rewriter.collected.is_none()
    }

    /// Whether a container begins or ends without any consequence for what is around it.
    ///
    /// INVARIANT: a value that is captured, held or searched as a string is told to be skipped, and
    /// nothing is collected where not everything is told.
    #[inline]
    fn is_open(&self) -> bool {
        self.rewriter.hidden.is_none() && self.rewriter.lazy.is_none()
    }

    /// Replaces the scalar of the member that was met, if it is as simple as that: see [`Sink::replaces`].
    ///
    /// INVARIANT: the member lies in the chunk, in a stretch that may be held back, so that no limit is
    /// to be checked; what is in front of it stays, and so does the member.
    ///
    /// [`Sink::replaces`]: crate::json::scanner::Sink::replaces
    pub(super) fn replace_unheard(
        &mut self,
        kind: JsonKind,
        value: Range<usize>,
    ) -> Result<bool, Halt> {
        let plan = self.plan;
        let Some(verdict) = plan.verdicts().get(self.rewriter.met) else {
            return Ok(false);
        };
        if !self.is_at_rest() || self.rewriter.top.pending {
            return Ok(false);
        }
        for label in &verdict.withheld {
            if let Some(count) = self.rewriter.withheld.get_mut(usize::from(*label)) {
                *count = count.saturating_add(1);
            }
        }
        let pseudonyms = plan.settings().pseudonyms.as_deref();
        self.tape.swap(value, |raw, out| {
            replace(&verdict.action, kind, raw, pseudonyms, out);
        })?;
        self.keep_unheard();
        Ok(true)
    }

    /// Follows a container to which nothing happens itself: see [`Sink::enters`].
    ///
    /// [`Sink::enters`]: crate::json::scanner::Sink::enters
    #[inline]
    pub(super) fn enter_unheard(&mut self, object: bool) -> Option<Terms> {
        if !self.is_open() {
            return None;
        }
        let rewriter = &mut *self.rewriter;
        let (glance, table) = (self.plan.glance(), self.plan.automaton().table());
        let around = rewriter.top.state;
        let state = match rewriter.top.kind {
            FrameKind::Object => table.next(around, Key::Name(rewriter.name))?,
            FrameKind::Array => glance.look(around)?.element()?,
            FrameKind::Document | FrameKind::Opened => return None,
        };
        let look = glance.look(state)?;
        if look.value != Some(Others::Live) {
            return None;
        }
        let cover = match look.shown {
            true => Cover::Shown,
            false => rewriter.top.cover,
        };
        let kind = match object {
            true => FrameKind::Object,
            false => FrameKind::Array,
        };
        let mut around = rewriter.top;
        (around.kept_any, around.pending) = (true, false);
        rewriter.parents.push(around);
        let terms = look.terms(object);
        rewriter.top = Frame {
            terms: Some(terms),
            ..Frame::new(kind, state, cover)
        };
        Some(terms)
    }

    /// Leaves the container that is followed, of which nothing waits: see [`Sink::leaves`].
    ///
    /// [`Sink::leaves`]: crate::json::scanner::Sink::leaves
    #[inline]
    pub(super) fn leave_unheard(&mut self) -> Option<Terms> {
        if !self.is_open() || self.rewriter.top.pending {
            return None;
        }
        let rewriter = &mut *self.rewriter;
        rewriter.top = rewriter.parents.pop()?;
        rewriter.top.index += 1;
        let known = rewriter.top.terms;
        Some(known.unwrap_or_else(|| self.present_terms()))
    }

    /// Something of which nothing was told stays in the present container.
    #[inline]
    pub(super) fn keep_unheard(&mut self) {
        let top = &mut self.rewriter.top;
        top.kept_any = true;
        top.pending = false;
    }
}
