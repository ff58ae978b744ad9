//! Holding a value back until its tests can be answered, and rewriting it then.
//!
//! The value's bytes wait in the undecided output. At its end they are taken out, read into a tree,
//! and go through the same rewriter again, which now gets answers. There is never a second hold
//! inside the first: the tree answers for everything in it.

use super::{FrameKind, Halt, Inside, Pass, spent};
use crate::json::automaton::{Key, StateId};
use crate::json::held::{Held, NodeId, Question};
use crate::json::scanner::Scanner;

impl Pass<'_> {
    /// Holds the value that begins at `at` back.
    pub(super) fn hold(&mut self, at: usize) -> Result<Inside, Halt> {
        if let Some(hidden) = self.rewriter.hidden {
            self.tape.cut(hidden.from, at)?;
        }
        self.rewriter.holding = Some(self.tape.here(at));
        Ok(Inside::Skip)
    }

    /// The held value ends before `at`: rewrites it.
    pub(super) fn replay(&mut self, at: usize) -> Result<(), Halt> {
        self.check_held(at)?;
        if self.rewriter.tally.is_some() {
            // What is in the value is met when all of it has been read.
            self.count_to(at)?;
        }
        let from = self.rewriter.holding.take().ok_or_else(spent)?;
        let text = self.tape.take(from, at)?;
        let held = Held::read(&text)?;
        let question = Question::new(&held, self.plan.automaton());
        self.rewriter.top.next = 0;
        let mut pass = Pass {
            plan: self.plan,
            rewriter: &mut *self.rewriter,
            tape: self.tape.nested(&text),
            question: Some(&question),
        };
        let mut scanner = Scanner::new(usize::MAX);
        scanner.push(&text, &mut pass)?;
        scanner.finish(text.len(), &mut pass)?;
        pass.settle(text.len())?;
        Ok(())
    }

    /// The next value's place in the held one, if there is one.
    pub(super) fn next_node(&mut self) -> Option<NodeId> {
        let held = self.question?.held();
        let top = &mut self.rewriter.top;
        let node = top.next;
        top.next = held.after(node);
        Some(node)
    }

    /// The state of a child for which tests are to be asked.
    #[cold]
    pub(super) fn step_tested(&mut self, key: Key, node: NodeId) -> Result<StateId, Halt> {
        let state = self.rewriter.top.state;
        let entry = match self.plan.entry(state) {
            Some(entry) => entry,
            None => self.entry_beyond(state)?,
        };
        let tests = entry.tests.clone();
        let question = self.question.ok_or_else(spent)?;
        let length = self.rewriter.top.length;
        let mut holding = Vec::new();
        for test in tests {
            if question.holds(test, node, key, length)? {
                holding.push(test);
            }
        }
        self.step_beyond(key, &holding)
    }

    /// How many elements the array at `node` has, where that is asked for.
    pub(super) fn length(&self, kind: FrameKind, node: Option<NodeId>) -> u64 {
        match (self.question, node, kind) {
            (Some(question), Some(node), FrameKind::Array) => question.held().count(node),
            _ => 0,
        }
    }
}
