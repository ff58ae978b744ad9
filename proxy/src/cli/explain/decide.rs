//! What happens to one place for one set of roles, and because of what.
//!
//! It follows the engine's rules from the document down to the place: the outermost hidden value hides
//! what is in it; a shown labelled value shows what is in it; what carries no label follows
//! `unlabelled`.

use std::cmp::Ordering;

use postern_config::routes::{LabelRule, Route, Unlabelled};
use postern_config::{Action, Embedded, Label, Policy, Role};

use super::reach::{Certainty, Place, Reach};
use crate::cli::wording;

/// What happens, and why, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) action: String,
    pub(super) because: String,
}

/// The strictest label at one depth.
struct Ruling<'a> {
    action: Action,
    label: &'a Label,
    certainty: Certainty,
}

/// Decides for roles together; for a single role the reason names its definition.
pub(super) fn decide(
    policy: &Policy,
    route: &Route,
    place: &Place,
    reaches: &[(&LabelRule, Reach)],
    roles: &[&Role],
) -> Decision {
    if route.deny {
        return decision("denied", "the route is denied".to_owned());
    }
    let mut shown = None;
    for depth in 0..=place.steps.len() {
        let Some(ruling) = strictest(policy, reaches, roles, depth) else {
            continue;
        };
        if ruling.action == Action::Show {
            shown = Some(ruling);
            continue;
        }
        let why = reason(policy, roles, &ruling);
        let because = if depth == place.steps.len() {
            why
        } else {
            format!("it is inside {}: {why}", place.prefix(depth))
        };
        return decision(&wording::action(&ruling.action), because);
    }
    let holds_labels = reaches.iter().any(|(_, reach)| reach.inside);
    match shown {
        Some(ruling) => decision("show", reason(policy, roles, &ruling)),
        None => {
            let action = wording::unlabelled(route.unlabelled);
            let but = match route.unlabelled {
                Unlabelled::Redact | Unlabelled::Remove if holds_labels => {
                    "; it stays as far as labelled values in it are seen"
                }
                Unlabelled::Show | Unlabelled::Redact | Unlabelled::Remove | Unlabelled::Deny => "",
            };
            decision(
                action,
                format!("it has no label, and `unlabelled` is {action}{but}"),
            )
        }
    }
}

fn decision(action: &str, because: String) -> Decision {
    Decision {
        action: action.to_owned(),
        because,
    }
}

fn strictest<'a>(
    policy: &Policy,
    reaches: &'a [(&LabelRule, Reach)],
    roles: &[&Role],
    depth: usize,
) -> Option<Ruling<'a>> {
    let here = reaches.iter().filter_map(|(rule, reach)| {
        let certainty = *reach.at.get(&depth)?;
        Some(rule.labels.iter().map(move |label| (label, certainty)))
    });
    here.flatten()
        .map(|(label, certainty)| Ruling {
            action: policy.action_of_all(roles, label),
            label,
            certainty,
        })
        .reduce(|a, b| match a.action.strictness(&b.action) {
            Ordering::Less => b,
            Ordering::Equal if b.certainty > a.certainty => b,
            Ordering::Equal | Ordering::Greater => a,
        })
}

fn reason(policy: &Policy, roles: &[&Role], ruling: &Ruling<'_>) -> String {
    let label = ruling.label.as_str();
    let why = match roles {
        [only] => wording::because(&policy.action(only, ruling.label).1),
        _ => "the roles combined".to_owned(),
    };
    let doubt = match ruling.certainty {
        Certainty::Certain => "",
        Certainty::Depends => " (where the selector matches)",
    };
    let opened = match (embedded(policy, ruling.label), &ruling.action) {
        (Some(how), Action::Show) => format!("; a string is opened as {}", wording::embedded(how)),
        (Some(_) | None, _) => String::new(),
    };
    format!("it is {label}{doubt}, and {why}{opened}")
}

fn embedded(policy: &Policy, label: &Label) -> Option<Embedded> {
    let mut labels = policy.labels.iter();
    labels.find(|(known, _)| *known == label)?.1.embedded
}

#[cfg(test)]
mod tests;
