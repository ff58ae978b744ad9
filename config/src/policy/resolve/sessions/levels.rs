//! `required`: which binding level what needs, and whether anybody can reach it.

use std::collections::BTreeMap;

use crate::document::Place;
use crate::document::read::{At, Entries};
use crate::policy::error::Problems;
use crate::policy::file::{PolicyFile, RequiredFile, SessionsFile};
use crate::roles::Role;
use crate::routes::Route;
use crate::sessions::{Access, BindingLevel, RequiredLevels, Sessions};

/// The levels that are needed. `bind` of the sessions is already resolved.
pub(super) fn required(
    file: &PolicyFile,
    section: &SessionsFile,
    (roles, routes, sessions): (&BTreeMap<String, Role>, &[Route], &Sessions),
    problems: &mut Problems,
) -> RequiredLevels {
    let reachable = sessions.reachable_level();
    let written = section.required.value();
    let mut by_access = BTreeMap::new();
    for access in Access::ALL {
        let slot = written.and_then(|written| written.level(access).found.as_ref());
        if let Some(at) = slot {
            let level = level(access.word(), at, reachable, problems);
            by_access.extend(level.map(|level| (access, level)));
        }
    }
    let levels = RequiredLevels {
        by_access,
        by_route: written
            .map(|written| by_route(written, file, (routes, reachable), problems))
            .unwrap_or_default(),
        by_role: written
            .map(|written| by_role(written, file, (roles, reachable), problems))
            .unwrap_or_default(),
    };
    let is_said = written.is_some_and(|written| written.export.is_written());
    let export = routes.iter().find(|route| route.is_export() && !route.deny);
    if let Some(export) = export.filter(|_| !is_said && levels.of(Access::Export) > reachable) {
        let place = section.bind.key_place.unwrap_or_default();
        let message = format!(
            "route `{}` is an export and needs level {}, and `bind` reaches {} only",
            export.name,
            levels.of(Access::Export).number(),
            reachable.number()
        );
        problems
            .add("PN096", place, message)
            .help("add `dpop` or `dbsc` to `bind`, or say `required: { export: ... }`");
    }
    levels
}

fn by_route(
    written: &RequiredFile,
    file: &PolicyFile,
    (routes, reachable): (&[Route], BindingLevel),
    problems: &mut Problems,
) -> BTreeMap<String, BindingLevel> {
    let unread = file.routes.value().map(|entries| entries.unread.as_slice());
    let is_unread = |name: &str| unread.is_none_or(|all| all.iter().any(|at| at.value == name));
    let mut by_route = BTreeMap::new();
    let entries = written
        .routes
        .value()
        .map(|entries| entries.read.as_slice());
    for (name, at) in entries.unwrap_or_default() {
        let route = routes.iter().find(|route| route.name == name.value);
        match route {
            Some(route) if route.deny => {
                let message = format!("route `{}` is denied and needs no level", route.name);
                problems
                    .add("PN099", name.place, message)
                    .help("remove the entry, or `deny`");
            }
            None if !is_unread(&name.value) => {
                let message = format!("route `{}` is not defined", name.value);
                let known = routes.iter().filter(|route| !route.deny);
                problems
                    .add("PN099", name.place, message)
                    .choose_from(&name.value, known.map(|route| route.name.as_str()));
            }
            Some(_) | None => {}
        }
        let level = level(&name.value, at, reachable, problems);
        by_route.extend(level.map(|level| (name.value.clone(), level)));
    }
    by_route
}

/// The level of each role: its own entry, else that of the nearest role it extends.
fn by_role(
    written: &RequiredFile,
    file: &PolicyFile,
    (roles, reachable): (&BTreeMap<String, Role>, BindingLevel),
    problems: &mut Problems,
) -> BTreeMap<String, BindingLevel> {
    let Some(Entries { read, .. }) = written.roles.value() else {
        return BTreeMap::new();
    };
    let unread = file.roles.value().map(|entries| entries.unread.as_slice());
    let is_unread = |name: &str| unread.is_none_or(|all| all.iter().any(|at| at.value == name));
    let mut by_name: BTreeMap<&str, BindingLevel> = BTreeMap::new();
    for (name, at) in read {
        if !roles.contains_key(&name.value) && !is_unread(&name.value) {
            let message = format!("role `{}` is not defined", name.value);
            problems
                .add("PN012", name.place, message)
                .choose_from(&name.value, roles.keys().map(String::as_str));
        }
        let level = level(&name.value, at, reachable, problems);
        by_name.extend(level.map(|level| (name.value.as_str(), level)));
    }
    let nearest = |role: &Role| {
        let mut chain = role.chain.iter();
        let level = chain.find_map(|layer| by_name.get(layer.role.as_str()).copied());
        Some((role.name.clone(), level?))
    };
    roles.values().filter_map(nearest).collect()
}

/// One level, within what can be reached.
fn level(
    key: &str,
    at: &At<u64>,
    reachable: BindingLevel,
    problems: &mut Problems,
) -> Option<BindingLevel> {
    let number = at.value;
    let Some(level) = BindingLevel::of_number(number) else {
        let message = format!("the level of `{key}` is between 0 and 3, here it is {number}");
        problems.add("PN007", at.place, message);
        return None;
    };
    if level > reachable {
        unreachable_level(key, level, (reachable, at.place), problems);
    }
    Some(level)
}

fn unreachable_level(
    key: &str,
    level: BindingLevel,
    (reachable, place): (BindingLevel, Place),
    problems: &mut Problems,
) {
    let (level, most) = (level.number(), reachable.number());
    let message = format!("`{key}` needs level {level}, and `bind` reaches {most} only");
    problems.add("PN096", place, message).help(
        "`context` reaches 1, `dpop` and `dbsc` 2, `mtls` 3; add one to `bind`, or ask for less",
    );
}
