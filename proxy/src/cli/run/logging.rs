//! Logs of a running Postern: lines on standard error, as text or JSON.
//!
//! Records of libraries that use the `log` crate are not taken over: some of them hold request
//! targets (D15).

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What the command line says about logs.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) format: LogFormat,
    pub(super) verbose: u8,
    pub(super) quiet: bool,
    pub(super) color: bool,
    pub(super) is_demo: bool,
}

/// The variable that overrides what is logged, in the form of `tracing_subscriber::EnvFilter`.
const VARIABLE: &str = "POSTERN_LOG";

/// Begins to log.
///
/// # Errors
/// `POSTERN_LOG` cannot be read.
pub(super) fn start(choice: &Choice) -> Result<(), String> {
    let filter = match std::env::var(VARIABLE) {
        Ok(wanted) => {
            EnvFilter::try_new(wanted).map_err(|error| format!("`{VARIABLE}`: {error}"))?
        }
        Err(_absent) => EnvFilter::new(usual(choice)),
    };
    install(choice, filter, io::stderr);
    Ok(())
}

const fn usual(choice: &Choice) -> &'static str {
    match (choice.verbose, choice.quiet, choice.is_demo) {
        (0, true, _) => "error",
        (0, false, true) => "warn,postern::decision=info,postern::policy=info",
        (0, false, false) => "info",
        (1, ..) => "info,postern=debug,postern_proxy=debug",
        _ => "debug,postern=trace,postern_proxy=trace",
    }
}

fn install<W>(choice: &Choice, filter: EnvFilter, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(choice.color);
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match choice.format {
        LogFormat::Text => tracing::subscriber::set_global_default(registry.with(lines)),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false);
            tracing::subscriber::set_global_default(registry.with(lines))
        }
    };
    // Somebody embedding us already logs; theirs stays.
    installed.unwrap_or_default();
}
