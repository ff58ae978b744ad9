//! `labels_of` and `under`: the labels of one route applied to another, moved below a place.

use std::collections::BTreeMap;

use super::Written;
use crate::document::read::At;
use crate::policy::error::Problems;
use crate::policy::resolve::{CHAIN_MAX, selectors};
use crate::routes::LabelRule;
use crate::selector::Selector;

/// One step from a route to the one whose labels it takes.
struct Step {
    /// The route that takes them.
    route: usize,
    /// Below which place, if it says so.
    under: Option<Selector>,
}

/// The rules of each route: its own, then those it takes from others; and the routes they come from,
/// itself first.
pub(super) fn rules(
    written: &[Written<'_>],
    own: &[Vec<LabelRule>],
    unread: &[At<String>],
    problems: &mut Problems,
) -> Vec<(Vec<LabelRule>, Vec<usize>)> {
    let positions: BTreeMap<&str, usize> = written
        .iter()
        .enumerate()
        .map(|(at, route)| (route.name.value.as_str(), at))
        .collect();
    let targets: Vec<Option<usize>> = written
        .iter()
        .map(|route| target(route, written, (&positions, unread), problems))
        .collect();
    let under: Vec<Option<Selector>> = written
        .iter()
        .map(|route| {
            let text = route.file.under.found.as_ref()?;
            selectors::read(text, problems)
        })
        .collect();
    (0..written.len())
        .map(|start| {
            let chain = steps(start, written, &targets, problems);
            let steps = chain.iter().map(|route| Step {
                route: *route,
                under: under.get(*route).cloned().flatten(),
            });
            let rules = collect(steps.collect(), written, own, problems);
            (rules, chain)
        })
        .collect()
}

/// The route that `labels_of` names, and whether `under` may stand.
fn target(
    route: &Written<'_>,
    written: &[Written<'_>],
    (positions, unread): (&BTreeMap<&str, usize>, &[At<String>]),
    problems: &mut Problems,
) -> Option<usize> {
    let Some(named) = &route.file.labels_of.found else {
        if let Some(place) = route.file.under.key_place {
            problems
                .add("PN024", place, "`under` without `labels_of` moves nothing")
                .help("add `labels_of: ROUTE`, or remove `under`");
        }
        return None;
    };
    if unread.iter().any(|name| name.value == named.value) {
        return None;
    }
    let Some(position) = positions.get(named.value.as_str()).copied() else {
        let message = format!("route `{}` is not defined", named.value);
        problems
            .add("PN024", named.place, message)
            .choose_from(&named.value, positions.keys().copied());
        return None;
    };
    let denied = written
        .get(position)
        .is_some_and(|other| other.file.deny.value() == Some(&true));
    if denied {
        let message = format!("route `{}` is denied and has no labels", named.value);
        problems.add("PN024", named.place, message);
        return None;
    }
    Some(position)
}

/// From a route to the last whose labels reach it, itself first. A circle is reported by each route
/// on it, where it is written.
fn steps(
    start: usize,
    written: &[Written<'_>],
    targets: &[Option<usize>],
    problems: &mut Problems,
) -> Vec<usize> {
    let mut steps = vec![start];
    let mut last = start;
    while let Some(next) = targets.get(last).copied().flatten() {
        let message = if steps.contains(&next) {
            // Only routes on the circle report it, not those that lead into it.
            (next == start).then(|| "`labels_of` leads back to this route".to_owned())
        } else if steps.len() == CHAIN_MAX {
            Some(format!(
                "a chain of `labels_of` has at most {CHAIN_MAX} routes"
            ))
        } else {
            steps.push(next);
            last = next;
            continue;
        };
        let place = written
            .get(start)
            .and_then(|route| route.file.labels_of.found.as_ref())
            .map(|at| at.place);
        if let Some(message) = message {
            problems.add("PN024", place.unwrap_or_default(), message);
        }
        return steps;
    }
    steps
}

/// Collects from the far end of a chain: each step moves what it takes and adds its own in front.
fn collect(
    steps: Vec<Step>,
    written: &[Written<'_>],
    own: &[Vec<LabelRule>],
    problems: &mut Problems,
) -> Vec<LabelRule> {
    let mut rules: Vec<LabelRule> = Vec::new();
    let first = steps.first().map(|step| step.route);
    for step in steps.into_iter().rev() {
        let moved = match &step.under {
            None => rules,
            Some(parent) => {
                // Each failed move is reported once, by the route that asked for it.
                let report = first == Some(step.route);
                let place = written
                    .get(step.route)
                    .and_then(|route| route.file.under.found.as_ref())
                    .map(|at| at.place)
                    .unwrap_or_default();
                let mut moved = Vec::new();
                for rule in rules {
                    match rule.selector.under(parent) {
                        Ok(selector) => moved.push(LabelRule { selector, ..rule }),
                        Err(error) if report => {
                            let message = format!("`{}`: {}", rule.written, error.message);
                            problems
                                .add("PN018", place, message)
                                .help("write this selector out in the route that needs it");
                        }
                        Err(_) => {}
                    }
                }
                moved
            }
        };
        rules = own.get(step.route).cloned().unwrap_or_default();
        rules.extend(moved);
    }
    rules
}
