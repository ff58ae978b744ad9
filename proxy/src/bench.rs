//! What Postern costs: added latency, throughput and processor time, against the bare upstream and against a
//! bare pingora proxy, in one run on one machine.
//!
//! ```text
//!            ┌▶ upstream ◀──────────────────────────────┐
//!  load ─────┼▶ passthrough (pingora, no filter) ───────┤   each a process of this binary,
//!            ├▶ `postern run`, one for each row ────────┤   with the same number of threads
//!            └▶ peers: proxies of others, when named ───┘
//! ```
//!
//! Everything is asked the same in turns: as fast as it answers (throughput, processor time), at a fixed rate
//! (latency, counted from when a request was due), and on one connection alone. Figures of a round are compared
//! with those of the same round. An answer that is not what the row promises is an error, never a figure; a peer
//! that gives one is left out. Where there are peers, all that redact also get documents that are hard to redact.

mod child;
mod connection;
mod document;
mod figures;
mod latencies;
mod load;
pub(crate) mod machine;
mod measure;
mod passthrough;
mod peers;
mod place;
mod plan;
mod plot;
mod policy;
mod redacted;
mod report;
pub(crate) mod running;
mod spread;
mod stage;
mod traps;
mod upstream;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;

pub(crate) use figures::{Comparison, Figures, Quantiles};
pub(crate) use latencies::QUANTILES;
pub(crate) use measure::LeftOut;
pub(crate) use passthrough::serve as serve_passthrough;
pub(crate) use peers::Peer;
pub(crate) use plan::{Deployment, Plan, Row, Size};
pub(crate) use plot::svg;
pub(crate) use report::{AtSize, Report};
pub(crate) use spread::Spread;
pub(crate) use traps::{Judged, names as hard_documents};
pub(crate) use upstream::serve as serve_upstream;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The folder for policies and state cannot be made.
    #[error("cannot write to the folder for temporary files: {0}")]
    Folder(#[source] io::Error),
    /// A process did not start.
    #[error("`{name}` did not start: {reason}")]
    Start {
        /// What it was to be.
        name: String,
        /// What is known about it.
        reason: String,
    },
    /// Something does not answer, or not as HTTP.
    #[error("`{name}` does not answer: {error}")]
    Ask {
        /// Who was asked.
        name: String,
        /// What went wrong.
        error: connection::AskError,
    },
    /// An answer is not what it must be: nothing of the row is a figure.
    #[error("`{name}` at {size}: {reason}")]
    Answer {
        /// Who was asked.
        name: String,
        /// For how much.
        size: Size,
        /// What is wrong.
        reason: &'static str,
    },
    /// A URL of a deployment is of no use.
    #[error("`{url}` cannot be measured: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// A file of peers is of no use.
    #[error("cannot use `{}`: {reason}", file.display())]
    Peers {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Somebody stopped it.
    #[error("stopped before there were figures")]
    Stopped,
}

/// Starts everything, measures it, and stops it again. `tell` hears how far it is.
///
/// # Errors
/// See [`BenchError`].
pub(crate) async fn run(
    plan: &Plan,
    clock: Arc<dyn Clock>,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Report, BenchError> {
    let mut told = std::pin::pin!(running::told_to_stop());
    let stage = tokio::select! {
        started = stage::Stage::start(plan) => started?,
        () = &mut told => return Err(BenchError::Stopped),
    };
    let left_out = stage.left_out.clone();
    let measured = tokio::select! {
        measured = judged_and_measured(plan, &stage, &clock, tell) => measured,
        () = &mut told => Err(BenchError::Stopped),
    };
    stage.close().await;
    let (judged, measured) = measured?;
    Ok(Report::new(plan, &measured, (left_out, judged)))
}

async fn judged_and_measured(
    plan: &Plan,
    stage: &stage::Stage,
    clock: &Arc<dyn Clock>,
    tell: &(dyn Fn(String) + Sync),
) -> Result<(Vec<Judged>, Vec<measure::Measured>), BenchError> {
    let judged = match plan.peers.is_empty() {
        true => Vec::new(),
        false => traps::judge(&stage.places).await,
    };
    let measured = measure::all(plan, stage, clock, tell).await?;
    Ok((judged, measured))
}

/// A report of measurements that were never made, for tests.
#[cfg(test)]
pub(crate) use report::samples::{
    report as sample_report, report_with_peers as sample_report_with_peers,
};
