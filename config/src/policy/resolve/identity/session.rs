//! `from: session`: which answers are logins, and who has logged in.

use std::collections::BTreeMap;

use super::{by_pattern, claim, needed, not_empty};
use crate::document::read::{At, OneOrMany, Slot};
use crate::document::section::Section;
use crate::glob::Glob;
use crate::identity::{
    LoginRoute, LoginSuccess, RoleMap, SessionRoles, SessionRule, UserSource, typed_name,
};
use crate::policy::error::Problems;
use crate::policy::file::{IdentityFile, LoginFile, RolesFile, SuccessFile, UserFile};
use crate::policy::resolve::{matches, selectors};
use crate::roles::Role;
use crate::routes::{PathPart, RouteMatch, RouteMethod};

/// The statuses of a successful login.
const STATUS_MIN: u64 = 200;
const STATUS_MAX: u64 = 399;

/// Who logs in, when the section is right.
pub(super) fn rule(
    file: &IdentityFile,
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) -> Option<SessionRule> {
    let login = needed(&file.login, "login", file.place(), problems);
    let is_form =
        login.is_some_and(|at| at.value.user.value().is_some_and(|u| u.form.is_written()));
    let login = login.and_then(|at| route(&at.value, problems));
    let logout = file.logout.value();
    let logout = logout.map(|logout| lines(&logout.matches, problems));
    let mapped = needed(&file.roles, "roles", file.place(), problems);
    let mapped = mapped.and_then(|at| match &at.value {
        RolesFile::ByPattern(entries) => {
            let entries = by_pattern(
                &At {
                    value: entries,
                    place: at.place,
                },
                roles,
                problems,
            );
            let glob = |pattern: String| match is_form {
                true => Glob::new(typed_name(&pattern)),
                false => Glob::new(pattern),
            };
            let entries = entries.into_iter();
            let entries = entries
                .map(|(pattern, roles)| (glob(pattern), roles))
                .collect();
            Some(SessionRoles::ByUser(RoleMap { entries }))
        }
        RolesFile::Text(_) if is_form => {
            let message = "with `user: { form: ... }` no answer is read that could hold roles";
            problems
                .add("PN097", at.place, message)
                .help("map names to roles, `{ \"*\": [agent] }`, or read the user from an answer");
            None
        }
        RolesFile::Text(text) => {
            let (value, place) = (text.clone(), at.place);
            claim(&At { value, place }, problems).map(SessionRoles::FromAnswer)
        }
    });
    Some(SessionRule {
        login: login?,
        logout: logout.unwrap_or_default(),
        roles: mapped?,
    })
}

fn route(file: &LoginFile, problems: &mut Problems) -> Option<LoginRoute> {
    let matches = lines(&file.matches, problems);
    let success = file.success.found.as_ref();
    let success = success.map(|at| success_of(at, problems));
    let user = file.user.found.as_ref();
    let user = user.and_then(|at| user_of(at, problems));
    Some(LoginRoute {
        matches,
        success: success?,
        user: user?,
    })
}

/// SECURITY: a line that begins with a parameter would let everybody ask for anything, or end a session
/// with every request.
fn lines(slot: &Slot<OneOrMany<String>>, problems: &mut Problems) -> Vec<RouteMatch> {
    let written = slot.value().map(|OneOrMany(lines)| lines.as_slice());
    let mut read = Vec::new();
    for line in written.unwrap_or_default() {
        let Some(one) = matches::read(line, problems) else {
            continue;
        };
        match one.path.first() {
            Some(PathPart::Parameter(_) | PathPart::Rest(_)) => {
                let message = format!("`{}` is too wide for a login or logout", line.value);
                problems
                    .add("PN097", line.place, message)
                    .help("begin its path with a literal segment, such as `POST /login`");
            }
            Some(PathPart::Literal(_)) | None => read.push(one),
        }
    }
    read
}

fn success_of(at: &At<SuccessFile>, problems: &mut Problems) -> LoginSuccess {
    let file = &at.value;
    if file.written().is_empty() {
        problems
            .add("PN097", at.place, "nothing says when a login succeeded")
            .help(
                "`status`, `location` or `json`: what the answer to a failed login does not have",
            );
    }
    let written = file.status.value().map(|OneOrMany(all)| all.as_slice());
    let mut status = Vec::new();
    for at in written.unwrap_or_default() {
        match u16::try_from(at.value) {
            Ok(one) if (STATUS_MIN..=STATUS_MAX).contains(&at.value) => status.push(one),
            Ok(_) | Err(_) => {
                let message = format!(
                    "`status` is between {STATUS_MIN} and {STATUS_MAX}, here it is {}",
                    at.value
                );
                problems.add("PN007", at.place, message);
            }
        }
    }
    let location = file.location.found.as_ref();
    let json = file.json.found.as_ref();
    LoginSuccess {
        status,
        location: location
            .and_then(|at| not_empty("location", at, problems))
            .map(Glob::new),
        json: json.and_then(|at| selectors::read(at, problems)),
    }
}

fn user_of(at: &At<UserFile>, problems: &mut Problems) -> Option<UserSource> {
    let file = &at.value;
    let (form, json, follow) = (&file.form, &file.json, &file.follow);
    match (form.is_written(), json.is_written(), follow.is_written()) {
        (false, false, false) => {
            problems
                .add("PN097", at.place, "nothing says who has logged in")
                .help("`{ form: username }`, `{ json: $.user.id }` or `{ follow: GET /me, json: $.id }`");
            None
        }
        (true, false, false) => {
            let field = not_empty("form", form.found.as_ref()?, problems)?;
            Some(UserSource::Form { field })
        }
        (false, true, false) => {
            selectors::read(json.found.as_ref()?, problems).map(UserSource::Answer)
        }
        (false, _, true) => {
            let user = needed(json, "json", file.place(), problems);
            let user = user.and_then(|at| selectors::read(at, problems));
            let path = follow.found.as_ref().and_then(|at| path_of(at, problems));
            Some(UserSource::FollowUp {
                path: path?,
                user: user?,
            })
        }
        (true, _, _) => {
            problems
                .add(
                    "PN097",
                    at.place,
                    "`form` does not go with `json` and `follow`",
                )
                .help(
                    "the name is read in one place: keep the one that the application decides by",
                );
            None
        }
    }
}

/// The path of a GET without parameters.
fn path_of(line: &At<String>, problems: &mut Problems) -> Option<String> {
    let read = matches::read(line, problems)?;
    let is_get = read.method == RouteMethod::Exactly("GET".to_owned());
    let literals = read.path.iter().map(|part| match part {
        PathPart::Literal(text) => Some(text.as_str()),
        PathPart::Parameter(_) | PathPart::Rest(_) => None,
    });
    let literals: Option<Vec<&str>> = literals.collect();
    let path = literals
        .filter(|_| is_get)
        .map(|all| format!("/{}", all.join("/")));
    if path.is_none() {
        let message = format!("`{}` cannot be asked to tell who has logged in", line.value);
        problems
            .add("PN097", line.place, message)
            .help("`GET` and a path without parameters, such as `GET /me`");
    }
    path
}
