//! `postern sessions list | show | revoke`: whose sessions there are, asked of a running Postern.
//!
//! Nothing is read from the store itself: it is sealed, and an end must cut what runs.

use std::path::Path;

use clap::{Args, Subcommand};
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::admin_client::{AdminClient, AskError};
use super::output::{Exit, Format, Output};
use super::{quotas, wording};
use crate::clock::{Clock as _, SystemClock, unix_millis};

/// The arguments of `postern sessions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List sessions, oldest first
    List {
        /// Only of this person, exactly as listed
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
        /// Also those from before a login, which are nobody's
        #[arg(long)]
        anonymous: bool,
    },
    /// Show one session
    Show {
        /// Its id
        sid: String,
    },
    /// End a session, or all of one person, and cut what runs in it; leaves a record with the reason
    Revoke(Ending),
}

/// Which sessions are to be ended, and why.
#[derive(Debug, Args)]
struct Ending {
    /// The session's id
    #[arg(required_unless_present = "who", conflicts_with = "who")]
    sid: Option<String>,
    /// All sessions of this person, exactly as listed
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    let (method, path) = match &arguments.command {
        Command::List { who, anonymous } => {
            let query = quotas::query(&[
                ("who", who.as_deref()),
                ("anonymous", anonymous.then_some("true")),
            ]);
            (Method::GET, format!("/sessions{query}"))
        }
        Command::Show { sid } => {
            let sid = utf8_percent_encode(sid, NON_ALPHANUMERIC);
            (Method::GET, format!("/sessions/{sid}"))
        }
        Command::Revoke(ending) => {
            let query = quotas::query(&[
                ("sid", ending.sid.as_deref()),
                ("who", ending.who.as_deref()),
                ("reason", Some(&ending.reason)),
            ]);
            (Method::POST, format!("/sessions/revoke{query}"))
        }
    };
    AdminClient::run(config, output, |client| {
        Ok::<_, AskError>(match client.ask(method, &path)? {
            (StatusCode::OK, answer) => tell(&arguments.command, &answer, output),
            (status, answer) => refused(status, &answer, output),
        })
    })
}

fn refused(status: StatusCode, answer: &Value, output: &Output) -> Exit {
    let error = answer.get("error").and_then(Value::as_str);
    output.error(error.map_or_else(
        || format!("the admin listener answers {status}"),
        str::to_owned,
    ));
    match status {
        StatusCode::BAD_REQUEST => Exit::Unreadable,
        StatusCode::NOT_FOUND => Exit::Findings,
        _ => Exit::Unreachable,
    }
}

fn tell(command: &Command, answer: &Value, output: &Output) -> Exit {
    if let Some(note) = answer.get("note").and_then(Value::as_str) {
        output.note(note);
    }
    let json = output.format() == Format::Json;
    if json {
        output.json(answer);
    }
    match command {
        Command::Revoke(_) => match answer.get("revoked").and_then(Value::as_u64) {
            Some(count) if count > 0 => {
                if !json {
                    output.summary(&format!("revoked {count}\n"));
                }
                Exit::Fine
            }
            Some(_) | None => {
                output.error("no such session is alive; `postern sessions list` shows what is");
                Exit::Findings
            }
        },
        Command::List { .. } if !json => {
            listed(answer, output);
            Exit::Fine
        }
        Command::Show { .. } if !json => {
            output.text(&one(answer, now_seconds()));
            Exit::Fine
        }
        Command::List { .. } | Command::Show { .. } => Exit::Fine,
    }
}

fn listed(answer: &Value, output: &Output) {
    let rows = answer.get("sessions").and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    match rows.is_empty() {
        true => output.text("no sessions\n"),
        false => output.text(&table(rows, now_seconds())),
    }
    if answer.get("more") == Some(&Value::Bool(true)) {
        output.note("there are more; ask for one person with `--who`");
    }
    match answer.get("unreadable").and_then(Value::as_u64) {
        None | Some(0) => {}
        Some(count) => output.note(format_args!(
            "{count} in the store were not written by this Postern, or with a key that is gone"
        )),
    }
}

/// Sessions as a table.
fn table(sessions: &[Value], now: u64) -> String {
    let head = [
        "sid",
        "who",
        "roles",
        "client",
        "began",
        "last seen",
        "state",
    ];
    let head = head.map(str::to_owned).to_vec();
    let rows = sessions.iter().map(|session| {
        vec![
            text(session, "/sid"),
            text(session, "/who/subject"),
            text(session, "/who/roles"),
            text(session, "/client"),
            when(session, "/created", now),
            when(session, "/last_seen", now),
            state(session, now),
        ]
    });
    wording::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// One session, a line for each thing that is known of it.
fn one(session: &Value, now: u64) -> String {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    wording::table(&[
        row("sid", text(session, "/sid")),
        row("who", text(session, "/who/subject")),
        row("issuer", text(session, "/who/issuer")),
        row("tenant", text(session, "/who/tenant")),
        row("roles", text(session, "/who/roles")),
        row("client", text(session, "/client")),
        row("began", when(session, "/created", now)),
        row("last seen", when(session, "/last_seen", now)),
        row("state", state(session, now)),
        row("ends unused", when(session, "/idle_end", now)),
        row("ends at last", when(session, "/end", now)),
    ])
}

/// `alive`, `expired`, or why and when it was ended.
fn state(session: &Value, now: u64) -> String {
    match session.pointer("/ended/reason").and_then(Value::as_str) {
        Some(reason) => format!("ended ({reason}) {}", when(session, "/ended/at", now)),
        None => text(session, "/state"),
    }
}

fn text(session: &Value, pointer: &str) -> String {
    match session.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => wording::list(words.iter().filter_map(Value::as_str)),
        Some(other) => other.to_string(),
    }
}

/// `3 min ago`, `in 2 h`.
fn when(session: &Value, pointer: &str, now: u64) -> String {
    let Some(at) = session.pointer(pointer).and_then(Value::as_u64) else {
        return "-".to_owned();
    };
    let seconds = now.abs_diff(at);
    let long = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        172_800.. => format!("{} d", seconds / 86_400),
    };
    match at > now {
        true => format!("in {long}"),
        false => format!("{long} ago"),
    }
}

fn now_seconds() -> u64 {
    unix_millis(SystemClock.wall()) / 1_000
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session() -> Value {
        json!({
            "sid": "01K", "client": "browser", "state": "alive",
            "who": { "issuer": "session", "subject": "ann\u{1b}[2J", "tenant": null, "roles": ["agent", "boss"] },
            "created": 1_000, "last_seen": 9_940, "idle_end": 10_840, "end": 44_200, "ended": null,
        })
    }

    #[test]
    fn a_list_is_a_table_and_a_name_moves_no_cursor() {
        let mut ended = session();
        ended["ended"] = json!({ "at": 9_999, "reason": "H06" });
        ended["who"] = Value::Null;
        let shown = table(&[session(), ended], 10_000);
        let expected = "\
sid  who      roles        client   began    last seen  state
01K  ann\u{fffd}[2J  agent, boss  browser  2 h ago  60 s ago   alive
01K  -        -            browser  2 h ago  60 s ago   ended (H06) 1 s ago
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn one_says_when_it_ends() {
        let shown = one(&session(), 10_000);
        assert!(shown.contains("ends unused   in 14 min\n"), "{shown}");
        assert!(shown.contains("ends at last  in 9 h\n"), "{shown}");
        assert!(shown.contains("tenant        -\n"), "{shown}");
    }
}
