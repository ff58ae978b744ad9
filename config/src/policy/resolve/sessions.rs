//! The `sessions` section: names, levels and durations, each with what the others allow.
//!
//! Guarantees: an absent key means what [`Sessions::default`] says; a level that nobody could reach and a
//! token that would pass are errors.

mod levels;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::document::Place;
use crate::document::read::{OneOrMany, Slot, Word};
use crate::policy::error::Problems;
use crate::policy::file::{From, PolicyFile, RulesFile, SessionsFile};
use crate::roles::Role;
use crate::routes::Route;
use crate::sessions::{
    BOUND_FOR_SECONDS, Binding, IDLE_SECONDS, LONGEST_SECONDS, MaxSessions, ROTATE_SECONDS,
    RuleAction, RuleId, SESSIONS_MAX, STEP_UP_FOR_SECONDS, Sessions, UNBOUND_FOR_SECONDS,
};
use crate::units::{self, DurationText};

/// The section, when there is one.
pub(super) fn section(
    file: &PolicyFile,
    (roles, routes): (&BTreeMap<String, Role>, &[Route]),
    problems: &mut Problems,
) -> Option<Sessions> {
    let identity = file.identity.value();
    let from = identity.and_then(|identity| Some((identity.from.word()?, place(&identity.from))));
    if let Some((From::Session, place)) = from
        && !file.sessions.is_written()
    {
        problems
            .add("PN098", place, "`from: session` needs a `sessions` section")
            .help("add `sessions: {}`, or with what differs from its defaults");
    }
    let section = file.sessions.value()?;
    let usual = Sessions::default();
    let token = names::token(section.token.value(), problems);
    let decoy = names::decoy(&section.decoy, problems);
    let names = (&token, decoy.as_deref());
    let passthrough = names::passthrough(&section.passthrough, names, problems);
    let longest = lasting("longest", &section.longest, LONGEST_SECONDS, problems);
    let longest = longest.unwrap_or(usual.longest);
    let sessions = Sessions {
        token,
        passthrough,
        decoy,
        client_holds: section.client_holds.word().unwrap_or_default(),
        bind: bind(section, from.map(|(from, _)| from), problems),
        on_mismatch: section.on_mismatch.word().unwrap_or_default(),
        rules: section.rules.value().map(rules).unwrap_or_default(),
        idle: idle(section, (usual.idle, longest), problems),
        longest,
        rotate: lasting("rotate", &section.rotate, ROTATE_SECONDS, problems)
            .unwrap_or(usual.rotate),
        bound_for: lasting("bound_for", &section.bound_for, BOUND_FOR_SECONDS, problems)
            .unwrap_or(usual.bound_for),
        unbound_for: lasting(
            "unbound_for",
            &section.unbound_for,
            UNBOUND_FOR_SECONDS,
            problems,
        )
        .unwrap_or(usual.unbound_for),
        step_up_for: lasting(
            "step_up_for",
            &section.step_up_for,
            STEP_UP_FOR_SECONDS,
            problems,
        )
        .unwrap_or(usual.step_up_for),
        max_sessions: max_sessions(section, usual.max_sessions, problems),
        on_limit: section.on_limit.word().unwrap_or_default(),
        on_store_down: section.on_store_down.word().unwrap_or_default(),
        required: usual.required,
    };
    let required = levels::required(file, section, (roles, routes, &sessions), problems);
    Some(Sessions {
        required,
        ..sessions
    })
}

fn lasting(
    key: &str,
    slot: &Slot<DurationText>,
    bounds: (u64, u64),
    problems: &mut Problems,
) -> Option<Duration> {
    units::seconds(key, slot, bounds, problems)
}

/// How long a session may rest: as written, else as usual but no longer than it may live.
fn idle(
    section: &SessionsFile,
    (usual, longest): (Duration, Duration),
    problems: &mut Problems,
) -> Duration {
    let Some(idle) = lasting("idle", &section.idle, IDLE_SECONDS, problems) else {
        return usual.min(longest);
    };
    if idle > longest {
        let longest = units::written(longest);
        let message = format!("`idle` is at most `longest`, which is {longest} here");
        problems.add("PN007", place(&section.idle), message).help(
            "no session lives long enough to rest that long; shorten `idle` or say `longest`",
        );
    }
    idle
}

/// What may bind a session. SECURITY: behind a neighbour that says who asks, the certificate on the
/// connection is the neighbour's.
fn bind(section: &SessionsFile, from: Option<From>, problems: &mut Problems) -> BTreeSet<Binding> {
    let of_a_neighbour = |binding| from == Some(From::Header) && binding == Binding::Mtls;
    let written = section.bind.value().map(|OneOrMany(all)| all.as_slice());
    let mut bind = BTreeSet::new();
    for at in written.unwrap_or_default() {
        let Word(binding) = at.value;
        if of_a_neighbour(binding) {
            problems
                .add(
                    "PN096",
                    at.place,
                    "with `from: header` the certificate is the neighbour's and binds nobody",
                )
                .help("leave `mtls` out of `bind`");
        }
        if !bind.insert(binding) {
            let message = format!("`{}` is written twice in one list", binding.word());
            problems.add("PN007", at.place, message);
        }
    }
    if bind.is_empty() {
        let usual = Binding::ALL.into_iter();
        bind = usual.filter(|binding| !of_a_neighbour(*binding)).collect();
    }
    bind
}

fn rules(file: &RulesFile) -> BTreeMap<RuleId, RuleAction> {
    let written = |rule| Some((rule, file.action(rule)?));
    RuleId::ALL.into_iter().filter_map(written).collect()
}

fn max_sessions(
    section: &SessionsFile,
    usual: MaxSessions,
    problems: &mut Problems,
) -> MaxSessions {
    let Some(written) = section.max_sessions.value() else {
        return usual;
    };
    let mut number = |key, slot| {
        let number = units::number(key, slot, 1..=SESSIONS_MAX, problems);
        number.and_then(|number| u32::try_from(number).ok())
    };
    MaxSessions {
        browser: number("browser", &written.browser).unwrap_or(usual.browser),
        api: number("api", &written.api).unwrap_or(usual.api),
    }
}

fn place<T>(slot: &Slot<T>) -> Place {
    slot.found.as_ref().map(|at| at.place).unwrap_or_default()
}
