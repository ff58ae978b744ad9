//! The streaming JSON engine: validates a whole document (RFC 8259) and rewrites what a route's
//! selectors (RFC 9535) label, while it passes.
//!
//! ```text
//! bytes ──▶ scanner ──▶ rewriter ──▶ bytes
//!                         │  ▲
//!              automaton ─┘  └─ held value, only where a filter or an index from the end asks
//! ```
//!
//! Guarantees: the output does not depend on how the input was split; what is not selected leaves byte
//! for byte; every member of a repeated name is treated alike; nothing leaves before it is decided;
//! memory is bounded by `held_bytes_max` and the depth; nothing recurses over the document. The first
//! error ends everything, and the call that meets it releases nothing.
//!
//! Lone surrogates in escapes are refused everywhere, in names and in values: what two readers may
//! read differently does not pass. It decodes no content coding and reads no other format.

mod automaton;
mod columns;
mod counter;
mod engine;
mod glance;
mod held;
mod lookahead;
mod plan;
mod rewriter;
mod scanner;
mod sight;

use std::fmt;
use std::sync::Arc;

use crate::body_filter::{BodyError, BodyFilter};
use crate::export_meter::{Due, SubjectKey, Tally, TallyRules};

pub use automaton::{Automaton, JsonRules, LabelId, PLACES_MAX, STATES_MAX, TooLarge};
pub(crate) use columns::ColumnPath;
pub use engine::Engine;
pub use lookahead::{Lookahead, lookahead};
pub use plan::{JsonPlan, JsonSettings};

pub(crate) use held::{Held, NodeId};
pub(crate) use scanner::is_space;
pub(crate) use sight::{Holds, Look, Sight, SightPlans, Spot};

use counter::Counter;
use rewriter::{Pass, Rewriter, Tape};
use scanner::{Halt, Scanner, Sink};

/// One JSON document on its way through a plan.
#[derive(Clone)]
pub struct JsonFilter {
    plan: Arc<JsonPlan>,
    scanner: Scanner,
    rewriter: Rewriter,
    /// Output that is not decided.
    undecided: Vec<u8>,
    /// How much output has been decided.
    decided: u64,
    state: FilterState,
    /// What counts the document, where another plan does.
    counter: Option<Box<Counter>>,
}

/// What the scanner is to do with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Read it.
    Read,
    /// Take the document for ended.
    End,
}

/// How far a filter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FilterState {
    Reading,
    Finished,
    Failed,
}

impl JsonFilter {
    /// A filter before the first byte of a document.
    #[must_use]
    pub fn new(plan: Arc<JsonPlan>) -> Self {
        Self::with_engine(plan, Engine::best())
    }

    /// The same with a scanner of the caller's choice, for tests and benchmarks.
    #[must_use]
    pub fn with_engine(plan: Arc<JsonPlan>, engine: Engine) -> Self {
        Self {
            scanner: Scanner::with_engine(plan.settings().depth_max, engine),
            rewriter: Rewriter::new(&plan),
            undecided: Vec::new(),
            decided: 0,
            state: FilterState::Reading,
            counter: None,
            plan,
        }
    }

    /// Counts what is read as well, by a plan that counts. The filter may be one of a sequence and must
    /// not have read anything.
    pub(crate) fn counted(self, plan: Arc<JsonPlan>, tally: Tally) -> Self {
        let rewriter = match self.rewriter.is_sequence() {
            true => Rewriter::of_sequence(&plan),
            false => Rewriter::new(&plan),
        };
        let counter = Counter::new(plan, rewriter, tally);
        Self {
            counter: Some(Box::new(counter)),
            ..self
        }
    }

    /// The same with an account of its own, for benchmarks: the plan is one of [`JsonPlan::counting`].
    #[must_use]
    pub fn counted_with(self, plan: Arc<JsonPlan>, key: SubjectKey) -> Self {
        let tally = Tally::new(TallyRules {
            key,
            subjects: true,
            whole: false,
            truncates: false,
            held_bytes_max: plan.settings().held_bytes_max,
        });
        self.counted(plan, tally)
    }

    /// Counts what is read by the filter's own plan, which is one that counts, and removes records that
    /// may not stay. The filter must not have read anything.
    pub(crate) fn counting(mut self, tally: Tally) -> Self {
        self.rewriter = self.rewriter.count(tally);
        self
    }

    /// What is counted; none when nothing is.
    pub(crate) fn tally(&mut self) -> Option<&mut Tally> {
        match &mut self.counter {
            Some(counter) => counter.rewriter.tally(),
            None => self.rewriter.tally(),
        }
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        let in_doubt = match &self.counter {
            Some(counter) => counter.rewriter.is_in_doubt(),
            None => self.rewriter.is_in_doubt(),
        };
        if let Some(tally) = self.tally() {
            tally.drain_into(due);
            due.incomplete |= in_doubt;
        }
    }

    /// A filter before the first of a sequence of documents, each an element of the array that
    /// selectors call `$`. The first begins at the body's byte `offset`. Every document is ended by
    /// [`Self::end_document`], and what comes between two of them never gets here.
    ///
    /// INVARIANT: no selector depends on the array's length or asks a filter about `$`; a policy with
    /// such a selector does not load.
    pub(crate) fn of_sequence(plan: Arc<JsonPlan>, offset: u64) -> Self {
        let rewriter = Rewriter::of_sequence(&plan);
        let mut filter = Self {
            rewriter,
            ..Self::new(plan)
        };
        filter.scanner.restart(offset);
        filter
    }

    /// One document of a sequence has ended; the next one begins `skipped` bytes later. Says whether
    /// anything was kept of it.
    ///
    /// # Errors
    /// It is not complete.
    pub(crate) fn end_document(
        &mut self,
        skipped: u64,
        out: &mut Vec<u8>,
    ) -> Result<bool, BodyError> {
        self.guarded(&[], out, Step::End)?;
        self.scanner.restart(skipped);
        if let Some(counter) = &mut self.counter {
            counter.next_document();
        }
        Ok(self.rewriter.next_document(self.decided))
    }

    /// The body has ended after a whole document, or, where it is a sequence, without any.
    ///
    /// # Errors
    /// Something required was not in it.
    pub(crate) fn end_body(&mut self) -> Result<(), BodyError> {
        if self.state != FilterState::Reading {
            return Err(BodyError::Spent);
        }
        if self.rewriter.misses_something() {
            self.state = FilterState::Failed;
            return Err(BodyError::RequiredMissing);
        }
        self.state = FilterState::Finished;
        Ok(())
    }

    /// How many values were withheld so far (any action but `show`), by [`LabelId`]. A value with
    /// several such labels counts for each; what is inside a withheld value does not count again.
    #[must_use]
    pub fn withheld(&self) -> &[u64] {
        self.rewriter.withheld()
    }

    /// Runs `step` on the output: on `out` itself, or on what is undecided when that is longer than
    /// the chunk, so that a long hold is not copied for every chunk.
    fn run(&mut self, chunk: &[u8], out: &mut Vec<u8>, step: Step) -> Result<(), Halt> {
        let apart = self.undecided.len() > chunk.len();
        let start = if apart { 0 } else { out.len() };
        if !apart {
            out.append(&mut self.undecided);
        }
        let written = if apart {
            &mut self.undecided
        } else {
            &mut *out
        };
        let mut pass = Pass {
            plan: &self.plan,
            rewriter: &mut self.rewriter,
            tape: Tape::new(chunk, written, start, self.decided),
            question: None,
        };
        match &mut self.counter {
            None => step.take(&mut self.scanner, chunk, &mut pass)?,
            Some(counter) => {
                let scanner = &mut self.scanner;
                counter.listen(chunk, &mut pass, |both| step.take(scanner, chunk, both))?;
            }
        }
        let decided = pass.settle(chunk.len())?;
        let length = decided.checked_sub(self.decided);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let end = length.and_then(|length| start.checked_add(length));
        let Some(end) = end.filter(|end| *end <= written.len()) else {
            return Err(Box::new(BodyError::Spent));
        };
        if apart {
            out.extend(self.undecided.drain(..end));
        } else {
            let rest = out.get(end..).unwrap_or_default();
            self.undecided.extend_from_slice(rest);
            out.truncate(end);
        }
        self.decided = decided;
        Ok(())
    }

    fn guarded(&mut self, chunk: &[u8], out: &mut Vec<u8>, step: Step) -> Result<(), BodyError> {
        if self.state != FilterState::Reading {
            return Err(BodyError::Spent);
        }
        // A panic below leaves the filter failed.
        self.state = FilterState::Failed;
        let before = out.len();
        let done = self.run(chunk, out, step);
        match done {
            Ok(()) => self.state = FilterState::Reading,
            Err(_) => {
                out.truncate(before);
                self.undecided = Vec::new();
            }
        }
        done.map_err(|halt| *halt)
    }
}

impl Step {
    fn take<S: Sink>(self, scanner: &mut Scanner, chunk: &[u8], sink: &mut S) -> Result<(), Halt> {
        match self {
            Self::Read => scanner.push(chunk, sink),
            Self::End => scanner.finish(0, sink),
        }
    }
}

impl BodyFilter for JsonFilter {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        self.guarded(chunk, out, Step::Read)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let before = out.len();
        self.guarded(&[], out, Step::End)?;
        let ended = self.end_body();
        if ended.is_err() {
            out.truncate(before);
        }
        ended
    }
}

impl fmt::Debug for JsonFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonFilter")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
