//! Lint findings about export quotas: what would leave and not be counted as it was meant.

use crate::document::Place;
use crate::document::read::Slot;
use crate::policy::error::Problems;
use crate::policy::file::PolicyFile;
use crate::quota::{Quota, Unit};
use crate::routes::Route;
use crate::selector::Selector;
use crate::selector::ast::{Pick, Segment};

/// Adds a finding for each route that some quota does not count.
pub(super) fn report(
    file: &PolicyFile,
    routes: &[Route],
    quotas: &[Quota],
    problems: &mut Problems,
) {
    let of = |unit| quotas.iter().find(|quota| quota.unit == unit);
    let written = file.routes.value().map(|entries| entries.read.as_slice());
    for ((name, source), route) in written.unwrap_or_default().iter().zip(routes) {
        if route.deny {
            continue;
        }
        if let Some(quota) = of(Unit::Subjects) {
            without_subjects(route, quota, name.place, problems);
            unreached(
                route,
                ("subjects", &route.subjects),
                place(&source.subjects),
                problems,
            );
        }
        if of(Unit::Records).is_some() {
            unreached(
                route,
                ("records", &route.records),
                place(&source.records),
                problems,
            );
        }
    }
}

fn without_subjects(route: &Route, quota: &Quota, place: Place, problems: &mut Problems) {
    let labelled = !route.rules.is_empty() || !route.columns.is_empty();
    if labelled && route.subjects.is_empty() {
        let (route, quota) = (&route.name, &quota.name);
        let message = format!("route `{route}` has no `subjects`, so `{quota}` does not count it");
        problems.add("PN110", place, message).help(
            "add `subjects:` with the selector of what tells one person from another: `$.customer.id`",
        );
    }
}

/// Selectors that begin with a member's name select nothing where lines or rows are the elements of `$`.
fn unreached(
    route: &Route,
    (key, selectors): (&str, &[Selector]),
    place: Place,
    problems: &mut Problems,
) {
    let is_name = |pick: &Pick| matches!(pick, Pick::Name(_));
    let begins_with_a_name = |selector: &Selector| matches!(selector.segments().first(), Some(Segment::Child(picks)) if picks.iter().all(is_name));
    let Some(format) = route
        .formats
        .iter()
        .find(|format| format.kind.is_sequence())
    else {
        return;
    };
    if !selectors.is_empty() && selectors.iter().all(begins_with_a_name) {
        let (route, format) = (&route.name, format.kind.word());
        let message = format!("`{key}` of route `{route}` selects nothing in `{format}`");
        problems.add("PN111", place, message).help(
            "each line or row is an element of `$`: add a selector of one, such as `$[*].id`",
        );
    }
}

fn place<T>(slot: &Slot<T>) -> Place {
    slot.key_place.unwrap_or_default()
}
