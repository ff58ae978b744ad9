//! An export that runs until somebody cuts it.

use std::time::{Duration, Instant};

use postern_proxy::clock::{Clock as _, SystemClock};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::stage::Held;
use crate::client::Client;
use crate::process::Process;

/// An export of a TiB, so that it does not end by itself however fast the machine is.
const EXPORT: &str = "/big/1048576";
/// It runs once this much has come, in bytes.
const RUNS: u64 = 1 << 20;
/// Whoever waits longer for an end than this, waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that reads an export.
pub(super) struct Download(JoinHandle<End>);

/// How an export ended.
#[derive(Debug)]
pub(super) struct End {
    /// The bytes that came.
    pub(super) bytes: u64,
    /// Whether it looked like the whole.
    pub(super) complete: bool,
    /// When the client saw the end.
    pub(super) at: Instant,
}

impl Download {
    /// Begins an export, and waits until it runs.
    pub(super) async fn start(at: &Process, held: &Held) -> Self {
        let (runs, running) = oneshot::channel();
        let mut client = Client::connect(at.data).await.with(&held.cookie());
        let reading = tokio::spawn(async move {
            let mut runs = Some(runs);
            let told = |so_far| {
                if let Some(runs) = runs.take_if(|_| so_far >= RUNS) {
                    let _nobody_waits = runs.send(());
                }
            };
            let (bytes, complete) = client.count_telling(EXPORT, told).await;
            End {
                bytes,
                complete,
                at: SystemClock.monotonic(),
            }
        });
        let began = tokio::time::timeout(PATIENCE, running).await;
        began.expect("it begins in time").expect("it runs");
        Self(reading)
    }

    /// Waits until it was cut.
    pub(super) async fn cut(self) -> End {
        let ended = tokio::time::timeout(PATIENCE, self.0).await;
        let end = ended.expect("it is cut").unwrap();
        assert!(!end.complete, "it looks like the whole: {end:?}");
        assert!(end.bytes >= RUNS, "{end:?}");
        end
    }
}
