//! Follows a document through the automaton and rewrites it on the way.
//!
//! Guarantees: what is not selected passes byte for byte; nothing is released before it is decided;
//! what is held back is bounded by `held_bytes_max`, checked so that the answer does not depend on how
//! the text was split. A separator goes with the value it separates:
//!
//! ```text
//! something kept before:   [ a , b , c ]   without b   [ a  , c ]    from the comma before it
//! nothing kept before:     [ a , b , c ]   without a   [  b , c ]    up to the comma after it
//! ```
//!
//! It does not check grammar: the scanner does, before it reports anything here.

mod beyond;
mod characters;
mod count;
mod decide;
mod embeds;
mod events;
mod frame;
mod hold;
mod name;
mod opened;
mod quick;
mod record;
mod search;
mod standing;
mod tape;

use postern_config::Action;

use super::automaton::{Key, NameId, StateId};
use super::held::Question;
use super::plan::{Facts, JsonPlan};
use super::scanner::{Halt, Inside, Interest, Sink, Terms, limit};
use crate::body_filter::BodyError;
use crate::export_meter::Tally;
use crate::value_action::{JsonKind, replace};

#[cfg(test)]
pub(super) use opened::OPENED_MAX;
pub(super) use tape::Tape;

use beyond::{Beyond, verdict};
use count::Named;
use frame::{Frame, FrameKind};
use record::Record;
use search::{Renamed, Searched};

/// The state of one document between two chunks.
#[derive(Clone)]
pub(super) struct Rewriter {
    /// The containers around `top` that are being followed; the first stands for the document.
    parents: Vec<Frame>,
    top: Frame,
    /// The documents are the elements of one array, which has no text of its own.
    sequence: bool,
    /// The name that was read last.
    name: NameId,
    /// The verdict on the value of the member that was met last, where it is to be replaced.
    met: u32,
    /// The outermost container that is not yet known to leave, by how many frames are around it.
    lazy: Option<usize>,
    hidden: Option<Hidden>,
    captured: Option<Captured>,
    /// Where the value that is being held for its tests begins.
    holding: Option<u64>,
    beyond: Beyond,
    /// The required rules that have matched nothing yet.
    missing: Vec<usize>,
    withheld: Vec<u64>,
    scratch: Vec<u8>,
    /// How many strings are open as documents, one inside the other.
    opened: usize,
    /// The string that is being searched, and a window to search the next one with.
    searched: Option<Box<Searched>>,
    spare: Option<Box<Searched>>,
    /// Where the name of the present member begins, in an object that is searched.
    name_from: u64,
    /// The verdict by which the string that is about to be opened is searched.
    opening: Option<u32>,
    renamed: Option<Renamed>,
    record: Option<Record>,
    /// What is hidden, while a record is read only to learn that.
    collected: Option<Vec<String>>,
    /// What is counted, and the text of a data subject that is being read.
    tally: Option<Box<Tally>>,
    named: Option<Named>,
    /// Some value's end has to be told: that of a record, or of what names a data subject.
    watches: bool,
}

/// A value whose bytes are dropped.
#[derive(Debug, Clone, Copy)]
struct Hidden {
    /// Where the output goes on after it.
    from: u64,
    /// How many frames are around it.
    level: usize,
}

/// A value that is replaced when it has been read.
#[derive(Debug, Clone, Copy)]
struct Captured {
    from: u64,
    verdict: u32,
    /// The verdict that says how it holds a document; 0 when it is not a string that holds one.
    document: u32,
    kind: JsonKind,
    state: StateId,
}

/// One chunk on its way through the rewriter.
pub(super) struct Pass<'p> {
    pub(super) plan: &'p JsonPlan,
    pub(super) rewriter: &'p mut Rewriter,
    pub(super) tape: Tape<'p>,
    /// The value that answers tests, while a held one is being rewritten.
    pub(super) question: Option<&'p Question<'p>>,
}

impl Rewriter {
    /// A rewriter before the first byte of a document.
    pub(super) fn new(plan: &JsonPlan) -> Self {
        Self {
            parents: Vec::new(),
            top: Frame::document(),
            sequence: false,
            name: 0,
            met: 0,
            lazy: None,
            hidden: None,
            captured: None,
            holding: None,
            beyond: Beyond::default(),
            missing: plan.required().collect(),
            withheld: vec![0; plan.settings().actions.len()],
            scratch: Vec::new(),
            opened: 0,
            searched: None,
            spare: None,
            name_from: 0,
            opening: None,
            renamed: None,
            record: None,
            collected: None,
            tally: None,
            named: None,
            watches: false,
        }
    }

    /// The same, before the first of a sequence of documents: each is an element of the array that
    /// selectors call `$`.
    pub(super) fn of_sequence(plan: &JsonPlan) -> Self {
        Self {
            sequence: true,
            ..Self::new(plan)
        }
    }

    /// Goes on with the next document of the sequence, at this position of the output. Says whether
    /// anything was kept of the last one.
    pub(super) fn next_document(&mut self, at: u64) -> bool {
        let kept = self.top.kept_any;
        self.parents.clear();
        self.top = Frame {
            index: self.top.index,
            member_from: at,
            cut_from: at,
            ..Frame::document()
        };
        self.lazy = None;
        self.hidden = None;
        self.captured = None;
        self.holding = None;
        self.searched = None;
        self.renamed = None;
        self.record = None;
        self.named = None;
        self.watches = false;
        kept
    }

    /// Whether the documents are elements of one array.
    pub(super) fn is_sequence(&self) -> bool {
        self.sequence
    }

    /// How many values were withheld, by label.
    pub(super) fn withheld(&self) -> &[u64] {
        &self.withheld
    }

    /// Whether a required rule has matched nothing.
    pub(super) fn misses_something(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Whether what is read and hidden can be dropped: nothing in it has to be read again.
    fn drops(&self) -> bool {
        self.holding.is_none() && self.captured.is_none()
    }

    /// From where on the output is not decided; none when all of it is.
    fn undecided(&self) -> Option<u64> {
        if let Some(lazy) = self.lazy {
            let frame = self.parents.get(lazy).unwrap_or(&self.top);
            return Some(frame.cut_from);
        }
        if let Some(captured) = self.captured {
            return Some(captured.from);
        }
        match self.hidden {
            Some(hidden) => self.holding.map(|_| hidden.from),
            None => self.top.pending.then_some(self.top.member_from),
        }
    }
}

impl Pass<'_> {
    /// The chunk has been read up to `at`: what is decided of the output ends where this says.
    pub(super) fn settle(&mut self, at: usize) -> Result<u64, Halt> {
        if self.rewriter.tally.is_some() {
            self.count_to(at)?;
        }
        match self.rewriter.hidden {
            Some(hidden) if self.rewriter.drops() => self.tape.cut(hidden.from, at)?,
            _ if self.rewriter.searched.is_some() => self.feed(at)?,
            _ => self.tape.flush(at)?,
        }
        self.check_held(at)?;
        let end = self.tape.here(at);
        Ok(self.rewriter.undecided().unwrap_or(end))
    }

    /// Refuses the document when more is held back than may be.
    #[inline]
    fn check_held(&self, at: usize) -> Result<(), Halt> {
        let Some(from) = self.rewriter.undecided() else {
            return Ok(());
        };
        let held = self.tape.here(at).saturating_sub(from);
        if held > self.plan.settings().held_bytes_max as u64 {
            return Err(limit("held_bytes"));
        }
        Ok(())
    }

    /// What a state is for these roles.
    #[inline]
    fn facts(&mut self, state: StateId) -> Result<Facts, Halt> {
        match self.plan.entry(state) {
            Some(entry) => Ok(entry.facts),
            None => Ok(self.entry_beyond(state)?.facts),
        }
    }

    /// The state of a child under `key`, when no test is to be asked.
    #[inline]
    fn step(&mut self, key: Key) -> Result<StateId, Halt> {
        let automaton = self.plan.automaton();
        match automaton.table().next(self.rewriter.top.state, key) {
            Some(next) => Ok(next),
            None => self.step_beyond(key, &[]),
        }
    }
}

impl Pass<'_> {
    /// A name, or an element, begins: from here on it may have to be cut, if not from the comma on.
    #[inline]
    fn begin_member(&mut self, at: usize) {
        let top = &mut self.rewriter.top;
        if !top.pending && self.rewriter.hidden.is_none() {
            top.member_from = self.tape.here(at);
            top.pending = true;
        }
    }

    /// Puts the replacement of a captured value in its place.
    fn replace_captured(&mut self, at: usize) -> Result<(), Halt> {
        self.check_held(at)?;
        let rewriter = &mut *self.rewriter;
        let Some(captured) = rewriter.captured.take() else {
            return Ok(());
        };
        let verdicts = (self.plan.verdicts(), &rewriter.beyond.verdicts);
        let verdict = verdict(verdicts, captured.verdict).ok_or_else(spent)?;
        if verdict.detectors.is_some() && captured.kind == JsonKind::Number {
            return self.search_number(captured, at);
        }
        let hides = verdict.action != Action::Show && verdict.detectors.is_none();
        if hides && rewriter.collected.is_some() {
            return self.collect(captured.from, at);
        }
        if captured.document != 0 {
            // INVARIANT: states and verdicts may have other numbers once a document has been read.
            let how = self::verdict(verdicts, captured.document).ok_or_else(spent)?;
            let (verdict, how) = (verdict.clone(), how.embedded.clone());
            return self.replace_document(captured, (&verdict, &how), at);
        }
        let pseudonyms = self.plan.settings().pseudonyms.as_deref();
        self.tape.replace(captured.from, at, |raw, out| {
            replace(&verdict.action, captured.kind, raw, pseudonyms, out);
        })
    }
}

/// An invariant does not hold: refuse rather than guess.
#[cold]
fn spent() -> Halt {
    Box::new(BodyError::Spent)
}
