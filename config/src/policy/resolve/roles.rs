//! Roles: their chains of `extends`, and what each layer sees.

use std::collections::BTreeMap;

use super::{CHAIN_MAX, labels, names};
use crate::document::read::{At, Entries};
use crate::labels::LabelTree;
use crate::policy::error::Problems;
use crate::policy::file::{PolicyFile, RoleFile};
use crate::roles::{Role, RoleLayer};

/// Every role, with its chain resolved.
pub(super) fn all(
    file: &PolicyFile,
    tree: &LabelTree,
    problems: &mut Problems,
) -> BTreeMap<String, Role> {
    let Some(Entries {
        read: written,
        unread,
    }) = file.roles.value()
    else {
        return BTreeMap::new();
    };
    if written.is_empty() && unread.is_empty() {
        let place = file.roles.key_place.unwrap_or_default();
        problems
            .add("PN007", place, "a policy has at least one role")
            .help("without a role of the policy nobody is let in");
    }
    let by_name: BTreeMap<&str, &RoleFile> = written
        .iter()
        .map(|(name, role)| (name.value.as_str(), role))
        .collect();
    let mut layers = BTreeMap::new();
    for (name, role) in written {
        names::check("role", &name.value, name.place, problems);
        let sees = role
            .sees
            .value()
            .map(|entries| labels::rules(entries, tree, problems));
        let layer = RoleLayer {
            role: name.value.clone(),
            sees: sees.unwrap_or_default(),
        };
        layers.insert(name.value.as_str(), layer);
    }
    written
        .iter()
        .map(|(name, _)| {
            let chain = chain(name, &by_name, unread, problems);
            let chain = chain
                .into_iter()
                .filter_map(|role| layers.get(role).cloned());
            let role = Role {
                name: name.value.clone(),
                chain: chain.collect(),
            };
            (name.value.clone(), role)
        })
        .collect()
}

/// The names from a role to the last that it extends; a circle or an undefined role is reported once,
/// where it is written.
fn chain<'a>(
    name: &'a At<String>,
    by_name: &BTreeMap<&'a str, &'a RoleFile>,
    unread: &[At<String>],
    problems: &mut Problems,
) -> Vec<&'a str> {
    let mut chain = vec![name.value.as_str()];
    let mut role = by_name.get(name.value.as_str()).copied();
    while let Some(extends) = role.and_then(|role| role.extends.found.as_ref()) {
        let next = extends.value.as_str();
        if chain.contains(&next) {
            // Everyone on a circle meets it; only whoever closes it on itself reports it.
            if next == name.value {
                let message = format!("role `{next}` extends itself: {}", told(&chain, next));
                problems
                    .add("PN013", extends.place, message)
                    .help("take one `extends` of the circle out");
            }
            return chain;
        }
        if unread.iter().any(|name| name.value == next) {
            return chain;
        }
        if !by_name.contains_key(next) {
            problems
                .add(
                    "PN012",
                    extends.place,
                    format!("role `{next}` is not defined"),
                )
                .choose_from(next, by_name.keys().copied());
            return chain;
        }
        if chain.len() == CHAIN_MAX {
            let message = format!("a chain of `extends` has at most {CHAIN_MAX} roles");
            problems.add("PN013", name.place, message);
            return chain;
        }
        chain.push(next);
        role = by_name.get(next).copied();
    }
    chain
}

fn told(chain: &[&str], last: &str) -> String {
    let names = chain.iter().chain([&last]);
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" extends ")
}
