//! `postern tap`: decisions as a running Postern makes them. It never shows values, paths, queries or
//! tokens; that somebody watched goes on record.

use std::ops::ControlFlow;
use std::path::Path;

use clap::Args;
use http::StatusCode;
use serde_json::Value;

use super::admin_client::{AdminClient, AskError, Followed};
use super::output::{Exit, Format, Output};
use super::quotas::query;
use super::wording;

/// The arguments of `postern tap`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only of this route; `-` for exchanges that matched none
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    route: Option<String>,
    /// Only with this outcome: allowed, refused, withheld or cut
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only of somebody in this role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only where values with this label were withheld
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Stop after so many decisions
    #[arg(short = 'n', long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Why, for the record
    #[arg(long)]
    reason: Option<String>,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    AdminClient::run(config, output, |client| watch(arguments, client, output))
}

fn watch(arguments: &Arguments, client: &AdminClient, output: &Output) -> Result<Exit, AskError> {
    if arguments.count == Some(0) {
        return Ok(Exit::Fine);
    }
    let query = query(&[
        ("route", arguments.route.as_deref()),
        ("outcome", arguments.outcome.as_deref()),
        ("role", arguments.role.as_deref()),
        ("label", arguments.label.as_deref()),
        ("reason", arguments.reason.as_deref()),
    ]);
    let mut left = arguments.count;
    let begins = || {
        output.note(format_args!(
            "watching decisions at {}, on record; Ctrl-C ends it",
            client.address()
        ));
    };
    let followed = client.follow(&format!("/tap{query}"), begins, |line| {
        show(line, &mut left, output)
    });
    Ok(match followed? {
        Followed::Enough => Exit::Fine,
        Followed::Ended => {
            output.error(format_args!("Postern at {} has stopped", client.address()));
            Exit::Unreachable
        }
        Followed::Answered(status, answer) => {
            let error = answer.get("error").and_then(Value::as_str);
            output.error(error.unwrap_or("the admin listener does not let anybody watch"));
            match status {
                StatusCode::BAD_REQUEST => Exit::Unreadable,
                _ => Exit::Unreachable,
            }
        }
    })
}

/// Writes one line; says to stop when enough were written or no more can be.
fn show(line: &str, left: &mut Option<u64>, output: &Output) -> ControlFlow<()> {
    let Ok(decision) = serde_json::from_str::<Value>(line) else {
        return ControlFlow::Continue(());
    };
    let lost = decision.get("lost").and_then(Value::as_u64);
    let text = match (output.format(), lost) {
        (Format::Json, _) => format!("{line}\n"),
        (_, Some(lost)) => {
            output.note(format_args!(
                "{lost} decisions came too fast and are not shown"
            ));
            return ControlFlow::Continue(());
        }
        (_, None) => format!("{}\n", told(&decision)),
    };
    if !output.bytes(text.as_bytes()) {
        return ControlFlow::Break(());
    }
    if let (Some(left), None) = (left, lost) {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return ControlFlow::Break(());
        }
    }
    ControlFlow::Continue(())
}

/// A decision in one line: when, how it ended, where, who, how long, and what was withheld or why.
fn told(decision: &Value) -> String {
    let text = |name: &str| {
        let text = decision.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).unwrap_or("-")
    };
    let number = |name: &str| decision.get(name).and_then(Value::as_u64).unwrap_or(0);
    let roles = decision.get("roles").and_then(Value::as_array);
    let roles = wording::list(roles.into_iter().flatten().filter_map(Value::as_str));
    let roles = if roles.is_empty() { "-" } else { &roles };
    let mut why: Vec<String> = Vec::new();
    if let Some(problem) = decision.get("problem").and_then(Value::as_str) {
        why.push(problem.to_owned());
    }
    for counts in ["withheld", "charged"] {
        let counts = decision.get(counts).and_then(Value::as_object);
        let counts = counts.into_iter().flatten();
        why.extend(counts.map(|(name, count)| format!("{name}={count}")));
    }
    let line = format!(
        "{}  {:<8} {}  {:<7} {:<16} {:<12} {:<24} {:>9}  {}",
        time_of_day(number("time")),
        text("outcome"),
        status(number("status")),
        text("method"),
        text("route"),
        roles,
        text("subject"),
        wording::duration(number("duration_us")),
        why.join(" "),
    );
    // A subject is an identity provider's word, and this goes to a terminal.
    let shown = line.trim_end().chars();
    shown
        .map(|one| {
            if one.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                one
            }
        })
        .collect()
}

/// The status that the client was sent; none when it was sent nothing.
fn status(status: u64) -> String {
    match status {
        0 => " - ".to_owned(),
        status => status.to_string(),
    }
}

/// Hours, minutes and seconds of a time in milliseconds since 1970, in UTC.
fn time_of_day(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000 % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_decision_is_one_line_without_control_characters() {
        let decision = json!({
            "time": 1_700_000_000_123_u64, "outcome": "allowed", "status": 200, "method": "GET",
            "route": "case.read", "roles": ["agent", "boss"], "subject": "ann\u{1b}[2J",
            "duration_us": 12_345, "withheld": { "pii": 2 }, "charged": { "records": 1 },
        });
        let line = told(&decision);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "22:13:20Z allowed 200 GET case.read agent, boss ann\u{fffd}[2J 12.3 ms pii=2 records=1"
        );
        let refused = json!({ "outcome": "refused", "status": 403, "problem": "route-denied" });
        let line = told(&refused);
        assert!(line.starts_with("00:00:00Z  refused  403"), "{line}");
        assert!(line.ends_with("route-denied"), "{line}");
    }
}
