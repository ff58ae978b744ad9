//! `postern quotas list | show | reset`: what identities have used, asked of a running Postern.
//!
//! Where none runs, `list` and `show` read the store themselves. `reset` does not: its record belongs
//! to the log of whoever enforces the quota.

mod stored;

use std::path::Path;

use clap::{Args, Subcommand};
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::admin_client::{AdminClient, AskError};
use super::output::{Exit, Format, Output};
use super::wording;
use crate::quota::Filter;

/// The arguments of `postern quotas`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is in use
    List {
        /// Only of this quota
        #[arg(long)]
        quota: Option<String>,
    },
    /// Show what one identity, session, tenant or role has used
    Show {
        /// The subject, tenant or role, in any spelling; or the session, as it is listed
        who: String,
    },
    /// Forget what was charged to somebody; leaves a record with the reason
    Reset {
        /// The quota's name
        quota: String,
        /// The subject, tenant or role, in any spelling; or the session, as it is listed
        who: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    AdminClient::run(config, output, |client| {
        let filter = match &arguments.command {
            Command::List { quota } => Filter {
                quota: quota.clone(),
                who: None,
            },
            Command::Show { who } => Filter {
                quota: None,
                who: Some(who.clone()),
            },
            Command::Reset { quota, who, reason } => {
                let query = query(&[
                    ("quota", Some(quota)),
                    ("who", Some(who)),
                    ("reason", Some(reason)),
                ]);
                let asked = client.ask(Method::POST, &format!("/quotas/reset{query}"));
                return asked.map(|(status, answer)| tell(status, &answer, output));
            }
        };
        list(client, (config, &filter), output)
    })
}

/// Asks the running Postern, or the store where none runs.
fn list(
    client: &AdminClient,
    (config, filter): (&Path, &Filter),
    output: &Output,
) -> Result<Exit, AskError> {
    let query = query(&[
        ("quota", filter.quota.as_deref()),
        ("who", filter.who.as_deref()),
    ]);
    let error = match client.ask(Method::GET, &format!("/quotas{query}")) {
        Ok((status, answer)) => return Ok(tell(status, &answer, output)),
        Err(error) => error,
    };
    match &error {
        AskError::NoAnswer { .. } | AskError::Token { .. } => {}
        AskError::Refused { .. } => return Err(error),
    }
    Ok(match stored::listing(config, filter) {
        Ok(answer) => {
            output.note("no Postern runs here; this is what the store holds");
            tell(StatusCode::OK, &answer, output)
        }
        Err(unknown @ stored::ReadError::Unknown(_)) => {
            output.error(unknown);
            Exit::Unreadable
        }
        Err(stored) => {
            output.error(&error);
            output.error(&stored);
            Exit::Unreachable
        }
    })
}

/// The parameters that have a value, as a query.
pub(super) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| {
        let value = utf8_percent_encode((*value)?, NON_ALPHANUMERIC);
        Some(format!("{name}={value}"))
    });
    let given: Vec<String> = given.collect();
    match given.is_empty() {
        true => String::new(),
        false => format!("?{}", given.join("&")),
    }
}

fn tell(status: StatusCode, answer: &Value, output: &Output) -> Exit {
    if status != StatusCode::OK {
        let error = answer.get("error").and_then(Value::as_str);
        output.error(error.map_or_else(
            || format!("the admin listener answers {status}"),
            str::to_owned,
        ));
        return match status {
            StatusCode::BAD_REQUEST => Exit::Unreadable,
            _ => Exit::Unreachable,
        };
    }
    if output.format() == Format::Json {
        output.json(answer);
        return Exit::Fine;
    }
    if let Some(count) = answer.get("reset").and_then(Value::as_u64) {
        return match count {
            0 => {
                output.error("nothing is in use there; `postern quotas list` shows what is");
                Exit::Findings
            }
            count => {
                output.summary(&format!("reset {count}\n"));
                Exit::Fine
            }
        };
    }
    let rows = answer.get("quotas").and_then(Value::as_array);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        output.text("nothing is in use\n");
        return Exit::Fine;
    }
    output.text(&listed(rows));
    Exit::Fine
}

/// Counts in use, as a table.
pub(super) fn listed<'a>(entries: impl IntoIterator<Item = &'a Value>) -> String {
    let head = ["quota", "who", "used", "limit", "in", "frees in"];
    let head = head.map(str::to_owned).to_vec();
    let table = std::iter::once(head).chain(entries.into_iter().map(row));
    wording::table(&table.collect::<Vec<_>>())
}

fn row(entry: &Value) -> Vec<String> {
    let text = |name: &str| match entry.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let span = |name: &str| {
        let seconds = entry.get(name).and_then(Value::as_u64);
        seconds.map_or_else(|| "-".to_owned(), wording::span)
    };
    let who = entry.get("who").and_then(Value::as_array);
    let who = who.into_iter().flatten().filter_map(Value::as_str);
    let who: Vec<&str> = who.filter(|part| !part.is_empty()).collect();
    let limits = entry.get("limit").and_then(Value::as_object);
    let limits = limits.into_iter().flatten();
    let limits: Vec<String> = limits
        .map(|(role, limit)| format!("{role} {limit}"))
        .collect();
    vec![
        text("quota"),
        who.join(" "),
        format!("{} {}", text("used"), text("unit")),
        limits.join(", "),
        span("window_seconds"),
        span("frees_after_seconds"),
    ]
}
