//! Values that are searched: strings as they stream, numbers by their lexeme, containers for what is in
//! them, names of members included.
//!
//! Guarantees: what is not found leaves byte for byte, escapes as they were written; a string may be of
//! any length and is never held; a number in which something is found becomes `null` or the constant.

use std::borrow::Cow;

use postern_config::Action;

use super::characters::{Characters, Taken};
use super::decide::Begun;
use super::frame::Cover;
use super::{Captured, Halt, Inside, Pass, Rewriter, spent, verdict};
use crate::detect::{Search, Spelling, Window, findings};
use crate::json::plan::JsonPlan;
use crate::value_action::{Decimal, JsonKind, replace};

/// A string that is being searched.
#[derive(Clone, Default)]
pub(super) struct Searched {
    verdict: u32,
    /// Some of it has gone into the window.
    fed: bool,
    characters: Characters,
    window: Window,
}

/// A member's name in which something was found.
#[derive(Clone)]
pub(super) struct Renamed {
    /// Where its first quote is in the output.
    from: u64,
    /// How many bytes it had between its quotes.
    length: usize,
    /// What it is now, between its quotes.
    name: Vec<u8>,
}

impl Pass<'_> {
    /// Searches a value, by a verdict on it or on what is around it.
    pub(super) fn search(&mut self, value: Begun, verdict: u32) -> Result<Inside, Halt> {
        self.settle_around(value.at)?;
        if self.rewriter.collected.is_some() {
            return match value.container() {
                Some(kind) => {
                    self.enter(value, kind, Cover::Searched(verdict));
                    Ok(Inside::Follow)
                }
                None => Ok(Inside::Skip),
            };
        }
        match value.kind {
            JsonKind::String => {
                // The quote leaves as it is.
                self.tape.flush(value.at.saturating_add(1))?;
                let mut searched = self.rewriter.spare.take().unwrap_or_default();
                (searched.verdict, searched.fed) = (verdict, false);
                self.rewriter.searched = Some(searched);
            }
            JsonKind::Number => {
                self.rewriter.captured = Some(Captured {
                    from: self.tape.here(value.at),
                    verdict,
                    document: 0,
                    kind: value.kind,
                    state: value.state,
                });
            }
            JsonKind::Bool | JsonKind::Null => {}
            JsonKind::Array | JsonKind::Object => {
                if let Some(kind) = value.container() {
                    self.enter(value, kind, Cover::Searched(verdict));
                    return Ok(Inside::Follow);
                }
            }
        }
        Ok(Inside::Skip)
    }

    /// The chunk has been read up to `at`, and a string that is being searched has not ended.
    pub(super) fn feed(&mut self, at: usize) -> Result<(), Halt> {
        let Some(mut searched) = self.rewriter.searched.take() else {
            return Ok(());
        };
        let search = search_by(self.plan, self.rewriter, searched.verdict)?;
        searched.fed = true;
        self.tape
            .feed(at, |piece, out| searched.read(search, piece, out))?;
        self.rewriter.searched = Some(searched);
        Ok(())
    }

    /// The string that is being searched ends before `at`.
    pub(super) fn search_ends(&mut self, at: usize) -> Result<(), Halt> {
        let Some(mut searched) = self.rewriter.searched.take() else {
            return Ok(());
        };
        let search = search_by(self.plan, self.rewriter, searched.verdict)?;
        let end = at.checked_sub(1).ok_or_else(spent)?;
        let mut found = 0;
        self.tape.feed(end, |piece, out| {
            if !searched.fed && !search.may_find(piece) {
                out.extend_from_slice(piece);
                return Ok(());
            }
            searched.read(search, piece, out)?;
            found = searched.window.finish(search, out);
            searched.characters.finish()
        })?;
        self.tape.flush(at)?;
        if found > 0 {
            self.count_found(searched.verdict);
        }
        self.rewriter.spare = Some(searched);
        Ok(())
    }

    /// The captured number ends before `at`: it leaves, or a constant does.
    pub(super) fn search_number(&mut self, captured: Captured, at: usize) -> Result<(), Halt> {
        let search = search_by(self.plan, self.rewriter, captured.verdict)?;
        let mut found = false;
        self.tape.replace(captured.from, at, |raw, out| {
            found = is_found(search, raw);
            match (found, search.then()) {
                (false, _) => out.extend_from_slice(raw),
                (true, action @ Action::Redact { .. }) => {
                    replace(action, captured.kind, raw, None, out);
                }
                (true, _) => out.extend_from_slice(b"null"),
            }
        })?;
        if found {
            self.count_found(captured.verdict);
        }
        Ok(())
    }

    /// A member's name has ended: searches it where the object around it is searched.
    pub(super) fn search_name(&mut self, raw: &[u8]) -> Result<(), Halt> {
        let Cover::Searched(number) = self.rewriter.top.cover else {
            return Ok(());
        };
        if self.rewriter.hidden.is_some() || self.rewriter.collected.is_some() {
            return Ok(());
        }
        let mut searched = self.rewriter.spare.take().unwrap_or_default();
        let search = search_by(self.plan, self.rewriter, number)?;
        let (mut name, mut found) = (Vec::new(), 0);
        if search.may_find(raw) {
            searched.read(search, raw, &mut name)?;
            found = searched.window.finish(search, &mut name);
            searched.characters.finish()?;
        }
        self.rewriter.spare = Some(searched);
        if found == 0 {
            return Ok(());
        }
        self.count_found(number);
        self.rewriter.renamed = Some(Renamed {
            from: self.rewriter.name_from,
            length: raw.len(),
            name,
        });
        Ok(())
    }

    /// Puts what a member's name has become in its place; its value begins at `at`.
    pub(super) fn rename(&mut self, at: usize) -> Result<(), Halt> {
        let Some(renamed) = self.rewriter.renamed.take() else {
            return Ok(());
        };
        let mut whole = false;
        self.tape.replace(renamed.from, at, |raw, out| {
            out.push(b'"');
            out.extend_from_slice(&renamed.name);
            let rest = raw.get(renamed.length.saturating_add(1)..);
            whole = rest.is_some_and(|rest| rest.first() == Some(&b'"'));
            out.extend_from_slice(rest.unwrap_or_default());
        })?;
        if whole { Ok(()) } else { Err(spent()) }
    }

    /// Counts a value in which something was found.
    fn count_found(&mut self, number: u32) {
        let rewriter = &mut *self.rewriter;
        let verdicts = (self.plan.verdicts(), &rewriter.beyond.verdicts);
        let withheld = verdict(verdicts, number).map(|verdict| &verdict.withheld);
        for label in withheld.into_iter().flatten() {
            if let Some(count) = rewriter.withheld.get_mut(usize::from(*label)) {
                *count = count.saturating_add(1);
            }
        }
    }
}

/// The search that a verdict asks for.
fn search_by<'s>(
    plan: &'s JsonPlan,
    rewriter: &'s Rewriter,
    number: u32,
) -> Result<Search<'s>, Halt> {
    let verdicts = (plan.verdicts(), &rewriter.beyond.verdicts);
    let verdict = verdict(verdicts, number).ok_or_else(spent)?;
    let detectors = verdict.detectors.as_deref().ok_or_else(spent)?;
    let record = rewriter.record.as_ref();
    let names = record.and_then(|record| record.names.as_deref());
    let names = names.filter(|_| detectors.want_names());
    let pseudonyms = plan.settings().pseudonyms.as_deref();
    Ok(Search::new(detectors, names, pseudonyms).spelled(Spelling::Json))
}

impl Searched {
    fn read(&mut self, search: Search<'_>, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Halt> {
        let window = &mut self.window;
        self.characters.read(piece, |taken| match taken {
            Taken::Plain(text) => window.push_plain(search, text, out),
            Taken::Character(character, raw) => window.push(search, character, raw, out),
        })
    }
}

/// Whether something is found in a number, as it is written or, where it is a whole number in another
/// spelling, in its digits.
fn is_found(search: Search<'_>, raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    let is_plain = raw.iter().all(u8::is_ascii_digit);
    let whole = || {
        let number = Decimal::parse(raw)?;
        let floor = number.floor()?;
        let same = Decimal::parse(floor.to_string().as_bytes())?;
        (same.canonical() == number.canonical()).then(|| Cow::Owned(floor.to_string()))
    };
    let whole: Option<Cow<'_, str>> = if is_plain { None } else { whole() };
    let found = |text: &str| !findings(search, text).is_empty();
    found(&text) || whole.is_some_and(|whole| found(&whole))
}
