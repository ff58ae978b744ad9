//! `postern status`: how a running Postern is. `--ready` is for health checks of containers.

use std::path::Path;
use std::time::UNIX_EPOCH;

use clap::Args;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::clock::{Clock as _, SystemClock};

use super::admin_client::{AdminClient, AskError};
use super::output::{Exit, Format, Output};
use super::wording;

/// The arguments of `postern status`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only say by the exit code whether it takes traffic: 0 ready, 3 not
    #[arg(long)]
    ready: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    AdminClient::run(config, output, |client| match arguments.ready {
        true => ready(client, output),
        false => status(client, output),
    })
}

fn status(client: &AdminClient, output: &Output) -> Result<Exit, AskError> {
    match client.ask(Method::GET, "/status")? {
        (StatusCode::OK, status) => {
            show(&status, output);
            Ok(Exit::Fine)
        }
        (status, _) => {
            output.error(format_args!("the admin listener answers {status}"));
            Ok(Exit::Unreachable)
        }
    }
}

fn ready(client: &AdminClient, output: &Output) -> Result<Exit, AskError> {
    let (status, _) = client.ask_openly("/readyz")?;
    if status == StatusCode::OK {
        return Ok(Exit::Fine);
    }
    output.error(format_args!("Postern at {} is not ready", client.address()));
    Ok(Exit::Unreachable)
}

fn show(status: &Value, output: &Output) {
    if output.format() == Format::Json {
        return output.json(status);
    }
    let at = |pointer: &str| match status.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => wording::list(items.iter().filter_map(Value::as_str)),
        Some(other) => other.to_string(),
    };
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let reloads = format!(
        "{} loaded, {} refused",
        at("/reload/ok"),
        at("/reload/failed")
    );
    output.text(&wording::table(&[
        row("Postern", format!("{}, {}", at("/version"), at("/state"))),
        row("listens on", at("/listen")),
        row("policy", at("/policy")),
        row("revision", at("/revision")),
        row("loaded", age(status)),
        row("reloads", reloads),
        row("in flight", at("/in_flight")),
    ]));
    if let Some(report) = status.pointer("/reload/last_error").and_then(Value::as_str) {
        output.text(&format!("\nthe last reload was refused:\n\n{report}"));
    }
}

/// How long ago the policy was loaded.
fn age(status: &Value) -> String {
    let now = SystemClock.wall().duration_since(UNIX_EPOCH);
    let loaded = status.get("loaded_at").and_then(Value::as_u64);
    match (now, loaded) {
        (Ok(now), Some(loaded)) => {
            let seconds = now.as_secs().saturating_sub(loaded);
            match seconds {
                0..120 => format!("{seconds} s ago"),
                120..7200 => format!("{} min ago", seconds / 60),
                7200.. => format!("{} h ago", seconds / 3600),
            }
        }
        (Err(_), _) | (_, None) => "-".to_owned(),
    }
}
