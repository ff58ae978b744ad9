//! `postern top`: what is busiest in a running Postern, what its rules withhold, what its routes cost, and
//! which quotas are nearly used up.
//!
//! On a terminal, and with `--every`, it shows what happened between two looks and looks again until it is
//! stopped; else, and with `--once`, it shows the totals since the start.

mod render;
mod sample;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode};
use serde_json::Value;

use super::admin_client::{AdminClient, AskError};
use super::output::{Exit, Format, Output};
use crate::clock::{Clock as _, SystemClock};
use render::View;
use sample::Sample;

/// Quotas are listed once in so many looks: that asks the store, the rest reads counters.
const LOOKS_PER_LISTING: usize = 15;
/// Seconds between two looks, unless somebody says otherwise.
const EVERY_SECONDS: u64 = 2;
/// Clears a terminal.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// The arguments of `postern top`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Show the totals since the start once
    #[arg(long)]
    once: bool,
    /// Look again after so many seconds [default: 2, on a terminal]
    #[arg(long, value_name = "SECONDS", conflicts_with = "once", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: Option<u64>,
    /// How many of each to show
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 10)]
    rows: usize,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    let again = arguments.every.is_some() || (!arguments.once && io::stdout().is_terminal());
    let stays = again && output.format() == Format::Human;
    AdminClient::run(config, output, |client| match stays {
        true => live(client, arguments, output),
        false => once(client, arguments, output),
    })
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
enum TopError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the admin listener answers {0}")]
    Status(StatusCode),
    #[error("cannot wait: {0}")]
    Wait(#[from] io::Error),
}

fn once(client: &AdminClient, arguments: &Arguments, output: &Output) -> Result<Exit, TopError> {
    let mut top = ask(client)?;
    let quotas = quotas(client);
    if output.format() == Format::Json {
        if let Some(top) = top.as_object_mut() {
            top.insert("quotas".to_owned(), quotas.unwrap_or(Value::Null));
        }
        output.json(&top);
        return Ok(Exit::Fine);
    }
    let view = View {
        seconds: None,
        rows: arguments.rows,
    };
    output.text(&view.text(&Sample::read(&top), quotas.as_ref()));
    Ok(Exit::Fine)
}

fn live(client: &AdminClient, arguments: &Arguments, output: &Output) -> Result<Exit, TopError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let every = Duration::from_secs(arguments.every.unwrap_or(EVERY_SECONDS));
    let apart = if io::stdout().is_terminal() {
        CLEAR
    } else {
        "\n"
    };
    let mut before = Sample::read(&ask(client)?);
    let mut looked = SystemClock.monotonic();
    let mut listed = None;
    for look in 0_usize.. {
        if look.is_multiple_of(LOOKS_PER_LISTING) {
            listed = quotas(client);
        }
        runtime.block_on(async { tokio::time::sleep(every).await });
        let now = Sample::read(&ask(client)?);
        let at = SystemClock.monotonic();
        let view = View {
            seconds: Some(at.saturating_duration_since(looked).as_secs_f64()),
            rows: arguments.rows,
        };
        let text = view.text(&now.since(&before), listed.as_ref());
        if !output.bytes(format!("{apart}{text}").as_bytes()) {
            break;
        }
        (before, looked) = (now, at);
    }
    Ok(Exit::Fine)
}

fn ask(client: &AdminClient) -> Result<Value, TopError> {
    match client.ask(Method::GET, "/top")? {
        (StatusCode::OK, top) => Ok(top),
        (status, _) => Err(TopError::Status(status)),
    }
}

/// What quotas count; none where the store does not say, or says too much.
fn quotas(client: &AdminClient) -> Option<Value> {
    match client.ask(Method::GET, "/quotas") {
        Ok((StatusCode::OK, mut listing)) => listing.get_mut("quotas").map(Value::take),
        Ok(_) | Err(_) => None,
    }
}
