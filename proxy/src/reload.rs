//! Keeps the policy and the certificates in force equal to the files on disk, without a restart.
//!
//! ```text
//!  folder watch ─┐
//!  every 10 s   ─┼─▶ one task ─▶ hash the closure ─ same ─▶ nothing
//!  SIGHUP, CLI  ─┘                     └ other ─▶ load beside the running one ─▶ swap, or refuse
//! ```
//!
//! All triggers go through one task, so that reloads never overtake each other, and whoever asked is
//! told the outcome. A policy that does not load changes nothing but the status; a certificate that is of no use
//! changes nothing, whatever becomes of the policy beside it. It does not watch the server file: that needs a
//! restart.

mod cycle;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_filters::{EngineLimits, PseudonymKeys};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::listener::TlsFiles;
use crate::load::LoadError;
use crate::policy_signature::PolicySigners;
use crate::policy_store::PolicyStore;
use cycle::Cycle;
use watch::FolderWatch;

/// How often the files are looked at when nothing announces a change.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long an announced change may take to settle before the files are read.
const SETTLE: Duration = Duration::from_millis(50);
/// How many callers may wait for a reload at once; more wait for their turn to ask.
const CALLERS_MAX: usize = 64;

/// What a reload needs.
#[derive(Debug, Clone)]
pub struct ReloadOptions {
    /// The policy file.
    pub policy: PathBuf,
    /// The keys for pseudonyms, from the server file.
    pub keys: PseudonymKeys,
    /// The engine's limits, from the server file.
    pub limits: EngineLimits,
    /// Who signs policies, where they have to be signed.
    pub(crate) signers: Option<PolicySigners>,
    /// The certificates of the data listener.
    pub(crate) tls: Option<Arc<TlsFiles>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it goes on record.
    pub(crate) evidence: Evidence,
}

/// How a reload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// The files are those in force.
    Unchanged,
    /// They came into force.
    Loaded {
        /// The new revision.
        revision: String,
    },
    /// They did not; what was in force still is.
    Refused {
        /// Why, for the policy's author.
        report: String,
    },
}

/// Asks the reloading task for a reload. The task ends when the last of these is dropped.
#[derive(Debug, Clone)]
pub struct PolicyReloader {
    requests: mpsc::Sender<oneshot::Sender<ReloadOutcome>>,
}

impl PolicyReloader {
    /// Loads the first policy into the store and starts the task on the current Tokio runtime.
    ///
    /// # Errors
    /// The first policy does not load: at start that is fatal. It is on record by then.
    pub fn start(options: ReloadOptions, store: Arc<PolicyStore>) -> Result<Self, LoadError> {
        let mut cycle = Cycle::new(options, store);
        if let Err(error) = cycle.load() {
            cycle.refused_at_start(&error.report(false));
            return Err(error);
        }
        let (requests, waiting) = mpsc::channel(CALLERS_MAX);
        tokio::spawn(run(cycle, waiting));
        Ok(Self { requests })
    }

    /// Reloads now, and says how that ended.
    pub async fn reload_now(&self) -> ReloadOutcome {
        let (reply, outcome) = oneshot::channel();
        let stopped = || ReloadOutcome::Refused {
            report: "error: Postern is stopping\n".to_owned(),
        };
        if self.requests.send(reply).await.is_err() {
            return stopped();
        }
        outcome.await.unwrap_or_else(|_gone| stopped())
    }
}

async fn run(mut cycle: Cycle, mut waiting: mpsc::Receiver<oneshot::Sender<ReloadOutcome>>) {
    let mut watch = FolderWatch::new();
    watch.aim(&cycle.files(), false);
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let caller = tokio::select! {
            request = waiting.recv() => match request {
                Some(reply) => Some(reply),
                None => return,
            },
            () = watch.changed() => {
                tokio::time::sleep(SETTLE).await;
                watch.forget();
                None
            }
            _ = tick.tick() => None,
        };
        let (after, outcome) = turn(cycle).await;
        cycle = after;
        // What was refused may name a file that no policy in force names.
        let is_refused = matches!(outcome, ReloadOutcome::Refused { .. });
        watch.aim(&cycle.files(), !is_refused);
        if let Some(caller) = caller
            && caller.send(outcome).is_err()
        {
            tracing::debug!("whoever asked for a reload did not wait for its outcome");
        }
    }
}

/// One turn off the runtime's threads: it reads files and compiles.
async fn turn(cycle: Cycle) -> (Cycle, ReloadOutcome) {
    let spare = cycle.clone();
    let turned = tokio::task::spawn_blocking(move || {
        let mut cycle = cycle;
        let outcome = cycle.turn();
        (cycle, outcome)
    });
    match turned.await {
        Ok(done) => done,
        Err(_panicked) => {
            let report = "error: this policy cannot be compiled because of a fault in Postern\n";
            (spare.clone(), spare.refused(report.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
