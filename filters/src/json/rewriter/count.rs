//! What is counted of a document: where records begin and end, and whom they name.
//!
//! Guarantees: a value is counted once, when it is decided, and not when it is held for its tests; a
//! record that may not stay is removed, and nothing in it is counted.

use super::decide::Begun;
use super::opened::{Place, ambiguous, rewrite};
use super::{Halt, JsonKind, Pass, Rewriter, Tally};
use crate::body_filter::BodyError;
use crate::export_meter::{TEXT_BYTES_MAX, Who};
use crate::json::plan::JsonPlan;

/// The longest spelling of a text that names a data subject: quotes, and six bytes for each of its own.
const SPELLING_MAX: usize = 6 * TEXT_BYTES_MAX + 2;

/// A string or a number that names a data subject and has not ended.
#[derive(Clone)]
pub(super) struct Named {
    kind: JsonKind,
    /// Where it begins in the present chunk, or goes on.
    from: usize,
    /// What earlier chunks held of it.
    before: Vec<u8>,
    /// Up to where of the text it may go and still be recognised.
    until: u64,
}

impl Pass<'_> {
    /// Takes note of a value that is required or counted. Says whether it may stay.
    #[cold]
    pub(super) fn note(&mut self, value: &Begun) -> Result<bool, Halt> {
        if value.facts.is_required() {
            self.found_required(value.state)?;
        }
        let at = self.tape.here(value.at);
        let rewriter = &mut *self.rewriter;
        let hidden = rewriter.hidden.is_some();
        let Some(tally) = rewriter.tally.as_deref_mut().filter(|_| !hidden) else {
            return Ok(true);
        };
        let level = rewriter.parents.len();
        if value.facts.is_counted_record() {
            if !tally.begin_record(level, at) {
                return Ok(false);
            }
            rewriter.watches |= tally.is_open();
        }
        if !value.facts.is_counted_subject() {
            return Ok(true);
        }
        match value.kind {
            JsonKind::String | JsonKind::Number => {
                rewriter.named = Some(Named {
                    kind: value.kind,
                    from: value.at,
                    before: Vec::new(),
                    until: at.saturating_add(SPELLING_MAX as u64),
                });
                rewriter.watches = true;
            }
            JsonKind::Null => {}
            JsonKind::Bool | JsonKind::Array | JsonKind::Object => {
                tally.name(Who::Nameless, at)?;
            }
        }
        Ok(true)
    }

    /// A value ends before `at`, and some value's end had to be told.
    #[cold]
    pub(super) fn watched_ends(&mut self, at: usize) -> Result<(), Halt> {
        self.record_ends();
        let here = self.tape.here(at);
        let rewriter = &mut *self.rewriter;
        rewriter.watches = rewriter.record.is_some();
        let Some(tally) = rewriter.tally.as_deref_mut() else {
            return Ok(());
        };
        if let Some(mut named) = rewriter.named.take() {
            let piece = self.tape.text(named.from, at)?;
            let text = match named.before.is_empty() {
                true => piece,
                false => {
                    named.before.extend_from_slice(piece);
                    &named.before
                }
            };
            let who = match here > named.until {
                true => Some(Who::Nameless),
                false => tally.key().of_json(named.kind, text),
            };
            if let Some(who) = who {
                tally.name(who, here.min(named.until))?;
            }
        }
        tally.end_records(rewriter.parents.len(), here)?;
        rewriter.watches |= tally.is_open();
        Ok(())
    }

    /// The chunk has been read up to `at`.
    #[cold]
    pub(super) fn count_to(&mut self, at: usize) -> Result<(), Halt> {
        let here = self.tape.here(at);
        let rewriter = &mut *self.rewriter;
        let Some(tally) = rewriter.tally.as_deref_mut() else {
            return Ok(());
        };
        if let Some(mut named) = rewriter.named.take() {
            let piece = self.tape.text(named.from, at)?;
            if here > named.until {
                tally.name(Who::Nameless, named.until)?;
            } else {
                named.before.extend_from_slice(piece);
                named.from = 0;
                rewriter.named = Some(named);
            }
        }
        tally.reach(here)?;
        Ok(())
    }

    /// The chunk has been read up to `at`, and nobody wants the output: what is decided of it is dropped,
    /// and ends where this says.
    pub(in crate::json) fn settle_unread(&mut self, at: usize) -> Result<u64, Halt> {
        self.count_to(at)?;
        self.check_held(at)?;
        let end = self.tape.here(at);
        let decided = self.rewriter.undecided().unwrap_or(end);
        self.tape.forget(decided);
        self.tape.flush(at)?;
        Ok(decided)
    }

    /// Counts what is in a string that holds a document. What cannot be read has nothing in it that
    /// counts: whoever sees it gets to see an error instead, and to all others it is hidden.
    pub(super) fn open_to_count(
        &mut self,
        (from, place): (u64, Option<Place>),
        at: usize,
    ) -> Result<(), Halt> {
        let Some(place) = place else {
            return Ok(());
        };
        if self.plan.holds_document() {
            return Err(ambiguous(
                "a filter that asks for `$`, beside a document in a string",
            ));
        }
        // What is in the string is met when all of it has been read, and the string may name somebody too.
        let named = self.rewriter.named.take();
        self.count_to(at)?;
        let (plan, rewriter) = (self.plan, &mut *self.rewriter);
        let mut done = Ok(());
        self.tape.replace(from, at, |raw, out| {
            done = attempt(plan, rewriter, place, raw, out);
        })?;
        self.rewriter.watches |= named.is_some();
        self.rewriter.named = named;
        done
    }
}

/// Appends what becomes of a string to `out`: the string itself when it holds no document.
fn attempt(
    plan: &JsonPlan,
    rewriter: &mut Rewriter,
    place: Place,
    raw: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    let before = rewriter.standing();
    let Err(error) = rewrite(plan, rewriter, place, raw, out) else {
        return Ok(());
    };
    if *error == BodyError::Spent {
        return Err(error);
    }
    let level = before.levels.saturating_add(1);
    rewriter.go_back_to(before);
    rewriter.named = None;
    rewriter.hidden = None;
    // Records that have begun in the string end with it.
    if let Some(tally) = rewriter.tally.as_deref_mut() {
        tally.end_records(level, 0)?;
    }
    out.extend_from_slice(raw);
    Ok(())
}

impl Rewriter {
    /// Begins to count.
    pub(in crate::json) fn count(mut self, tally: Tally) -> Self {
        self.tally = Some(Box::new(tally));
        self
    }

    pub(in crate::json) fn tally(&mut self) -> Option<&mut Tally> {
        self.tally.as_deref_mut()
    }

    /// Whether something has been read of which it is not known yet whether, or as whom, it counts.
    pub(in crate::json) fn is_in_doubt(&self) -> bool {
        self.holding.is_some() || self.captured.is_some() || self.named.is_some()
    }
}
