//! People with a session: what `{{SESSION:x}}` stands for in an entry, and whether each of them is still let in.
//!
//! They log in through Postern, with the stage's upstream as the application. It gives all of them the same
//! cookie, the catalogue's canary, which none of them may ever see; and what they are given themselves is in no log
//! and no metric.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use postern_config::sessions::hot_names::{BOUND_COOKIE, HANDLE_COOKIE};

use super::bodies;
use super::catalogue::Entry;
use super::client::Sending;
use super::exchange::Suite;
use super::messages::find;
use super::records;
use super::scan::Views;
use super::stage::Stage;
use super::tokens::Tokens;
use super::upstream::Script;
use super::wire::{self, Answer};

/// The application's own session.
pub(super) const APPLICATIONS: &str = "sess_ZQXTOKEN88ab41";
/// Policy files in which the application's login says who asks.
const BY_LOGIN: [&str; 2] = ["session", "bound"];
/// Policy files in which a token says so, and the application's session is kept beside it.
const BY_TOKEN: [&str; 1] = ["session_jwt"];
/// What the catalogue calls the cookie with the handle.
const CATALOGUES_COOKIE: &str = "__Host-sid";

/// Handles by name.
#[derive(Clone, Default)]
pub(super) struct Handles(BTreeMap<String, String>);

/// Who has logged in at a stage.
#[derive(Default)]
pub(super) struct Visitors {
    /// Who sends the good requests.
    guest: Mutex<Option<String>>,
    /// Whom the last run named.
    present: Mutex<Handles>,
    /// Every handle that was given out.
    given: Mutex<Vec<String>>,
}

impl Handles {
    /// One handle, as somebody's.
    pub(super) fn one(who: &str, handle: &str) -> Self {
        Self([(who.to_owned(), handle.to_owned())].into())
    }

    /// Logs in everybody whom an entry names; none where the stage has no sessions.
    pub(super) async fn of_entry(
        suite: &Suite,
        stage: &Stage,
        entry: &Entry,
    ) -> Result<Option<Self>, String> {
        if !has_sessions(&stage.policy) {
            return Ok(None);
        }
        let mut handles = Self::default();
        for who in named_in(entry) {
            let handle = sign_in(stage, &suite.tokens, &who, "").await?;
            handles.0.insert(who, handle);
        }
        *stage.visitors.present.lock().expect("visitors") = handles.clone();
        Ok(Some(handles))
    }

    /// Somebody's handle.
    pub(super) fn of(&self, who: &str) -> &str {
        let handle = self.0.get(who);
        handle.unwrap_or_else(|| panic!("{who} has not logged in"))
    }

    /// A text with our cookie's real name in place of the catalogue's, in the spelling of each place.
    pub(super) fn with_our_name(text: &str) -> String {
        text.replace(CATALOGUES_COOKIE, HANDLE_COOKIE).replace(
            &CATALOGUES_COOKIE.to_ascii_lowercase(),
            &HANDLE_COOKIE.to_ascii_lowercase(),
        )
    }
}

/// Whether a policy file keeps sessions.
fn has_sessions(policy: &str) -> bool {
    BY_LOGIN.contains(&policy) || BY_TOKEN.contains(&policy)
}

/// I7: cookies leave only where there are sessions, and then only ours, with values that only we make or that take
/// them away.
pub(super) fn cookies_are_ours(answer: &Answer, policy: &str) -> bool {
    let head = answer.head.iter();
    let mut cookies = head.flat_map(|head| head.all("set-cookie"));
    cookies.all(|cookie| {
        let pair = cookie.split(';').next().unwrap_or_default();
        let ours = match pair.split_once('=') {
            Some((HANDLE_COOKIE, value)) => value.is_empty() || value.starts_with("pnh_"),
            Some((BOUND_COOKIE, value)) => value.is_empty(),
            Some(_) | None => false,
        };
        ours && has_sessions(policy)
    })
}

fn named_in(entry: &Entry) -> BTreeSet<String> {
    let request = &entry.request;
    let parts = request.parts.iter().map(|part| part.data.as_str());
    let fields = request.headers.iter().map(|(_, value)| value.as_str());
    let texts = parts
        .chain(fields)
        .chain(entry.variants.iter().map(String::as_str));
    let named = texts.flat_map(|text| text.split("{{SESSION:").skip(1));
    let named = named.filter_map(|rest| rest.split("}}").next());
    named.map(str::to_owned).collect()
}

/// Logs somebody in with a client that sends these fields with every request, and says what handle it was given.
/// `loggedout` is an agent who has logged out again.
pub(super) async fn sign_in(
    stage: &Stage,
    tokens: &Tokens,
    who: &str,
    fields: &str,
) -> Result<String, String> {
    let name = match who {
        "loggedout" => "agent",
        other => other,
    };
    stage.upstream.play(logged_in(name));
    let (line, fields) = match BY_LOGIN.contains(&stage.policy.as_str()) {
        true => ("GET /login/callback?code=x", fields.to_owned()),
        false => (
            "GET /api/cases/1",
            format!("{fields}Authorization: Bearer {}\r\n", tokens.good(name)),
        ),
    };
    let answer = ask(stage, line, &fields).await?;
    let status = answer.status();
    let handle = handle_in(&answer).ok_or_else(|| format!("{who} got {status} and no handle"))?;
    stage.visitors.note(&handle);
    if who == "loggedout" {
        let cookie = cookie(&handle);
        let fields = format!("{fields}{cookie}Content-Length: 0\r\n");
        let status = ask(stage, "POST /logout", &fields).await?.status();
        if status != 200 {
            return Err(format!("a logout got {status}"));
        }
    }
    Ok(handle)
}

/// What the application answers to whoever logs in, and says of who that was.
pub(super) fn logged_in(name: &str) -> Script {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let set = format!("Set-Cookie: sid={APPLICATIONS}; Path=/; HttpOnly\r\n");
    Script {
        bytes: format!("{head}{set}Content-Length: 11\r\n\r\n{{\"ok\":true}}").into_bytes(),
        ..Script::default().named(name)
    }
}

impl Script {
    /// The same from an application that says, when it is asked, that this is who has logged in.
    pub(super) fn named(mut self, name: &str) -> Self {
        let says = bodies::json(&format!("{{\"user\":\"{name}\"}}"));
        self.beside = Some(("/me".to_owned(), says));
        self
    }
}

impl Visitors {
    /// Takes note of a handle that was given out.
    pub(super) fn note(&self, handle: &str) {
        self.given.lock().expect("visitors").push(handle.to_owned());
    }
}

/// The handle that an answer gives.
pub(super) fn handle_in(answer: &Answer) -> Option<String> {
    let head = answer.head.as_ref()?;
    let mut cookies = head.all("set-cookie");
    let handle =
        cookies.find_map(|cookie| cookie.strip_prefix(HANDLE_COOKIE)?.strip_prefix('='))?;
    let handle = handle.split(';').next().unwrap_or_default();
    handle.starts_with("pnh_").then(|| handle.to_owned())
}

/// The field with a handle.
pub(super) fn cookie(handle: &str) -> String {
    format!("Cookie: {HANDLE_COOKIE}={handle}\r\n")
}

/// Asks for something, with these fields.
pub(super) async fn ask(stage: &Stage, line: &str, fields: &str) -> Result<Answer, String> {
    let host = stage.host();
    let sending = Sending {
        bytes: format!("{line} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").into_bytes(),
        ..Sending::default()
    };
    let capture = stage.send(&sending, false).await;
    wire::read(&capture.bytes, &sending.method(), true)
}

/// Asks for a case that has something to hide.
pub(super) async fn ask_for_a_case(stage: &Stage, fields: &str) -> Result<Answer, String> {
    stage.upstream.play(Script {
        bytes: bodies::json(r#"{"id":1,"ssn":"912-04-7731"}"#),
        ..Script::default()
    });
    ask(stage, "GET /api/cases/1", fields).await
}

/// Whoever was named by the last run and has not logged out is let in by their handle alone, sees what they may,
/// and the application gets its own session back.
pub(super) async fn all_are_still_in(suite: &Suite, stage: &Stage) -> Result<(), String> {
    let present = std::mem::take(&mut *stage.visitors.present.lock().expect("visitors"));
    for (who, handle) in present.0.iter().filter(|(who, _)| *who != "loggedout") {
        let mut fields = cookie(handle);
        if BY_TOKEN.contains(&stage.policy.as_str()) {
            fields += &format!("Authorization: Bearer {}\r\n", suite.tokens.good(who));
        }
        let answer = ask_for_a_case(stage, &fields).await?;
        let sees = find(&answer.body, b"912-04-7731").is_some();
        let requests = stage.upstream.seen().requests.concat();
        let restored = find(&requests, format!("sid={APPLICATIONS}").as_bytes()).is_some();
        if answer.status() != 200 || sees != (who == "admin") || !restored {
            let status = answer.status();
            return Err(format!(
                "{who}'s own session is worth nothing: {status}, sees all: {sees}, the application's session: {restored}"
            ));
        }
    }
    Ok(())
}

/// What a good request brings beside its token: the handle of a guest, where a login says who asks.
pub(super) async fn cookie_of_a_good_request(
    stage: &Stage,
    tokens: &Tokens,
) -> Result<String, String> {
    if !BY_LOGIN.contains(&stage.policy.as_str()) {
        return Ok(String::new());
    }
    let known = stage.visitors.guest.lock().expect("visitors").clone();
    let handle = match known {
        Some(handle) => handle,
        None => sign_in(stage, tokens, "agent", "").await?,
    };
    *stage.visitors.guest.lock().expect("visitors") = Some(handle.clone());
    Ok(cookie(&handle))
}

/// I9 for sessions: no log, no metric and no record holds a handle that was given out, or the application's session.
pub(super) async fn are_secret(suite: &Suite, stage: &Stage) -> Result<(), String> {
    if !has_sessions(&stage.policy) {
        return Ok(());
    }
    let mut secrets = stage.visitors.given.lock().expect("visitors").clone();
    secrets.push(APPLICATIONS.to_owned());
    suite.logs.hold_none_of(&secrets)?;
    records::holds_none_of(&records::folder(stage.folder.path()), &secrets)?;
    let metrics = stage.metrics().await;
    let views = Views::of(&metrics, &metrics);
    match secrets.iter().any(|secret| views.find(secret).is_some()) {
        true => Err("I9: the metrics hold a session".to_owned()),
        false => Ok(()),
    }
}
