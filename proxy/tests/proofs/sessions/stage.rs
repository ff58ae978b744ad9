//! Replicas of Postern in front of one application with a login, and what their clients ask.

use std::net::SocketAddr;

use serde_json::Value;

use super::store::StoreServer;
use crate::client::{Client, Response};
use crate::process::Process;

/// The secret of the key that all replicas have.
pub(super) const KEY: &str = "a secret of the replicas, which is long enough";
/// What stands in the server file for it.
const KEYS: &str = "keys: { sessions: [{ id: s1, secret: env:SESSIONS_KEY }] }\n";
/// The host that every replica serves, whatever its address.
const HOST: &str = "hosts: [desk.example]";

/// The policy: whoever logs in is an agent, who sees no personal data. `bind` is the value of
/// `sessions.bind`.
pub(super) fn policy(bind: &str) -> String {
    format!(
        r#"policy: v1
name: sessions
identity:
  from: session
  login: {{ match: GET /login, success: {{ status: 200 }}, user: {{ json: $.user }} }}
  logout: {{ match: GET /logout }}
  roles: {{ '*': agent }}
  without_a_role: deny
labels:
  pii: Personal data
routes:
  own:
    match: GET /own/{{id}}
    label:
      $.customer.name: pii
      $.customer.email: pii
  lists:
    match: GET /big/{{mib}}
    label:
      $[*].customer.name: pii
      $[*].customer.email: pii
  everything_else:
    match: ANY /{{path...}}
    deny: true
roles:
  agent:
    sees:
      pii: {{ redact: {{ with: "hidden" }} }}
sessions: {{ bind: {bind}, required: {{ export: 0 }} }}
"#
    )
}

/// A replica whose sessions are on this server.
pub(super) async fn replica(store: &StoreServer, origin: SocketAddr) -> Process {
    let folder = tempfile::tempdir().unwrap();
    replica_in(folder, (store, KEY), origin).await
}

/// The same in a folder that another one has left, and with a secret of one's own.
pub(super) async fn replica_in(
    folder: tempfile::TempDir,
    (store, secret): (&StoreServer, &str),
    origin: SocketAddr,
) -> Process {
    let lines = format!("store: {}\n{KEYS}", store.url());
    let variables = [("SESSIONS_KEY", secret.to_owned())];
    let policy = policy("[dpop, context]");
    Process::start_listening(HOST, &variables, (folder, &lines), origin, &policy).await
}

/// One Postern whose sessions are in a file of its own.
pub(super) async fn alone(origin: SocketAddr) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy("[context]");
    Process::start_listening(HOST, &[], (folder, ""), origin, &policy).await
}

/// What a client holds once it has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held(pub(super) String);

impl Held {
    /// Somebody logs in, and has held this until then.
    pub(super) async fn by_login(at: &Process, before: &str) -> Self {
        let mut client = Client::connect(at.data).await.with(before);
        let reply = client.get("/login").await;
        assert_eq!(reply.status, 200, "{reply:?} {}", at.log());
        Self::of(&reply)
    }

    /// The handle in the answer to a login.
    pub(super) fn of(reply: &Response) -> Self {
        let cookie = reply.header("set-cookie").unwrap();
        let pair = cookie.split(';').next().unwrap();
        let (name, handle) = pair.split_once('=').unwrap();
        assert_eq!(name, "__Host-Http-pn");
        Self(handle.to_owned())
    }

    /// As the browser sends it.
    pub(super) fn cookie(&self) -> String {
        format!("Cookie: __Host-Http-pn={}\r\n", self.0)
    }

    /// A GET of whoever holds it, on a connection of its own: the status, and what a refusal says.
    pub(super) async fn get(&self, at: &Process, path: &str) -> (u16, String) {
        told(&ask(at, &self.cookie(), path).await)
    }
}

/// A GET with these fields, on a connection of its own.
pub(super) async fn ask(at: &Process, fields: &str, path: &str) -> Response {
    let mut client = Client::connect(at.data).await.with(fields);
    client.get(path).await
}

/// The status, and the kind of the problem where there is one.
pub(super) fn told(reply: &Response) -> (u16, String) {
    let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let kind = problem["type"].as_str().unwrap_or_default();
    let kind = kind.trim_start_matches("urn:postern:problem:");
    (reply.status, kind.to_owned())
}

/// An answer that lets somebody in.
pub(super) fn served() -> (u16, String) {
    (200, String::new())
}

/// A refusal.
pub(super) fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}
