//! What becomes of a value, decided at its first byte.

use super::frame::{Cover, Embeds, Frame, FrameKind};
use super::{Halt, Hidden, Inside, Pass, spent, verdict};
use crate::body_filter::BodyError;
use crate::json::automaton::{Key, START, StateId};
use crate::json::held::{Held, NodeId};
use crate::json::plan::{Facts, RecordsOf};
use crate::value_action::{JsonKind, needs_value, replace};
use postern_config::Action;
use postern_config::routes::Unlabelled;

/// A value that is being decided.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    pub(super) kind: JsonKind,
    pub(super) at: usize,
    pub(super) state: StateId,
    pub(super) facts: Facts,
    node: Option<NodeId>,
}

impl Begun {
    pub(super) const fn container(&self) -> Option<FrameKind> {
        match self.kind {
            JsonKind::Array => Some(FrameKind::Array),
            JsonKind::Object => Some(FrameKind::Object),
            JsonKind::String | JsonKind::Number | JsonKind::Bool | JsonKind::Null => None,
        }
    }
}

/// Whether a decision makes what is around the value visible.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// A label says what happens to the value, and something of it stays.
    Around,
    /// Nobody labelled the value.
    Nothing,
}

impl Pass<'_> {
    /// Decides about the value that begins at `at`.
    #[inline]
    pub(super) fn decide(&mut self, kind: JsonKind, at: usize) -> Result<Inside, Halt> {
        if self.rewriter.top.kind == FrameKind::Array {
            self.begin_member(at);
        }
        if self.rewriter.renamed.is_some() {
            self.rename(at)?;
        }
        let node = self.next_node();
        let Some(state) = self.child_state(node)? else {
            return self.hold(at);
        };
        let facts = self.facts(state)?;
        let value = Begun {
            kind,
            at,
            state,
            facts,
            node,
        };
        if facts.needs_length() && kind == JsonKind::Array && node.is_none() {
            return self.hold(at);
        }
        if self.plan.records_of() != RecordsOf::Nothing && self.begins_record(&value) {
            match node {
                Some(node) => self.learn(&value, node)?,
                None => return self.hold(at),
            }
        }
        if facts.is_noted() && !self.note(&value)? {
            return self.remove(value);
        }
        if self.rewriter.hidden.is_some() {
            return self.follow_hidden(value);
        }
        let cover = self.rewriter.top.cover;
        if facts.verdict != 0 {
            return self.labelled(value);
        }
        if self.rewriter.top.embeds != Embeds::Nothing && self.is_document(&value) {
            return self.capture(value);
        }
        if let Cover::Searched(verdict) = cover {
            return self.search(value, verdict);
        }
        match self.plan.settings().unlabelled {
            Unlabelled::Show => self.keep(value, cover, Opens::Nothing),
            _ if cover == Cover::Shown => self.keep(value, cover, Opens::Around),
            Unlabelled::Deny | Unlabelled::Redact | Unlabelled::Remove => self.unlabelled(value),
        }
    }

    /// The value's state, or none when it must be held to know that.
    #[inline]
    fn child_state(&mut self, node: Option<NodeId>) -> Result<Option<StateId>, Halt> {
        let top = &self.rewriter.top;
        let key = match top.kind {
            FrameKind::Object => Key::Name(self.rewriter.name),
            FrameKind::Array => Key::Index(top.index),
            FrameKind::Opened => return Ok(Some(top.state)),
            FrameKind::Document if self.rewriter.sequence => Key::Index(top.index),
            FrameKind::Document => {
                let hold = self.plan.holds_document() && node.is_none();
                return Ok((!hold).then_some(START));
            }
        };
        let facts = self.facts(self.rewriter.top.state)?;
        let array = self.rewriter.top.kind == FrameKind::Array;
        if !(facts.filters_children() || facts.needs_length() && array) {
            return self.step(key).map(Some);
        }
        match node {
            Some(node) => self.step_tested(key, node).map(Some),
            None => Ok(None),
        }
    }

    /// Takes the rules that have matched off the list of those that must.
    pub(super) fn found_required(&mut self, state: StateId) -> Result<(), Halt> {
        let (automaton, rewriter) = (self.plan.automaton(), &mut *self.rewriter);
        let set = rewriter
            .beyond
            .lazy
            .set(automaton, state)
            .ok_or_else(spent)?;
        let places = automaton.places();
        rewriter.missing.retain(|rule| {
            !set.iter()
                .any(|place| places.is_end(*place) && places.rule(*place) == Some(*rule))
        });
        Ok(())
    }

    /// Follows a value that is dropped, as long as something required may be in it.
    fn follow_hidden(&mut self, value: Begun) -> Result<Inside, Halt> {
        match value.container() {
            Some(kind) if self.must_look_inside(value) => {
                self.enter(value, kind, Cover::None);
                Ok(Inside::Follow)
            }
            None if value.kind == JsonKind::String && self.must_look_inside(value) => {
                self.capture_hidden(value)?;
                Ok(Inside::Skip)
            }
            _ => Ok(Inside::Skip),
        }
    }

    fn must_look_inside(&self, value: Begun) -> bool {
        value.facts.is_live_for_required() && self.rewriter.misses_something()
    }

    /// Pushes the frame of a container.
    pub(super) fn enter(&mut self, value: Begun, kind: FrameKind, cover: Cover) -> &mut Frame {
        let mut frame = Frame::new(kind, value.state, cover);
        frame.embeds = self.embeds_in(&value);
        if value.facts.needs_length() {
            frame.length = self.length(kind, value.node);
        }
        frame.next = value.node.map_or(0, Held::first_inside);
        let parent = std::mem::replace(&mut self.rewriter.top, frame);
        self.rewriter.parents.push(parent);
        &mut self.rewriter.top
    }

    /// A value with a label.
    fn labelled(&mut self, value: Begun) -> Result<Inside, Halt> {
        let plan = self.plan;
        let document = self.is_document(&value);
        let rewriter = &mut *self.rewriter;
        let verdicts = (plan.verdicts(), &rewriter.beyond.verdicts);
        let verdict = verdict(verdicts, value.facts.verdict).ok_or_else(spent)?;
        let searched = match (&verdict.action, rewriter.top.cover) {
            _ if verdict.detectors.is_some() => Some(value.facts.verdict),
            (Action::Show, Cover::Searched(around)) => Some(around),
            _ => None,
        };
        if rewriter.collected.is_some() {
            return self.labelled_to_collect(value);
        }
        if let Some(by) = searched {
            return match document {
                true => self.capture(value),
                false => self.search(value, by),
            };
        }
        for label in &verdict.withheld {
            if let Some(count) = rewriter.withheld.get_mut(usize::from(*label)) {
                *count = count.saturating_add(1);
            }
        }
        match &verdict.action {
            Action::Show if document => self.capture(value),
            Action::Show => self.keep(value, Cover::Shown, Opens::Around),
            Action::Remove => self.remove(value),
            action if needs_value(action, value.kind) => self.capture(value),
            Action::Detect
            | Action::Mask(_)
            | Action::Generalize(_)
            | Action::Pseudonym(_)
            | Action::Redact { .. } => self.substitute(value),
        }
    }

    /// The same, while a record is read only to learn what it hides: what a label hides is captured.
    fn labelled_to_collect(&mut self, value: Begun) -> Result<Inside, Halt> {
        let verdicts = (self.plan.verdicts(), &self.rewriter.beyond.verdicts);
        let verdict = verdict(verdicts, value.facts.verdict).ok_or_else(spent)?;
        let seen = matches!(verdict.action, Action::Show | Action::Detect);
        match seen && !self.is_document(&value) {
            true => self.keep(value, Cover::Shown, Opens::Around),
            false => self.capture(value),
        }
    }

    /// The member or element stays, and what is around it.
    pub(super) fn settle_around(&mut self, at: usize) -> Result<(), Halt> {
        self.settle_member(at, Opens::Around)
    }

    /// A value nobody labelled, where that matters.
    fn unlabelled(&mut self, value: Begun) -> Result<Inside, Halt> {
        let remove = match self.plan.settings().unlabelled {
            Unlabelled::Show => return self.keep(value, Cover::None, Opens::Nothing),
            Unlabelled::Deny => {
                return match value.container() {
                    None => Err(Box::new(BodyError::Unlabelled)),
                    Some(kind) => {
                        self.settle_member(value.at, Opens::Nothing)?;
                        self.enter(value, kind, Cover::None);
                        Ok(Inside::Follow)
                    }
                };
            }
            Unlabelled::Remove => true,
            Unlabelled::Redact => false,
        };
        match value.container() {
            Some(kind) if value.facts.is_live() => self.enter_lazily(value, kind, remove),
            _ if remove => self.remove(value),
            _ => self.substitute(value),
        }
    }

    /// Follows a container that leaves only as far as something in it is to be seen.
    fn enter_lazily(
        &mut self,
        value: Begun,
        kind: FrameKind,
        remove: bool,
    ) -> Result<Inside, Halt> {
        let cut_from = if remove {
            self.rewriter.top.member_from
        } else {
            self.settle_member(value.at, Opens::Nothing)?;
            self.tape.here(value.at + 1)
        };
        self.enter(value, kind, Cover::None).cut_from = cut_from;
        let level = self.rewriter.parents.len();
        self.rewriter.lazy.get_or_insert(level);
        Ok(Inside::Follow)
    }

    /// The value leaves as it is; inside a container, labels may say otherwise.
    #[inline]
    fn keep(&mut self, value: Begun, cover: Cover, opens: Opens) -> Result<Inside, Halt> {
        self.settle_member(value.at, opens)?;
        match value.container() {
            Some(kind) if value.facts.is_live() || self.opens_inside(&value) => {
                self.enter(value, kind, cover);
                Ok(Inside::Follow)
            }
            _ => Ok(Inside::Skip),
        }
    }

    /// The member or element disappears.
    fn remove(&mut self, value: Begun) -> Result<Inside, Halt> {
        self.check_held(value.at)?;
        let from = self.rewriter.top.member_from;
        self.tape.cut(from, value.at)?;
        self.hide(value, from)
    }

    /// Something that does not depend on the value takes its place: what its label's action says, or
    /// the constant of its type.
    fn substitute(&mut self, value: Begun) -> Result<Inside, Halt> {
        const CONSTANT: Action = Action::Redact { with: None };
        let labelled = value.facts.verdict != 0;
        let opens = if labelled {
            Opens::Around
        } else {
            Opens::Nothing
        };
        self.settle_member(value.at, opens)?;
        let verdicts = (self.plan.verdicts(), &self.rewriter.beyond.verdicts);
        let verdict = verdict(verdicts, value.facts.verdict);
        let action = verdict.map_or(&CONSTANT, |verdict| &verdict.action);
        self.tape.insert(value.at, |out| {
            replace(action, value.kind, &[], None, out);
        })?;
        let from = self.tape.here(value.at);
        self.hide(value, from)
    }

    /// The value is read before it is replaced.
    fn capture(&mut self, value: Begun) -> Result<Inside, Halt> {
        self.settle_member(value.at, Opens::Around)?;
        self.rewriter.captured = Some(self.captured(value));
        Ok(Inside::Skip)
    }

    /// Drops the value's bytes; the output goes on at `from`.
    fn hide(&mut self, value: Begun, from: u64) -> Result<Inside, Halt> {
        let level = self.rewriter.parents.len();
        self.rewriter.hidden = Some(Hidden { from, level });
        self.follow_hidden(value)
    }

    /// The member or element stays, whatever becomes of its value.
    #[inline]
    fn settle_member(&mut self, at: usize, opens: Opens) -> Result<(), Halt> {
        self.check_held(at)?;
        let rewriter = &mut *self.rewriter;
        rewriter.top.kept_any = true;
        rewriter.top.pending = false;
        if opens == Opens::Around
            && let Some(lazy) = rewriter.lazy.take()
        {
            for frame in rewriter.parents.iter_mut().skip(lazy.saturating_sub(1)) {
                frame.kept_any = true;
                frame.pending = false;
            }
        }
        Ok(())
    }
}
