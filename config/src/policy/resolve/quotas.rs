//! Quotas: their windows and limits, and whether this identity can carry them.
//!
//! Guarantees: each role of the policy has a limit in every quota, its own, that of the nearest role
//! it extends, or that of `"*"`. A quota that silently does not bind somebody is an error.

use std::collections::BTreeMap;

use super::names;
use crate::document::Place;
use crate::document::read::{At, Entries, Slot};
use crate::policy::error::Problems;
use crate::policy::file::{From, IdentityFile, LimitFile, Percent, PolicyFile, QuotaFile};
use crate::quota::{
    LIMIT_MAX, Limits, OnExceed, Per, QUOTAS_MAX, Quota, Unit, WINDOW_SECONDS_MAX,
    WINDOW_SECONDS_MIN,
};
use crate::roles::Role;
use crate::units;

/// Stands for every role that has no limit by name.
const EVERY_ROLE: &str = "*";

/// Every quota, in the order of the file.
pub(super) fn all(
    file: &PolicyFile,
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) -> Vec<Quota> {
    let entries = file.quotas.value().map(|entries| entries.read.as_slice());
    let entries = entries.unwrap_or_default();
    if let Some((name, _)) = entries.get(QUOTAS_MAX) {
        let message = format!("a policy has at most {QUOTAS_MAX} quotas");
        problems.add("PN007", name.place, message);
    }
    // What is missing afterwards has been reported, and then nothing is returned.
    let read = entries.iter().filter_map(|(name, quota)| {
        names::check("quota", &name.value, name.place, problems);
        if let Some(identity) = file.identity.value() {
            refuse_without_a_holder(quota, identity, problems);
        }
        one(name, quota, (file, roles), problems)
    });
    read.collect()
}

fn one(
    name: &At<String>,
    file: &QuotaFile,
    (policy, roles): (&PolicyFile, &BTreeMap<String, Role>),
    problems: &mut Problems,
) -> Option<Quota> {
    let unit = file.unit.word();
    let bounds = (WINDOW_SECONDS_MIN, WINDOW_SECONDS_MAX);
    let window = units::seconds("window", &file.window, bounds, problems);
    let limit = limits(name, (file, unit), (policy, roles), problems);
    let warn_at = warn_at(&file.warn_at, problems);
    let on_exceed = file.on_exceed.word().unwrap_or_default();
    if let Some(unit @ (Unit::Bytes | Unit::Requests)) = unit
        && on_exceed == OnExceed::Truncate
    {
        let message = format!("`truncate` cannot cut {}", unit.word());
        problems
            .add("PN092", value_place(&file.on_exceed), message)
            .help("it removes whole records: count `records` or `subjects`, or say `deny`");
    }
    Some(Quota {
        name: name.value.clone(),
        unit: unit?,
        per: file.per.word()?,
        window: window?,
        limit: limit?,
        warn_at,
        on_exceed,
        if_store_is_down: file.if_store_is_down.word().unwrap_or_default(),
    })
}

fn warn_at(slot: &Slot<Percent>, problems: &mut Problems) -> Option<u8> {
    let at = slot.found.as_ref()?;
    let Percent(percent) = at.value;
    if !(1..=100).contains(&percent) {
        let message = format!("`warn_at` is between 1% and 100%, here it is {percent}%");
        problems.add("PN007", at.place, message);
    }
    u8::try_from(percent).ok()
}

/// The limit of each role: the nearest entry along its chain of `extends`, or that of `"*"`.
fn limits(
    name: &At<String>,
    (file, unit): (&QuotaFile, Option<Unit>),
    (policy, roles): (&PolicyFile, &BTreeMap<String, Role>),
    problems: &mut Problems,
) -> Option<Limits> {
    let Entries { read, unread } = file.limit.value()?;
    let mut by_name: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for role in read.iter().map(|(role, _)| role).chain(unread) {
        refuse_unknown(role, (policy, roles), problems);
        // A value that could not be read is a limit all the same, and was reported.
        by_name.insert(&role.value, None);
    }
    for (role, written) in read {
        by_name.insert(&role.value, amount(written, unit, problems));
    }
    let nearest = |role: &Role| {
        let mut chain = role.chain.iter();
        let own = chain.find_map(|layer| by_name.get(layer.role.as_str()));
        own.or_else(|| by_name.get(EVERY_ROLE)).copied()
    };
    let unbound = |role: &&Role| nearest(role).is_none();
    let missing: Vec<String> = roles
        .values()
        .filter(unbound)
        .map(|role| format!("`{}`", role.name))
        .collect();
    if !missing.is_empty() {
        let place = file.limit.key_place.unwrap_or_default();
        let (quota, missing) = (&name.value, missing.join(", "));
        let message = format!("quota `{quota}` has no limit for {missing}");
        problems
            .add("PN090", place, message)
            .help("give each role a number, or all others one: `\"*\": 100`");
    }
    let limit = |role: &Role| Some((role.name.clone(), nearest(role)??));
    Some(roles.values().filter_map(limit).collect())
}

fn refuse_unknown(
    role: &At<String>,
    (policy, roles): (&PolicyFile, &BTreeMap<String, Role>),
    problems: &mut Problems,
) {
    let Some(written) = policy.roles.value() else {
        return;
    };
    let is_unread = written.unread.iter().any(|name| name.value == role.value);
    if role.value != EVERY_ROLE && !roles.contains_key(&role.value) && !is_unread {
        let message = format!("role `{}` is not defined", role.value);
        let known = roles.keys().map(String::as_str);
        problems
            .add("PN012", role.place, message)
            .choose_from(&role.value, known.chain([EVERY_ROLE]));
    }
}

/// A number of units.
fn amount(written: &At<LimitFile>, unit: Option<Unit>, problems: &mut Problems) -> Option<u64> {
    let number = match (&written.value, unit) {
        (LimitFile::Number(number), _) => *number,
        (LimitFile::Size(text), Some(Unit::Bytes)) => units::bytes(text, written.place, problems)?,
        (LimitFile::Size(text), Some(unit @ (Unit::Records | Unit::Subjects | Unit::Requests))) => {
            let message = format!("`{text}` is no number of {}", unit.word());
            problems
                .add("PN091", written.place, message)
                .help("a whole number without quotes, such as `200`; only bytes have sizes");
            return None;
        }
        (LimitFile::Size(_), None) => return None,
    };
    if number > LIMIT_MAX {
        let message = format!("a limit is between 0 and {LIMIT_MAX}, here it is {number}");
        problems.add("PN007", written.place, message);
        return None;
    }
    Some(number)
}

/// A count must be somebody's, and a step-up somebody's who can.
fn refuse_without_a_holder(file: &QuotaFile, identity: &IdentityFile, problems: &mut Problems) {
    let Some(from) = identity.from.word() else {
        return;
    };
    let place = value_place(&file.per);
    match file.per.word() {
        Some(Per::Tenant) if !identity.tenant.is_written() => {
            let help = match from {
                From::Jwt => "add `tenant:` to `identity`, such as `$.tenant`",
                From::Header => "add `tenant:` to `identity`, the name of a header",
                From::Mtls | From::Session => "count `per: identity` or `per: role`",
            };
            problems
                .add("PN093", place, "`identity` tells no tenant to count for")
                .help(help);
        }
        Some(Per::Session) if from == From::Header => {
            problems
                .add(
                    "PN093",
                    place,
                    "with `from: header` nobody presents a credential to count for",
                )
                .help("count `per: identity`");
        }
        Some(Per::Identity | Per::Session | Per::Tenant | Per::Role) | None => {}
    }
    if file.on_exceed.word() == Some(OnExceed::StepUp) && matches!(from, From::Mtls | From::Header)
    {
        let word = if from == From::Mtls { "mtls" } else { "header" };
        let message = format!("nobody recognised by `from: {word}` can step up");
        problems
            .add("PN094", value_place(&file.on_exceed), message)
            .help("a step-up asks to sign in again, so it needs `from: jwt` or `from: session`; say `deny` here");
    }
}

fn value_place<T>(slot: &Slot<T>) -> Place {
    slot.found.as_ref().map(|at| at.place).unwrap_or_default()
}
