//! `postern bench`: what Postern costs on this machine, against the bare upstream and a bare pingora proxy.
//!
//! It needs no server file: it starts an application, a bare proxy and Postern once for each row, with a policy of
//! its own, in a folder that goes with it. `--peers` has it start proxies of others beside them, `--target` measures
//! what runs already.

mod table;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::output::{Exit, Format, Output};
use super::serving_runtime::{exit_without, serving_runtime};
use crate::bench::machine::cores;
use crate::bench::{self, BenchError, Deployment, Peer, Plan, Report, Row, Size};
use crate::clock::SystemClock;

/// What is measured when no size is named.
const SIZES: &str = "1k,10k,100k,10m";
/// The longest measurement, in seconds.
const SECONDS_MAX: f64 = 3600.0;

/// The arguments of `postern bench`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// How often everything is measured in turns
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = count(1000))]
    rounds: u64,
    /// How long one measurement takes
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    seconds: Duration,
    /// How many connections ask at once
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = count(10_000))]
    connections: u64,
    /// Requests a second at a fixed rate [default: half of what the slowest row can do]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    rate: Option<f64>,
    /// How large documents are
    #[arg(long, value_name = "SIZES", value_delimiter = ',', default_value = SIZES)]
    sizes: Vec<Size>,
    /// Which set-ups of Postern [default: all but everything]
    #[arg(long, value_name = "ROWS", value_delimiter = ',', value_enum)]
    rows: Vec<Row>,
    /// Measure proxies of others too, which a file lists as JSON: name, start and answers (whole or redacted)
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// How many threads each process works with [default: half of the cores]
    #[arg(long, value_name = "NUMBER", value_parser = count(1024))]
    threads: Option<u64>,
    /// Write all figures to a file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw latency by percentile into a file as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Measure what runs there instead: http://HOST[:PORT]/PATH
    #[arg(long, value_name = "URL", conflicts_with_all = ["sizes", "rows", "peers", "threads"], help_heading = "A deployment")]
    target: Option<Uri>,
    /// Compare it with this: the same without Postern
    #[arg(
        long,
        value_name = "URL",
        requires = "target",
        help_heading = "A deployment"
    )]
    baseline: Option<Uri>,
    /// Send this field with every request: 'Name: value'
    #[arg(long = "header", value_name = "FIELD", requires = "target", value_parser = field, help_heading = "A deployment")]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The processes that a bench starts for itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// Answer from memory
    #[command(hide = true)]
    ServeUpstream {
        #[arg(long, value_delimiter = ',')]
        sizes: Vec<Size>,
    },
    /// Pass everything on
    #[command(hide = true)]
    ServePassthrough {
        #[arg(long)]
        upstream: SocketAddr,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let runtime = match serving_runtime() {
        Ok(runtime) => runtime,
        Err(error) => return exit_without(&error, output),
    };
    let exit = match &arguments.part {
        Some(part) => runtime.block_on(serve(part, output)),
        None => match runtime.block_on(measure(arguments, output)) {
            Ok(report) => write(&report, arguments, output),
            Err(error) => {
                output.error(&error);
                of_error(&error)
            }
        },
    };
    // Standard input may still be read.
    runtime.shutdown_background();
    exit
}

async fn serve(part: &Part, output: &Output) -> Exit {
    let tell = |address| output.text(&format!("{address}\n"));
    let served = match part {
        Part::ServeUpstream { sizes } => bench::serve_upstream(sizes, tell).await,
        Part::ServePassthrough { upstream, listen } => {
            bench::serve_passthrough(*upstream, *listen, tell).await
        }
    };
    match served {
        Ok(()) => Exit::Fine,
        Err(error) => {
            output.error(error);
            Exit::Unreachable
        }
    }
}

async fn measure(arguments: &Arguments, output: &Output) -> Result<Report, BenchError> {
    let plan = arguments.plan()?;
    let tell = |progress| output.note(progress);
    bench::run(&plan, Arc::new(SystemClock), &tell).await
}

/// Writes the files that were asked for, and the result.
fn write(report: &Report, arguments: &Arguments, output: &Output) -> Exit {
    let json = report.as_json();
    let files = [
        (&arguments.json, format!("{json:#}\n")),
        (&arguments.plot, bench::svg(report)),
    ];
    let mut exit = Exit::Fine;
    for (file, text) in files {
        let Some(file) = file else { continue };
        if let Err(error) = std::fs::write(file, text) {
            output.error(format_args!("cannot write `{}`: {error}", file.display()));
            exit = Exit::Unreadable;
        }
    }
    match output.format() {
        Format::Json => output.json(&json),
        Format::Human | Format::Sarif | Format::Junit | Format::Github => {
            output.text(&table::text(report));
        }
    }
    if report.is_of_development() {
        output.note(
            "this is a development build: its figures mean nothing; measure one of `cargo build --release`",
        );
    }
    exit
}

const fn of_error(error: &BenchError) -> Exit {
    match error {
        BenchError::Answer { .. } => Exit::Findings,
        BenchError::Folder(_) | BenchError::Url { .. } | BenchError::Peers { .. } => {
            Exit::Unreadable
        }
        BenchError::Start { .. } | BenchError::Ask { .. } | BenchError::Stopped => {
            Exit::Unreachable
        }
    }
}

impl Arguments {
    fn plan(&self) -> Result<Plan, BenchError> {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let rows = match self.rows.is_empty() {
            true => Row::USUAL.to_vec(),
            false => without_repeats(&self.rows),
        };
        let peers = self.peers.as_deref().map(Peer::all_of).transpose()?;
        let fields: HeaderMap = self.headers.iter().cloned().collect();
        Ok(Plan {
            rounds: number(self.rounds),
            time: self.seconds,
            connections: number(self.connections),
            rate: self.rate,
            sizes: without_repeats(&self.sizes),
            rows,
            peers: peers.unwrap_or_default(),
            threads: self.threads.map_or_else(|| (cores() / 2).max(1), number),
            deployment: self.target.clone().map(|target| Deployment {
                target,
                baseline: self.baseline.clone(),
                fields,
            }),
        })
    }
}

fn without_repeats<T: Copy + PartialEq>(named: &[T]) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for one in named {
        if !once.contains(one) {
            once.push(*one);
        }
    }
    once
}

fn count(most: u64) -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=most)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (0.001..=SECONDS_MAX).contains(seconds));
    let seconds: f64 = seconds.ok_or("it is a number from 0.001 to 3600")?;
    Ok(Duration::from_secs_f64(seconds))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text
        .parse()
        .ok()
        .filter(|rate| (0.001..=1e7).contains(rate));
    rate.ok_or_else(|| "it is a number from 0.001 to 10000000".to_owned())
}

fn field(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let split = text.split_once(':').and_then(|(name, value)| {
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    });
    split.ok_or_else(|| "a field is `Name: value`".to_owned())
}
