//! The identity section: which keys go with which source, and whether their values hold.

mod headers;
mod keys;
mod session;

pub(crate) use keys::is_loopback_host;

use std::collections::BTreeMap;

use super::selectors;
use crate::document::Place;
use crate::document::read::{At, Entries, OneOrMany, Slot, Word, Words};
use crate::document::section::Section;
use crate::glob::Glob;
use crate::identity::{CertificateName, IdentityRule, JwtRule, MtlsRule, RoleMap};
use crate::policy::error::Problems;
use crate::policy::file::{From, IdentityFile, RolesFile};
use crate::roles::Role;
use crate::selector::Selector;

impl Words for CertificateName {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("san.uri", Self::SanUri),
        ("san.dns", Self::SanDns),
        ("san.email", Self::SanEmail),
        ("cn", Self::CommonName),
    ];
}

/// Who is asking, when the section is right.
pub(super) fn rule(
    file: &IdentityFile,
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) -> Option<IdentityRule> {
    let from = file.from.word()?;
    refuse_foreign_keys(from, file, problems);
    match from {
        From::Jwt => jwt(file, problems).map(IdentityRule::Jwt),
        From::Mtls => mtls(file, roles, problems).map(IdentityRule::Mtls),
        From::Header => headers::rule(file, problems).map(IdentityRule::Header),
        From::Session => session::rule(file, roles, problems).map(IdentityRule::Session),
    }
}

/// Keys that mean nothing for this source.
fn refuse_foreign_keys(from: From, file: &IdentityFile, problems: &mut Problems) {
    let (name, own): (&str, &[&str]) = match from {
        From::Jwt => (
            "jwt",
            &["issuer", "audience", "keys", "subject", "tenant", "roles"],
        ),
        From::Mtls => ("mtls", &["subject", "roles"]),
        From::Header => ("header", &["subject", "tenant", "roles", "trusted"]),
        From::Session => ("session", &["login", "logout", "roles"]),
    };
    let common = ["from", "without_a_role"];
    let foreign = |key: &str| !common.contains(&key) && !own.contains(&key);
    for (key, place) in file.written() {
        if foreign(key) {
            let keys: Vec<String> = own.iter().map(|key| format!("`{key}`")).collect();
            problems
                .add(
                    "PN030",
                    place,
                    format!("`{key}` does not go with `from: {name}`"),
                )
                .help(format!("the keys of `{name}` are {}", keys.join(", ")));
        }
    }
}

/// A key that this source needs.
fn needed<'a, T>(
    slot: &'a Slot<T>,
    key: &str,
    section: Place,
    problems: &mut Problems,
) -> Option<&'a At<T>> {
    if !slot.is_written() {
        let place = Place {
            width: 1,
            ..section
        };
        problems
            .add("PN004", place, format!("`{key}` is missing here"))
            .help(format!("add `{key}: ...`"));
    }
    slot.found.as_ref()
}

fn jwt(file: &IdentityFile, problems: &mut Problems) -> Option<JwtRule> {
    let issuer = needed(&file.issuer, "issuer", file.place(), problems);
    let issuer = issuer.and_then(|at| not_empty("issuer", at, problems));
    let audience = needed(&file.audience, "audience", file.place(), problems);
    let audience = audience.and_then(|at| not_empty("audience", at, problems));
    let keys = needed(&file.keys, "keys", file.place(), problems);
    let keys = keys.and_then(|at| keys::source(at, problems));
    let subject = needed(&file.subject, "subject", file.place(), problems);
    let subject = subject.and_then(|at| claim(at, problems));
    let tenant = file.tenant.found.as_ref();
    let tenant = tenant.and_then(|at| claim(at, problems));
    let roles = needed(&file.roles, "roles", file.place(), problems);
    let roles = roles.and_then(|at| match &at.value {
        RolesFile::Text(text) => {
            let (value, place) = (text.clone(), at.place);
            claim(&At { value, place }, problems)
        }
        RolesFile::ByPattern(_) => {
            let message = "with `from: jwt`, `roles` is a selector into the claims";
            problems
                .add("PN031", at.place, message)
                .help("for example `$.groups[*]`; groups that are no role are ignored");
            None
        }
    });
    Some(JwtRule {
        issuer: issuer?,
        audience: audience?,
        keys: keys?,
        subject: subject?,
        tenant,
        roles: roles?,
    })
}

fn claim(at: &At<String>, problems: &mut Problems) -> Option<Selector> {
    selectors::read(at, problems)
}

fn not_empty(key: &str, at: &At<String>, problems: &mut Problems) -> Option<String> {
    if at.value.trim().is_empty() {
        problems.add("PN031", at.place, format!("`{key}` is empty"));
        return None;
    }
    Some(at.value.clone())
}

fn mtls(
    file: &IdentityFile,
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) -> Option<MtlsRule> {
    let subject = needed(&file.subject, "subject", file.place(), problems);
    let subject = subject.and_then(|at| certificate_name(at, problems));
    let written = needed(&file.roles, "roles", file.place(), problems)?;
    let RolesFile::ByPattern(entries) = &written.value else {
        let message = "with `from: mtls`, `roles` is a map from patterns to roles";
        problems
            .add("PN031", written.place, message)
            .help("for example `{ \"spiffe://desk/agent/*\": [agent] }`");
        return None;
    };
    let entries = At {
        value: entries,
        place: written.place,
    };
    let entries = by_pattern(&entries, roles, problems).into_iter();
    let entries = entries.map(|(pattern, roles)| (Glob::new(pattern), roles));
    let roles = RoleMap {
        entries: entries.collect(),
    };
    Some(MtlsRule {
        subject: subject?,
        roles,
    })
}

/// Roles by pattern, each of them one of the policy.
fn by_pattern(
    at: &At<&Entries<OneOrMany<String>>>,
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) -> Vec<(String, Vec<String>)> {
    let entries = at.value;
    if entries.read.is_empty() && entries.unread.is_empty() {
        problems.add("PN031", at.place, "`roles` maps no subject to a role");
    }
    let mut patterns = Vec::new();
    for (pattern, OneOrMany(named)) in &entries.read {
        if pattern.value.is_empty() {
            problems.add("PN031", pattern.place, "a pattern is not empty");
        }
        for role in named.iter().filter(|role| !roles.contains_key(&role.value)) {
            let message = format!("role `{}` is not defined", role.value);
            problems
                .add("PN012", role.place, message)
                .choose_from(&role.value, roles.keys().map(String::as_str));
        }
        let named = named.iter().map(|role| role.value.clone()).collect();
        patterns.push((pattern.value.clone(), named));
    }
    patterns
}

fn certificate_name(at: &At<String>, problems: &mut Problems) -> Option<CertificateName> {
    let words = CertificateName::WORDS;
    let found = words.iter().find(|(word, _)| *word == at.value);
    if found.is_none() {
        let message = format!("`{}` is no name of a certificate", at.value);
        problems
            .add("PN031", at.place, message)
            .choose_from(&at.value, words.iter().map(|(word, _)| *word));
    }
    found.map(|(_, name)| Word(*name).0)
}
