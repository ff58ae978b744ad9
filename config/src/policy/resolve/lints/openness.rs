//! Lint findings about what passes untouched: a catch-all that is open, a policy that withholds nothing.

use crate::policy::error::Problems;
use crate::policy::file::PolicyFile;
use crate::routes::{PathPart, Route, RouteMatch, Unlabelled};

/// Adds a finding for each route that lets every path through, and for a policy that holds nothing back.
pub(super) fn report(file: &PolicyFile, routes: &[Route], problems: &mut Problems) {
    let written = file.routes.value().map(|entries| entries.read.as_slice());
    for ((_, source), route) in written.unwrap_or_default().iter().zip(routes) {
        if is_open(route) && route.matches.iter().any(is_every_path) {
            let place = source.matches.key_place.unwrap_or_default();
            let message = format!(
                "route `{}` lets through untouched whatever no other route matches",
                route.name
            );
            problems
                .add("PN114", place, message)
                .help("add `deny: true`, and a route for each path that may be asked for");
        }
    }
    let allowed: Vec<&Route> = routes.iter().filter(|route| !route.deny).collect();
    let does_more = file.sessions.is_written() || file.quotas.is_written();
    if !allowed.is_empty() && allowed.into_iter().all(is_open) && !does_more {
        problems
            .add(
                "PN115",
                file.routes.key_place.unwrap_or_default(),
                "no route attaches a label, so every role sees everything",
            )
            .help(
                "attach labels to the fields that not everybody may see, under a route's `label`",
            );
    }
}

/// Whether all that the route answers leaves as it came, whoever asks.
fn is_open(route: &Route) -> bool {
    let labelled = !route.rules.is_empty() || !route.columns.is_empty();
    !route.deny && !labelled && route.unlabelled == Unlabelled::Show
}

/// Whether a line matches every path, whatever its method.
fn is_every_path(one: &RouteMatch) -> bool {
    matches!(one.path.as_slice(), [PathPart::Rest(_)])
}
