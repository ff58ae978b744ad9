//! Logs of a running Postern: lines on standard error, as text or JSON.
//!
//! Only our own records are written (D15). What libraries say holds what clients and upstreams sent:
//! the `log` records of pingora are not taken over, and `tracing` events of others (the HTTP/2 library
//! quotes a malformed target at level `debug`) are dropped, whatever the filter asks for.

use std::env::VarError;
use std::io;

use clap::ValueEnum;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::line_format::LineFormat;
use super::lines::{LinesGuard, lines};
use crate::telemetry::LogLayer;

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

/// Begins to log: to standard error, and to `exported` what is exported, whatever the filter says. Lines that
/// wait are written when the guard is dropped.
///
/// # Errors
/// `POSTERN_LOG` cannot be read, or there is no thread to write lines.
pub(super) fn start(choice: &Choice, exported: Option<LogLayer>) -> Result<LinesGuard, String> {
    let filter = match std::env::var(VARIABLE) {
        Ok(wanted) => {
            EnvFilter::try_new(wanted).map_err(|error| format!("`{VARIABLE}`: {error}"))?
        }
        Err(VarError::NotPresent) => EnvFilter::new(usual(choice)),
        Err(VarError::NotUnicode(_)) => {
            return Err(format!("`{VARIABLE}`: the value is not UTF-8"));
        }
    };
    let (lines, guard) = lines(io::stderr()).map_err(|error| format!("no logs: {error}"))?;
    install(choice, filter, lines, exported);
    Ok(guard)
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

fn install<W>(choice: &Choice, filter: EnvFilter, writer: W, exported: Option<LogLayer>)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let installed =
        tracing::subscriber::set_global_default(subscriber(choice, filter, writer, exported));
    // Somebody embedding us already logs; theirs stays.
    installed.unwrap_or_default();
}

fn subscriber<W>(
    choice: &Choice,
    filter: EnvFilter,
    writer: W,
    exported: Option<LogLayer>,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(choice.color)
        .event_format(LineFormat(choice.format))
        .with_filter(filter.and(filter_fn(is_ours)));
    // PERF: as a list, of which each says what it wants: beside a layer that may be absent, and then wants
    // everything, each event is asked about anew (decision 0052).
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![Box::new(lines)];
    if let Some(exported) = exported {
        layers.push(Box::new(exported.with_filter(LogLayer::filter())));
    }
    Box::new(tracing_subscriber::registry().with(layers))
}

/// SECURITY: libraries write what they were sent; only what we write ourselves is known to hold none of
/// it. Our targets are `postern::…` and the paths of our crates.
fn is_ours(record: &Metadata<'_>) -> bool {
    let rest = record.target().strip_prefix("postern");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Correlation, Parent};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `act` runs.
    fn lines_of(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
        let choice = Choice {
            format,
            verbose: 0,
            quiet: false,
            color: false,
            is_demo: false,
        };
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(
            &choice,
            EnvFilter::new(filter),
            move || writer.clone(),
            None,
        );
        tracing::subscriber::with_default(subscriber, act);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn written(format: LogFormat, filter: &str) -> String {
        lines_of(format, filter, || {
            let span = tracing::info_span!(target: "h2::codec", "poll", sent = "theirs-span");
            span.in_scope(|| {
                tracing::debug!(target: "h2::server", "malformed path theirs-debug");
                tracing::error!(target: "hyper", "theirs-error");
                tracing::error!(target: "posterns", "theirs-by-a-similar-name");
                tracing::debug!(target: "postern_proxy::forward", "ours-debug");
                tracing::info!(target: "postern::decision", "ours-decision");
            });
        })
    }

    fn say_something() {
        let parent = Parent::read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let parent = parent.unwrap();
        let ids = Correlation::new(&"1".repeat(32), parent.trace(), Some(parent.span()));
        ids.around_sync(|| {
            tracing::warn!(target: "postern::x", level = "mine", times = 2, "a \n line");
        });
        tracing::info!(target: "postern::y", "outside");
    }

    #[test]
    fn a_line_says_whose_it_is() {
        let lines = lines_of(LogFormat::Text, "info", say_something);
        let (first, second) = lines.trim_end().rsplit_once('\n').unwrap();
        let ids = format!(
            "Z  WARN exchange{{id=\"{}\" trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331}}: postern::x: ",
            "1".repeat(32)
        );
        assert!(first.contains(&ids) && first.contains("times=2"), "{first}");
        assert!(second.ends_with("Z  INFO postern::y: outside"), "{second}");
    }

    #[test]
    fn a_line_of_json_is_one_object_with_what_each_event_has() {
        let lines = lines_of(LogFormat::Json, "info", say_something);
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        let first = &lines[0];
        assert_eq!(first["level"], "WARN");
        assert_eq!(first["message"], "a \n line");
        assert_eq!(first["times"], 2);
        assert_eq!(first["target"], "postern::x");
        let span = &first["spans"][0];
        assert_eq!(
            (&span["name"], &span["span_id"]),
            (&"exchange".into(), &"b7ad6b7169203331".into())
        );
        assert!(lines[1].get("spans").is_none());
    }

    #[test]
    fn writes_nothing_that_a_library_said_whatever_is_asked_for() {
        for format in [LogFormat::Text, LogFormat::Json] {
            for filter in [
                "trace",
                "debug",
                "h2=trace,hyper=trace,postern=trace,postern_proxy=trace",
            ] {
                let text = written(format, filter);
                assert!(!text.contains("theirs"), "{filter}: {text}");
                assert!(text.contains("ours-debug"), "{filter}: {text}");
                assert!(text.contains("ours-decision"), "{filter}: {text}");
            }
        }
    }
}
