//! The people of the soak: what they ask, in turns, and what they make of the answers.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::desk::{MAIL, NAME};
use crate::client::{Client, Response};

/// The cookie that holds a session.
const HANDLE: &str = "__Host-Http-pn";

/// Somebody who works at the desk.
pub(super) struct Person {
    name: String,
    is_lead: bool,
    address: SocketAddr,
    client: Option<Client>,
    /// The field with the session's handle; empty before a login.
    cookie: String,
    turn: usize,
    tally: Tally,
}

/// How often each answer came, by what was asked and how that ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<(&'static str, String), usize>,
    unredacted: usize,
    mixed: usize,
}

impl Person {
    pub(super) fn of(number: usize, address: SocketAddr) -> Self {
        let is_lead = number.is_multiple_of(3);
        let role = if is_lead { "lead" } else { "agent" };
        Self {
            name: format!("{role}-{number}"),
            is_lead,
            address,
            client: None,
            cookie: String::new(),
            turn: number,
            tally: Tally::default(),
        }
    }

    /// Works until it is time to stop.
    pub(super) async fn work(mut self, stop: Arc<AtomicBool>) -> Tally {
        while !stop.load(Ordering::SeqCst) {
            self.turn += 1;
            if self.cookie.is_empty() {
                let login = format!("/login/{}", self.name);
                self.ask("login", &login).await;
                continue;
            }
            let turn = self.turn;
            match turn % 50 {
                3 => self.ask("list", "/lists/20").await,
                7 => self.ask("list", "/lists/200").await,
                11 => self.ask("export", "/lists/2000").await,
                13 => self.ask("broken", &format!("/broken/{}", turn % 400)).await,
                17 => self.ask("reset", &format!("/reset/{}", turn % 400)).await,
                19 => {
                    self.ask("broken late", &format!("/broken/{}", 66_000 + turn % 900))
                        .await;
                }
                23 => {
                    self.ask("reset late", &format!("/reset/{}", 66_000 + turn % 900))
                        .await;
                }
                29 => self.ask("slow", "/slow/20").await,
                31 => self.client = None,
                37 => self.hang_up("/lists/2000").await,
                41 => self.ask("closed", "/nowhere").await,
                49 if turn.is_multiple_of(3) => {
                    self.ask("logout", "/logout").await;
                    self.cookie.clear();
                }
                _ => self.ask("case", &format!("/cases/{turn}")).await,
            }
        }
        self.tally
    }

    /// Asks for something and leaves before the answer has come.
    async fn hang_up(&mut self, path: &str) {
        let mut client = self.connected().await;
        client.send(path).await;
    }

    async fn connected(&mut self) -> Client {
        let client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.address).await,
        };
        client.with(&self.cookie)
    }

    async fn ask(&mut self, what: &'static str, path: &str) {
        let mut client = self.connected().await;
        client.send(path).await;
        let response = client.response().await;
        self.follow(&response);
        self.note(what, &response);
        let closes = response.header("connection") == Some("close");
        self.client = (response.complete && !closes).then_some(client);
    }

    /// Keeps the handle that an answer brings, and logs in again when there is no session any more.
    fn follow(&mut self, response: &Response) {
        let brought = response.header("set-cookie").and_then(|cookie| {
            let value = cookie.strip_prefix(HANDLE)?.strip_prefix('=')?;
            value.split(';').next()
        });
        if let Some(handle) = brought.filter(|handle| !handle.is_empty()) {
            self.cookie = format!("Cookie: {HANDLE}={handle}\r\n");
        }
        if response.status == 401 {
            self.cookie.clear();
        }
    }

    fn note(&mut self, what: &'static str, response: &Response) {
        let body = String::from_utf8_lossy(&response.body);
        let shown = body.contains(MAIL) || (!self.is_lead && body.contains(NAME));
        self.tally.unredacted += usize::from(shown);
        let of = |constant: &str| body.matches(&format!("\"{constant}\"")).count();
        let (old, new) = (of("old"), of("new"));
        self.tally.mixed += usize::from(old > 0 && new > 0);
        let ending = match (response.status, response.complete) {
            (0, _) => "nothing".to_owned(),
            (200, true) => {
                let cases = body.matches("\"id\":").count();
                let hidden = if self.is_lead { cases } else { 2 * cases };
                match old + new == hidden {
                    true => "200".to_owned(),
                    false => "200 with another number of constants".to_owned(),
                }
            }
            (200, false) => "200, cut".to_owned(),
            (status, true) => format!("{status} {}", problem(&body)),
            (status, false) => format!("{status}, cut"),
        };
        self.tally.count((what, ending), 1);
    }
}

/// The kind of a problem.
fn problem(body: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let kind = problem["type"].as_str().unwrap_or_default();
    kind.trim_start_matches("urn:postern:problem:").to_owned()
}

impl Tally {
    fn count(&mut self, of: (&'static str, String), times: usize) {
        *self.counts.entry(of).or_default() += times;
    }

    pub(super) fn add_all(&mut self, other: Self) {
        for (of, times) in other.counts {
            self.count(of, times);
        }
        self.unredacted += other.unredacted;
        self.mixed += other.mixed;
    }

    pub(super) fn answers(&self) -> usize {
        self.counts.values().sum()
    }

    /// Nothing hidden left, no answer was of two policies, and each ended as such a request may.
    pub(super) fn judge(&self, log: &str) {
        assert_eq!(
            (self.unredacted, self.mixed),
            (0, 0),
            "unredacted, mixed: {log}"
        );
        for (what, ending) in self.counts.keys() {
            let busy = ["503 ", "429 quota-exceeded"]
                .iter()
                .any(|may| ending.starts_with(may));
            let fits = match *what {
                "broken" | "reset" => ending.starts_with("502 "),
                "broken late" | "reset late" => ending == "200, cut" || ending.starts_with("502 "),
                "closed" => ending == "403 route-denied",
                "export" => ending == "200" || ending == "200, cut",
                _ => ending == "200",
            };
            assert!(fits || busy, "{what}: {ending}: {self}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((what, ending), times) in &self.counts {
            writeln!(f, "    {times:>8} {what}: {ending}")?;
        }
        write!(
            f,
            "    {} unredacted, {} of two policies",
            self.unredacted, self.mixed
        )
    }
}
