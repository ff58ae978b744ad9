//! Names of tokens, of cookies that pass, and of the decoy.

use crate::document::read::{At, OneOrMany, Slot};
use crate::glob::Glob;
use crate::policy::error::Problems;
use crate::policy::file::TokenFile;
use crate::rfc9110;
use crate::sessions::hot_names::{BOUND_COOKIE, HANDLE_COOKIE};
use crate::sessions::{NAMES_MAX, TokenNames, folded};

/// The longest name, in characters.
const NAME_MAX: usize = 128;

/// The names that a policy adds to those that are always tokens.
pub(super) fn token(file: Option<&TokenFile>, problems: &mut Problems) -> TokenNames {
    let Some(file) = file else {
        return TokenNames::default();
    };
    TokenNames {
        cookies: patterns(&file.cookies, Kind::new("cookie", is_token), problems),
        headers: patterns(&file.headers, Kind::new("header", is_token), problems),
        query: patterns(&file.query, Kind::new("parameter", is_text), problems),
        json: patterns(&file.json, Kind::MEMBER, problems),
    }
}

/// How the names of a list are read.
#[derive(Clone, Copy)]
struct Kind {
    what: &'static str,
    is_name: fn(&str) -> bool,
    /// As they are compared.
    compared: fn(&str) -> String,
}

impl Kind {
    const MEMBER: Self = Self {
        what: "member",
        is_name: is_text,
        compared: folded,
    };

    /// One whose names are compared as they are written.
    fn new(what: &'static str, is_name: fn(&str) -> bool) -> Self {
        Self {
            what,
            is_name,
            compared: str::to_owned,
        }
    }
}

/// The patterns of a list, as they are compared.
fn patterns(slot: &Slot<OneOrMany<String>>, kind: Kind, problems: &mut Problems) -> Vec<Glob> {
    let Kind {
        what,
        is_name,
        compared,
    } = kind;
    let written = slot.value().map(|OneOrMany(names)| names.as_slice());
    let written = written.unwrap_or_default();
    refuse_too_many(written, problems);
    let mut patterns: Vec<Glob> = Vec::new();
    for at in written {
        let name = at.value.as_str();
        let kept = compared(name);
        if !is_name(name) || name.chars().count() > NAME_MAX {
            let message = format!("`{name}` is no {what} name");
            problems
                .add("PN095", at.place, message)
                .help(form_of(what, "`*` stands for any run of characters"));
        } else if kept.bytes().all(|byte| byte == b'*') {
            let message = format!("`{name}` would take every {what} for a token");
            problems
                .add("PN095", at.place, message)
                .help("name at least one character of what is a token");
        } else if patterns
            .iter()
            .any(|other| other.text().eq_ignore_ascii_case(&kept))
        {
            twice(at, problems);
        } else {
            patterns.push(Glob::new(kept));
        }
    }
    patterns
}

/// The cookies that may reach the client.
pub(super) fn passthrough(
    slot: &Slot<Vec<At<String>>>,
    (token, decoy): (&TokenNames, Option<&str>),
    problems: &mut Problems,
) -> Vec<String> {
    let written = slot.value().map(Vec::as_slice).unwrap_or_default();
    refuse_too_many(written, problems);
    for (index, at) in written.iter().enumerate() {
        let name = at.value.as_str();
        if !is_exact_cookie(at, problems) {
            continue;
        }
        let is_decoy = decoy.is_some_and(|decoy| decoy.eq_ignore_ascii_case(name));
        if token.is_cookie(name) {
            let message = format!("`{name}` is a session token and cannot pass");
            problems
                .add("PN095", at.place, message)
                .help("the client holds a handle instead; take it off the list");
        } else if is_decoy {
            let message = format!("`{name}` is the decoy and cannot pass");
            problems
                .add("PN095", at.place, message)
                .help("give the decoy another name, or take it off the list");
        } else if written.iter().take(index).any(|other| other.value == name) {
            twice(at, problems);
        }
    }
    written.iter().map(|at| at.value.clone()).collect()
}

/// The cookie that only a thief presents.
pub(super) fn decoy(slot: &Slot<String>, problems: &mut Problems) -> Option<String> {
    let at = slot.found.as_ref()?;
    is_exact_cookie(at, problems).then(|| at.value.clone())
}

/// A cookie's name without `*`, and none of ours.
fn is_exact_cookie(at: &At<String>, problems: &mut Problems) -> bool {
    let name = at.value.as_str();
    if !is_token(name) || name.contains('*') || name.chars().count() > NAME_MAX {
        let message = format!("`{name}` is no cookie name");
        problems
            .add("PN095", at.place, message)
            .help(form_of("cookie", "it is named exactly, without `*`"));
        return false;
    }
    let ours = [HANDLE_COOKIE, BOUND_COOKIE];
    if ours.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        let message = format!("the cookie `{name}` is ours");
        problems
            .add("PN095", at.place, message)
            .help("the application's cookies have other names");
        return false;
    }
    true
}

fn refuse_too_many(written: &[At<String>], problems: &mut Problems) {
    if let Some(at) = written.get(NAMES_MAX) {
        let message = format!("a list of names has at most {NAMES_MAX}");
        problems
            .add("PN007", at.place, message)
            .help("`*` stands for any run of characters, so that one name stands for many");
    }
}

fn twice(at: &At<String>, problems: &mut Problems) {
    let message = format!("`{}` is written twice in one list", at.value);
    problems.add("PN007", at.place, message);
}

fn form_of(what: &str, star: &str) -> String {
    match what {
        "cookie" | "header" => format!("letters, digits and `-_.` or another mark; {star}"),
        _ => format!("at least one character, and no control characters; {star}"),
    }
}

/// A token of RFC 9110 section 5.6.2, which names of cookies and of header fields are.
fn is_token(name: &str) -> bool {
    rfc9110::is_token(name)
}

fn is_text(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}
