//! Form bodies (`application/x-www-form-urlencoded`): names read as paths, values as strings.
//!
//! `a`, `a[b]`, `a.b`, `a[]` and `a[0]` are read as every framework could: brackets and dots lead into
//! members, digits and nothing between brackets to elements, and a name with dots is also taken for one
//! name. Percent-encoding is decoded once. What is not decoded by every reader alike is refused.

use std::collections::BTreeSet;

use postern_config::routes::WriteBack;

use crate::form_encoding;
use crate::json::{Holds, LabelId, Look, Sight, Spot};
use crate::request_guard::write::pointer::{self, STEPS_MAX, Step};
use crate::request_guard::write::{WriteError, WriteGuard, WriteMethod};

/// Whether a media type is that of a form.
pub(crate) fn is_form(essence: &str) -> bool {
    essence == "application/x-www-form-urlencoded"
}

/// Judges a form and gives what may go up.
///
/// # Errors
/// It is ambiguous, or a field is hidden and may not be taken out.
pub(super) fn judge(guard: &WriteGuard, body: &[u8]) -> Result<Vec<u8>, WriteError> {
    if guard.parts.method == WriteMethod::Put {
        return Err(guard.hidden(guard.every_hidden_label()));
    }
    let text = std::str::from_utf8(body);
    let text = text.map_err(|_error| WriteError::Ambiguous("a form is not text"))?;
    let mut sight = Sight::new(&guard.parts.sight);
    let mut roots = vec![Sight::root()];
    roots.extend(guard.envelopes(&mut sight)?);
    let (mut kept, mut labels, mut dropped) = (Vec::new(), BTreeSet::new(), false);
    for pair in text.split('&') {
        match hidden_labels(guard, &mut sight, &roots, pair)? {
            None => kept.push(pair),
            Some(found) => {
                dropped = true;
                labels.extend(found);
            }
        }
    }
    match (dropped, guard.parts.rules.mode) {
        (false, _) => Ok(body.to_vec()),
        (true, WriteBack::DropField) => Ok(kept.join("&").into_bytes()),
        (true, WriteBack::Reject | WriteBack::Restore) => Err(guard.hidden(labels)),
    }
}

/// The labels for which a field may not be written; none when it may.
fn hidden_labels(
    guard: &WriteGuard,
    sight: &mut Sight<'_>,
    roots: &[Spot],
    pair: &str,
) -> Result<Option<Vec<LabelId>>, WriteError> {
    if pair.is_empty() {
        return Ok(None);
    }
    if pair.contains(';') {
        return Err(WriteError::Ambiguous("a form holds a semicolon"));
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (name, value) = (decoded(name)?, decoded(value)?);
    if let Some(labels) = guard.parts.ours.labels_of(&value) {
        return Ok(Some(labels.to_vec()));
    }
    for steps in readings(&name)? {
        let led = pointer::follow(sight, roots, &steps)?;
        // A PATCH may replace the whole of what a name only leads through.
        let through = |holds| guard.parts.method == WriteMethod::Patch && holds != Holds::Nothing;
        let passed = led
            .passed
            .iter()
            .find(|(_, look)| look.hides_container || through(look.holds));
        let creates = guard.parts.method == WriteMethod::Post;
        let end = led
            .ends
            .iter()
            .find(|(_, look)| look.hides_scalar || may_hold(*look, creates));
        if let Some((spot, _)) = passed.or(end) {
            return Ok(Some(sight.labels(*spot)));
        }
    }
    Ok(None)
}

/// Whether something hidden is expected where the form puts a plain value: it is lost, unless nothing is
/// stored yet, or it stands in the value, which is a document in a string.
fn may_hold(look: Look, creates: bool) -> bool {
    match look.holds {
        Holds::Nothing => false,
        Holds::Perhaps => look.opens,
        Holds::Likely => look.opens || !creates,
    }
}

/// Decodes a name or a value once.
fn decoded(text: &str) -> Result<String, WriteError> {
    const WRONG: WriteError = WriteError::Ambiguous("a form's encoding");
    let decoded = form_encoding::decoded_alike(text);
    decoded.filter(|text| !text.contains('\0')).ok_or(WRONG)
}

/// Every path that a field's name can mean.
fn readings(name: &str) -> Result<Vec<Vec<Step>>, WriteError> {
    const WRONG: WriteError = WriteError::Ambiguous("a form field's name");
    let name = name.trim();
    let (head, mut rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    if head.is_empty() || head.contains(']') || name.chars().any(char::is_control) {
        return Err(WRONG);
    }
    let mut tail = Vec::new();
    while !rest.is_empty() {
        let (inside, after) = rest
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .ok_or(WRONG)?;
        if inside.contains('[') {
            return Err(WRONG);
        }
        tail.push(match inside {
            "" => Step::Element,
            name => Step::Name(name.to_owned()),
        });
        // `a[b].c` is how some write a member of an element.
        rest = match after.strip_prefix('.') {
            Some(member) => {
                let end = member.find('[').unwrap_or(member.len());
                let (members, rest) = member.split_at(end);
                tail.extend(members.split('.').map(|name| Step::Name(name.to_owned())));
                rest
            }
            None => after,
        };
    }
    let mut paths = vec![vec![Step::Name(head.to_owned())]];
    if head.contains('.') {
        paths.push(
            head.split('.')
                .map(|name| Step::Name(name.to_owned()))
                .collect(),
        );
    }
    for path in &mut paths {
        path.extend(tail.iter().cloned());
        if path.len() > STEPS_MAX {
            return Err(WRONG);
        }
    }
    Ok(paths)
}
