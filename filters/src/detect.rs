//! Searching free text for personal data and secrets, and putting something in place of what is found.
//!
//! ```text
//! characters ──▶ window ──▶ folded text ──▶ detectors ──▶ found ──▶ the same text with replacements
//! ```
//!
//! Guarantees: what is not found leaves byte for byte as it was written; the output does not depend on
//! how the text was split; pieces that overlap are one piece, of the kind of the widest; every detector
//! takes linear time and knows no back-tracking. It does not know JSON: whoever calls it brings the
//! characters and how they are written.

mod canonical;
mod card;
mod digits;
mod email;
mod filter;
mod fold;
mod iban;
mod ip;
mod names;
mod own;
mod phone;
mod secret;
mod ssn;
mod view;
mod window;
mod words;

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memmem;
use postern_config::detect::Pattern;
use postern_config::{Action, Detection, Detector};

use crate::mask;
use crate::pseudonym::Pseudonymizer;
use crate::value_action::{JsonKind, decode, encode, escape};

pub(crate) use filter::TextFilter;
pub(crate) use fold::plain_length;
pub use names::Names;
pub(crate) use secret::ISSUED;
use view::View;
pub(crate) use window::Window;

/// What stands for a piece of text that is redacted.
const REDACTED: &str = "[redacted]";

/// What is searched for, ready to search with.
#[derive(Debug, Clone)]
pub struct Detectors {
    find: BTreeSet<Detector>,
    patterns: Vec<Pattern>,
    /// Some pattern can match a text that has neither a digit nor `@`.
    anywhere: bool,
    then: Action,
    /// What `redact` with a constant puts in place.
    constant: Option<String>,
}

impl Detectors {
    /// The detectors of a policy's entry.
    #[must_use]
    pub fn new(detection: &Detection) -> Self {
        let constant = if let Action::Redact { with: Some(json) } = &detection.then {
            Some(decode(json.as_bytes()).unwrap_or_else(|| json.clone()))
        } else {
            None
        };
        Self {
            find: detection.find.clone(),
            patterns: detection.patterns.clone(),
            anywhere: own::may_be_anywhere(&detection.patterns),
            then: detection.then.clone(),
            constant,
        }
    }

    /// Whether what the same record hides elsewhere is searched for too.
    #[must_use]
    pub fn want_names(&self) -> bool {
        self.find.contains(&Detector::NamesInThisResponse)
    }
}

/// How a text's characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As they are.
    Plain,
    /// As in a JSON string.
    Json,
}

/// One search: what for, and what takes the place of what is found.
#[derive(Debug, Clone, Copy)]
pub struct Search<'s> {
    detectors: &'s Detectors,
    names: Option<&'s Names>,
    pseudonyms: Option<&'s Pseudonymizer>,
    spelling: Spelling,
}

/// A piece of text that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Where it begins, in bytes of the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What it is.
    pub kind: Detector,
}

/// A piece of the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    kind: Detector,
    /// How it goes on where the text breaks off.
    tail: Option<Tail>,
}

/// How something that has no bound goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// As long as there is no blank or quote.
    Token,
    /// Up to the line that ends it.
    PrivateKey,
}

impl Found {
    /// A piece that ends where it says.
    const fn closed(kind: Detector, start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            kind,
            tail: None,
        }
    }

    /// How it goes on past the text's end, and where it begins.
    fn tail_at(&self, length: usize) -> Option<(Tail, usize)> {
        let tail = self.tail.filter(|_| self.end == length)?;
        Some((tail, self.start))
    }

    /// This piece and another that overlaps it, as one.
    fn joined(self, other: Self) -> Self {
        let wider = match other.end - other.start > self.end - self.start {
            true => other,
            false => self,
        };
        let end = self.end.max(other.end);
        let last = match self.end >= other.end {
            true => self
                .tail
                .or_else(|| other.tail.filter(|_| other.end == end)),
            false => other.tail,
        };
        Self {
            start: self.start.min(other.start),
            end,
            kind: wider.kind,
            tail: last,
        }
    }
}

impl<'s> Search<'s> {
    /// A search in plain text, with what a record hides and what makes the reader's tokens. Without the
    /// latter a pseudonym is a redaction.
    #[must_use]
    pub const fn new(
        detectors: &'s Detectors,
        names: Option<&'s Names>,
        pseudonyms: Option<&'s Pseudonymizer>,
    ) -> Self {
        Self {
            detectors,
            names,
            pseudonyms,
            spelling: Spelling::Plain,
        }
    }

    /// The same search in text that is written in another way.
    pub(crate) const fn spelled(self, spelling: Spelling) -> Self {
        Self { spelling, ..self }
    }

    /// What happens to what is found.
    pub(crate) fn then(&self) -> &'s Action {
        &self.detectors.then
    }

    /// Whether a policy's own patterns are searched for, which may begin in any character.
    fn has_patterns(&self) -> bool {
        !self.detectors.patterns.is_empty()
    }

    /// Whether anything can be found in a text of which these bytes are all, as UTF-8 or as the inside
    /// of a JSON string. No means no; most text has neither a digit nor `@`.
    pub(crate) fn may_find(&self, raw: &[u8]) -> bool {
        let anywhere = self.names.is_some() || self.detectors.anywhere;
        if anywhere || raw.iter().any(|byte| fold::may_be_digit_or_at(*byte)) {
            return true;
        }
        self.detectors.find.contains(&Detector::Secret) && may_hold_secret(raw)
    }

    /// The pieces that are found, in order, none overlapping another.
    fn find(&self, view: View<'_>) -> Vec<Found> {
        let text = view.span(0, view.len());
        let mut found = Vec::new();
        if !self.may_find(text) {
            return found;
        }
        for detector in &self.detectors.find {
            match detector {
                Detector::Email => email::find(view, &mut found),
                Detector::Phone => phone::find(view, &mut found),
                Detector::Card => card::find(view, &mut found),
                Detector::Iban => iban::find(view, &mut found),
                Detector::UsSsn => ssn::find(view, &mut found),
                Detector::Secret => secret::find(view, &mut found),
                Detector::Ip => ip::find(view, &mut found),
                // Patterns are searched for below, each by itself.
                Detector::Pattern => {}
                Detector::NamesInThisResponse | _ => {
                    if let Some(names) = self.names {
                        names.find(view, &mut found);
                    }
                }
            }
        }
        own::find(&self.detectors.patterns, view, &mut found);
        self.spare_constants(text, &mut found);
        join(found)
    }

    /// The constant that replaces is not found itself.
    fn spare_constants(&self, text: &[u8], found: &mut Vec<Found>) {
        let constant = match (&self.detectors.constant, &self.detectors.then) {
            (Some(constant), _) => constant.as_str(),
            (None, Action::Redact { .. }) => REDACTED,
            (None, _) => "",
        };
        if found.is_empty() || constant.is_empty() {
            return;
        }
        for start in memmem::find_iter(text, constant.as_bytes()) {
            let end = start + constant.len();
            found.retain(|piece| piece.start < start || piece.end > end);
        }
    }

    /// Appends what takes the place of a piece of folded text.
    fn replace(&self, found: &[u8], out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(found);
        let made;
        let replacement = match &self.detectors.then {
            Action::Remove => return,
            Action::Mask(how) => {
                made = mask::mask(how, &text);
                &made
            }
            Action::Pseudonym(scope) => match self.pseudonyms {
                Some(pseudonyms) => {
                    let mut json = Vec::new();
                    encode(&text, &mut json);
                    let token = pseudonyms.token(*scope, JsonKind::String, &json);
                    made = token.unwrap_or_else(|| REDACTED.to_owned());
                    &made
                }
                None => REDACTED,
            },
            Action::Redact { .. } => self.detectors.constant.as_deref().unwrap_or(REDACTED),
            Action::Show | Action::Detect | Action::Generalize(_) => REDACTED,
        };
        match self.spelling {
            Spelling::Plain => out.extend_from_slice(replacement.as_bytes()),
            Spelling::Json => escape(replacement, out),
        }
    }
}

/// One text searched as a whole: the same text, or what becomes of it.
#[must_use]
pub fn detect_text<'t>(search: Search<'_>, text: &'t str) -> Cow<'t, str> {
    if !search.may_find(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let search = search.spelled(Spelling::Plain);
    let (mut window, mut out) = (Window::default(), Vec::with_capacity(text.len()));
    window.push_text(search, text, &mut out);
    window.finish(search, &mut out);
    match String::from_utf8(out) {
        Ok(changed) => Cow::Owned(changed),
        // INVARIANT: whole characters go in and come out.
        Err(_) => Cow::Owned(REDACTED.to_owned()),
    }
}

/// What is found in a text as a whole, without any window.
#[must_use]
pub fn findings(search: Search<'_>, text: &str) -> Vec<Finding> {
    let (mut folded, mut starts, mut ends) = (String::new(), Vec::new(), Vec::new());
    for (start, character) in text.char_indices() {
        if let Some(plain) = fold::fold(character) {
            folded.push(plain);
            starts.resize(folded.len(), start);
            ends.resize(folded.len(), start + character.len_utf8());
        }
    }
    let in_text = |found: Found| {
        Some(Finding {
            start: starts.get(found.start).copied()?,
            end: ends.get(found.end.checked_sub(1)?).copied()?,
            kind: found.kind,
        })
    };
    let found = search.find(View::new(folded.as_bytes()));
    found.into_iter().filter_map(in_text).collect()
}

/// Pieces that overlap become one.
fn join(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_unstable_by_key(|piece| (piece.start, std::cmp::Reverse(piece.end), piece.kind));
    let mut joined: Vec<Found> = Vec::with_capacity(found.len());
    for piece in found {
        match joined.last_mut() {
            Some(last) if piece.start < last.end => *last = last.joined(piece),
            _ => joined.push(piece),
        }
    }
    joined
}

/// Whether a text without digits can hold a secret all the same: there is a word that says so, or an escape or a
/// character that may make one.
fn may_hold_secret(text: &[u8]) -> bool {
    let folds = |pair: &[u8]| matches!(pair, [b'\\', b'u' | b'b']);
    text.windows(2).any(folds) || secret::may_be_named(text)
}

#[cfg(test)]
mod tests;
