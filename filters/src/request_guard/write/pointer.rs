//! Paths in requests that are no documents: JSON Pointers (RFC 6901) and the names of form fields.
//!
//! A step may be meant as a name or as an element; every reading is followed.

use crate::json::{Look, Sight, Spot};
use crate::request_guard::write::{WriteError, unreadable};

/// The most readings of one path that are followed.
const READINGS_MAX: usize = 64;
/// The most steps of one path.
pub(super) const STEPS_MAX: usize = 128;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A member's name; digits and `-` may also be an element.
    Name(String),
    /// An element.
    Element,
}

/// The steps of a JSON Pointer.
///
/// # Errors
/// It is malformed or too long.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, WriteError> {
    const WRONG: WriteError = WriteError::Ambiguous("a JSON Pointer is malformed");
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let steps = text.strip_prefix('/').ok_or(WRONG)?.split('/');
    let steps: Option<Vec<Step>> = steps.map(|step| unescaped(step).map(Step::Name)).collect();
    steps.filter(|steps| steps.len() <= STEPS_MAX).ok_or(WRONG)
}

/// RFC 6901 section 4: `~1` is `/`, `~0` is `~`, and nothing else follows a tilde.
fn unescaped(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) = match (part.strip_prefix('1'), part.strip_prefix('0')) {
            (Some(rest), _) => ('/', rest),
            (None, Some(rest)) => ('~', rest),
            (None, None) => return None,
        };
        name.push(sign);
        name.push_str(rest);
    }
    Some(name)
}

/// Where a path can lead.
#[derive(Debug)]
pub(super) struct Led {
    /// The places it can end at.
    pub(super) ends: Vec<(Spot, Look)>,
    /// The places it passes, without its ends and beginnings.
    pub(super) passed: Vec<(Spot, Look)>,
}

/// Follows a path from each of some places in every reading.
///
/// # Errors
/// There are more readings than are followed.
pub(super) fn follow(
    sight: &mut Sight<'_>,
    from: &[Spot],
    steps: &[Step],
) -> Result<Led, WriteError> {
    let mut here: Vec<Spot> = from.to_vec();
    let mut passed = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if place > 0 {
            for spot in &here {
                passed.push((*spot, sight.look(*spot).map_err(unreadable)?));
            }
        }
        let mut next = Vec::new();
        for spot in here {
            if let Step::Name(name) = step {
                next.push(sight.member(spot, name).map_err(unreadable)?);
            }
            if is_element(step) {
                next.push(sight.element(spot).map_err(unreadable)?);
            }
        }
        next.dedup();
        if next.len() > READINGS_MAX {
            return Err(WriteError::Ambiguous("a path has too many readings"));
        }
        here = next;
    }
    let looked = |spot: Spot| Ok((spot, sight.look(spot).map_err(unreadable)?));
    let ends = here.into_iter().map(looked).collect::<Result<_, _>>()?;
    Ok(Led { ends, passed })
}

fn is_element(step: &Step) -> bool {
    match step {
        Step::Element => true,
        Step::Name(name) => {
            name == "-" || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
        }
    }
}
