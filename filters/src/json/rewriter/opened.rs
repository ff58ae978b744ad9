//! A shown string that holds a document: its text goes through the same rewriter, from the string's own
//! state on, and is written as a string again.
//!
//! ```text
//!   raw  "{\"ssn\":\"1\"}"  ──decode──▶  {"ssn":"1"}  ──rewrite──▶  {}  ──encode──▶  "{}"
//!                                            └─ the same: the raw text leaves as it came
//! ```
//!
//! Guarantees: a text that is not one whole JSON document refuses the body; a document in which nothing
//! changed leaves byte for byte, escapes included; depth counts on through strings, each of which is one
//! level; what a string grows to is bounded by `held_bytes_max`, as the string itself is. A string that
//! is empty has nothing in it and leaves as it is.
//!
//! A string that is not shown is read only where something required may be in it, and nothing of it
//! leaves. Filters outside of the string see a string. It recurses once for each string that is open, at most
//! [`OPENED_MAX`] times.

mod base64_text;

use std::borrow::Cow;

use postern_config::{Action, Embedded};

use super::frame::{Cover, Embeds, Frame, FrameKind};
use super::{Captured, Halt, Hidden, Pass, Rewriter, Tape, limit, spent};
use crate::body_filter::BodyError;
use crate::json::automaton::StateId;
use crate::json::held::characters;
use crate::json::plan::{JsonPlan, Verdict};
use crate::json::scanner::Scanner;
use crate::value_action::{encode, replace};

use base64_text::Base64Text;

/// How many strings may be open as documents, one inside the other.
pub(in crate::json) const OPENED_MAX: usize = 4;

/// How much of a string's document is read before its rewritten text is measured.
const PIECE_BYTES: usize = 4096;

/// What a document inside a string is called in errors.
const FORMAT: &str = "JSON in a string";

/// A string that holds a document.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The string's state, in which its document goes on.
    state: StateId,
    how: Embedded,
    /// The verdict that says so.
    by: u32,
}

impl Place {
    /// Of a captured string; none when it is said to hold a document in two ways.
    pub(super) fn of(captured: Captured, how: &[Embedded]) -> Option<Self> {
        let [how] = *how else {
            return None;
        };
        Some(Self {
            state: captured.state,
            how,
            by: captured.document,
        })
    }
}

impl Pass<'_> {
    /// The captured string, which may hold a document, ends before `at`: rewrites what is in it where it
    /// is shown, and else treats it as a string.
    pub(super) fn replace_document(
        &mut self,
        captured: Captured,
        (verdict, how): (&Verdict, &[Embedded]),
        at: usize,
    ) -> Result<(), Halt> {
        let hidden = self.rewriter.hidden.is_some();
        let place = Place::of(captured, how);
        if self.plan.counts() && !hidden {
            return self.open_to_count((captured.from, place), at);
        }
        if (verdict.action == Action::Show || verdict.detectors.is_some()) && !hidden {
            let searched = verdict.detectors.as_ref().map(|_| captured.verdict);
            self.rewriter.opening = searched;
            return self.open((captured.from, place), at);
        }
        if let Some(place) = place {
            self.look_inside((captured.from, place), at)?;
        }
        if hidden {
            return Ok(());
        }
        let pseudonyms = self.plan.settings().pseudonyms.as_deref();
        self.tape.replace(captured.from, at, |raw, out| {
            replace(&verdict.action, captured.kind, raw, pseudonyms, out);
        })
    }

    /// Rewrites what is in a shown string.
    fn open(&mut self, (from, place): (u64, Option<Place>), at: usize) -> Result<(), Halt> {
        let Some(place) = place else {
            return Err(ambiguous(
                "a string that is said to hold a document in two ways",
            ));
        };
        if self.plan.holds_document() {
            return Err(ambiguous(
                "a filter that asks for `$`, beside a document in a string",
            ));
        }
        let (plan, rewriter) = (self.plan, &mut *self.rewriter);
        let mut done = Ok(());
        self.tape.replace(from, at, |raw, out| {
            done = rewrite(plan, rewriter, place, raw, out);
        })?;
        done
    }

    /// Looks for what is required in a string that is hidden or replaced, if it can be read. Nothing of it
    /// leaves, so that it need not be.
    #[cold]
    fn look_inside(&mut self, (from, place): (u64, Place), at: usize) -> Result<(), Halt> {
        let facts = self.facts(place.state)?;
        let needed = facts.is_live_for_required() && self.rewriter.misses_something();
        if !needed || self.plan.holds_document() {
            return Ok(());
        }
        let (plan, rewriter) = (self.plan, &mut *self.rewriter);
        let stays = rewriter.hidden.is_none();
        let mut done = Ok(());
        self.tape.replace(from, at, |raw, out| {
            done = look(plan, rewriter, place, raw);
            if stays {
                out.extend_from_slice(raw);
            }
        })?;
        done
    }
}

/// Looks for what is required in a string. What cannot be read has nothing in it.
fn look(plan: &JsonPlan, rewriter: &mut Rewriter, place: Place, raw: &[u8]) -> Result<(), Halt> {
    let hidden = rewriter.hidden.replace(Hidden {
        from: 0,
        level: usize::MAX,
    });
    let before = rewriter.standing();
    let looked = rewrite(plan, rewriter, place, raw, &mut Vec::new());
    rewriter.hidden = hidden;
    let Err(error) = looked else {
        return Ok(());
    };
    if *error == BodyError::Spent {
        return Err(error);
    }
    rewriter.go_back_to(before);
    Ok(())
}

/// Appends what becomes of a string, given with its quotes, to `out`.
pub(super) fn rewrite(
    plan: &JsonPlan,
    rewriter: &mut Rewriter,
    place: Place,
    raw: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    let inner = raw
        .strip_prefix(b"\"")
        .and_then(|raw| raw.strip_suffix(b"\""));
    let text = characters(inner.ok_or_else(spent)?);
    let (document, written_as) = match place.how {
        _ if text.is_empty() => {
            out.extend_from_slice(raw);
            return Ok(());
        }
        Embedded::Json => (Cow::Borrowed(text.as_bytes()), None),
        Embedded::Base64 => {
            let (document, form) =
                Base64Text::decode(&text).ok_or_else(|| malformed("not base64", 0))?;
            (Cow::Owned(document), Some(form))
        }
    };
    let rewritten = inside(plan, rewriter, place, &document)?;
    if *rewritten == *document {
        out.extend_from_slice(raw);
        return Ok(());
    }
    match written_as {
        Some(form) => encode(&form.encode(&rewritten), out),
        None => encode(std::str::from_utf8(&rewritten).ok().ok_or_else(spent)?, out),
    }
    Ok(())
}

/// A document inside a string, rewritten.
fn inside(
    plan: &JsonPlan,
    rewriter: &mut Rewriter,
    place: Place,
    document: &[u8],
) -> Result<Vec<u8>, Halt> {
    if rewriter.opened >= OPENED_MAX {
        return Err(limit("embedded_depth"));
    }
    rewriter.opened += 1;
    let mut opened = Frame {
        embeds: Embeds::Root(place.by),
        ..Frame::opened(place.state)
    };
    if let Some(verdict) = rewriter.opening.take() {
        opened.cover = Cover::Searched(verdict);
    }
    let around = std::mem::replace(&mut rewriter.top, opened);
    rewriter.parents.push(around);
    let levels = rewriter.parents.len();
    let rewritten = read(plan, rewriter, document).map_err(in_a_string)?;
    if rewriter.top.kind != FrameKind::Opened || rewriter.parents.len() != levels {
        return Err(spent());
    }
    rewriter.top = rewriter.parents.pop().ok_or_else(spent)?;
    rewriter.opened -= 1;
    Ok(rewritten)
}

fn read(plan: &JsonPlan, rewriter: &mut Rewriter, document: &[u8]) -> Result<Vec<u8>, Halt> {
    let settings = plan.settings();
    let depth_max = settings.depth_max.saturating_sub(rewriter.parents.len());
    let mut scanner = Scanner::new(depth_max);
    let mut written = Vec::with_capacity(document.len());
    for piece in document.chunks(PIECE_BYTES) {
        let mut pass = Pass {
            plan,
            rewriter: &mut *rewriter,
            tape: Tape::new(piece, &mut written, 0, 0),
            question: None,
        };
        scanner.push(piece, &mut pass)?;
        pass.settle(piece.len())?;
        if written.len() > settings.held_bytes_max {
            return Err(limit("held_bytes"));
        }
    }
    let mut pass = Pass {
        plan,
        rewriter,
        tape: Tape::new(&[], &mut written, 0, 0),
        question: None,
    };
    scanner.finish(0, &mut pass)?;
    pass.settle(0)?;
    Ok(written)
}

/// The same error, said of the string.
#[cold]
fn in_a_string(mut error: Halt) -> Halt {
    if let BodyError::Malformed { format, .. } = error.as_mut() {
        *format = FORMAT;
    } else if *error == BodyError::Incomplete {
        *error = BodyError::Malformed {
            format: FORMAT,
            what: "it ends too early",
            offset: 0,
        };
    }
    error
}

/// What the string says is not a document; `offset` counts in the string's own document.
#[cold]
fn malformed(what: &'static str, offset: u64) -> Halt {
    Box::new(BodyError::Malformed {
        format: FORMAT,
        what,
        offset,
    })
}

#[cold]
pub(super) fn ambiguous(what: &'static str) -> Halt {
    Box::new(BodyError::Ambiguous { what })
}
