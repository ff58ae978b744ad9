//! What the language knows and this build does not enforce: refused by name, never ignored.

use crate::document::Place;
use crate::document::read::{At, OneOrMany, Slot};
use crate::policy::error::Problems;
use crate::policy::file::{Format, Mode, PolicyFile, RouteFile};

/// Reports one thing that cannot be enforced yet.
pub(crate) fn not_enforced_yet(what: &str, place: Place, problems: &mut Problems) {
    problems
        .add(
            "PN008",
            place,
            format!("{what} is not enforced by this build yet"),
        )
        .help("remove it until it is; a policy must not promise what nobody does");
}

/// Reports everything in a policy that nothing is made of yet.
pub(super) fn report(file: &PolicyFile, problems: &mut Problems) {
    section("grants", &file.grants, problems);
    section("shadow", &file.shadow, problems);
    if file.mode.word() == Some(Mode::DryRun) {
        let place = value_place(&file.mode);
        not_enforced_yet("`mode: dry_run`", place, problems);
    }
    let routes = file.routes.value().map(|routes| routes.read.as_slice());
    for (_, route) in routes.unwrap_or_default() {
        in_route(route, problems);
    }
}

fn in_route(route: &RouteFile, problems: &mut Problems) {
    section("html", &route.html, problems);
    section("concurrency", &route.concurrency, problems);
    let formats = route.formats.value();
    for At { value, place } in formats.map(|OneOrMany(all)| all).into_iter().flatten() {
        if let Format::Later(word) = value.format {
            not_enforced_yet(&format!("the format `{word}`"), *place, problems);
        }
    }
}

fn section<T>(key: &str, slot: &Slot<T>, problems: &mut Problems) {
    if let Some(place) = slot.key_place {
        not_enforced_yet(&format!("`{key}`"), place, problems);
    }
}

fn value_place<T>(slot: &Slot<T>) -> Place {
    slot.found.as_ref().map(|at| at.place).unwrap_or_default()
}
