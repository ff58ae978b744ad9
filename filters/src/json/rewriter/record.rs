//! Records: what one of them hides is searched for in its free text.
//!
//! A record is held like an element that a filter tests. Before it is rewritten it is read once by a
//! rewriter of its own that keeps what labels hide and whose output nobody gets.

use std::sync::Arc;

use super::decide::Begun;
use super::frame::Frame;
use super::{FrameKind, Halt, Pass, Rewriter, Tape, spent};
use crate::detect::Names;
use crate::json::held::{Held, NodeId};
use crate::json::plan::RecordsOf;
use crate::json::scanner::{Scanner, limit};
use crate::value_action::JsonKind;

/// The record that is being rewritten.
#[derive(Clone)]
pub(super) struct Record {
    /// How many frames are around it.
    level: usize,
    /// What it hides; none when that is nothing.
    pub(super) names: Option<Arc<Names>>,
}

impl Pass<'_> {
    /// Whether a value is a record whose hidden values must be known first.
    pub(super) fn begins_record(&self, value: &Begun) -> bool {
        let rewriter = &*self.rewriter;
        let open =
            rewriter.record.is_none() && rewriter.collected.is_none() && rewriter.hidden.is_none();
        open && match self.plan.records_of() {
            RecordsOf::Nothing => false,
            RecordsOf::Documents => rewriter.top.kind == FrameKind::Document,
            RecordsOf::Selectors => value.facts.is_record(),
        }
    }

    /// Learns what the record at `node` hides.
    pub(super) fn learn(&mut self, value: &Begun, node: NodeId) -> Result<(), Halt> {
        let question = self.question.ok_or_else(spent)?;
        let text = question.held().text(node);
        let mut reader = Rewriter {
            top: Frame {
                cover: self.rewriter.top.cover,
                embeds: self.rewriter.top.embeds,
                next: node,
                ..Frame::opened(value.state)
            },
            missing: Vec::new(),
            beyond: self.rewriter.beyond.clone(),
            collected: Some(Vec::new()),
            opened: self.rewriter.opened,
            ..Rewriter::new(self.plan)
        };
        let mut unread = Vec::new();
        let mut pass = Pass {
            plan: self.plan,
            rewriter: &mut reader,
            tape: Tape::new(text, &mut unread, 0, 0),
            question: self.question,
        };
        let mut scanner = Scanner::new(usize::MAX);
        scanner.push(text, &mut pass)?;
        scanner.finish(text.len(), &mut pass)?;
        pass.settle(text.len())?;
        let collected = reader.collected.unwrap_or_default();
        let names = Names::of(collected.iter().map(String::as_str));
        let names = names.map_err(|_too_many| limit("held_bytes"))?;
        self.rewriter.record = Some(Record {
            level: self.rewriter.parents.len(),
            names: names.map(Arc::new),
        });
        self.rewriter.watches = true;
        Ok(())
    }

    /// A value has ended: the record too, when it is the value.
    pub(super) fn record_ends(&mut self) {
        let level = self.rewriter.parents.len();
        if self
            .rewriter
            .record
            .as_ref()
            .is_some_and(|record| record.level == level)
        {
            self.rewriter.record = None;
        }
    }

    /// Keeps the strings of a hidden value.
    pub(super) fn collect(&mut self, from: u64, at: usize) -> Result<(), Halt> {
        let raw = self.tape.take(from, at)?;
        let held = Held::read(&raw)?;
        let strings = held
            .all()
            .filter(|node| held.kind(*node) == JsonKind::String);
        let texts = strings.map(|node| held.string(node).into_owned());
        if let Some(collected) = &mut self.rewriter.collected {
            collected.extend(texts);
        }
        Ok(())
    }
}
