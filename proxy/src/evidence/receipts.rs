//! What clients get of the log: a receipt with an answer, and later the proof that it was kept.
//!
//! Neither holds anything of an entry but its hash, and every entry has 128 random bits in it, so that
//! nobody can guess one from its hash.

use std::sync::Arc;

use postern_audit::{LogError, Receipt};
use tokio::sync::Semaphore;

use super::Evidence;

/// How many proofs are made at once: each reads some tiles of 8 KiB while nothing can be published.
const PROOFS_MAX: usize = 2;

/// Whether clients get receipts.
#[derive(Debug)]
pub(super) struct Receipts {
    /// The log's name; nothing when there are no receipts.
    origin: Option<String>,
    places: Arc<Semaphore>,
}

impl Receipts {
    pub(super) fn new(given: bool, origin: &str) -> Self {
        Self {
            origin: given.then(|| origin.to_owned()),
            places: Arc::new(Semaphore::new(PROOFS_MAX)),
        }
    }
}

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoProof {
    /// Nothing is published there, at least not yet.
    Unpublished,
    /// Too many are asked for at once.
    Busy,
    /// What is published cannot be read.
    Unreadable,
}

impl Evidence {
    /// Whether clients get receipts and proofs.
    pub(crate) fn gives_receipts(&self) -> bool {
        self.kept
            .as_ref()
            .is_some_and(|kept| kept.receipts.origin.is_some())
    }

    /// The value of `Audit-Receipt`; nothing when there are no receipts.
    pub(crate) fn receipt_header(&self, receipt: &Receipt) -> Option<String> {
        let origin = self.kept.as_ref()?.receipts.origin.as_deref()?;
        Some(receipt.to_header(origin))
    }

    /// The proof file (C2SP tlog-proof) of an entry.
    ///
    /// # Errors
    /// See [`NoProof`].
    pub(crate) async fn proof(&self, index: u64) -> Result<String, NoProof> {
        let kept = self.kept.clone().ok_or(NoProof::Unpublished)?;
        let place = Arc::clone(&kept.receipts.places).try_acquire_owned();
        let place = place.map_err(|_full| NoProof::Busy)?;
        let proving = move || {
            // It is taken for as long as the proof is made, also where nobody waits for it any more.
            let _place = place;
            kept.log.prove(index)
        };
        match tokio::task::spawn_blocking(proving).await {
            Ok(Ok(proof)) => Ok(proof),
            Ok(Err(LogError::Unpublished { .. })) => Err(NoProof::Unpublished),
            Ok(Err(error)) => {
                tracing::error!(%error, "a proof cannot be made");
                Err(NoProof::Unreadable)
            }
            Err(_panicked) => Err(NoProof::Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;
    use postern_audit::OnDamage;
    use postern_config::Server;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_place_is_taken_until_the_proof_is_made_also_when_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let server = "listen: \"127.0.0.1:0\"\nupstream: \"http://127.0.0.1:1\"\npolicy: p.yaml\n";
        let server = Server::parse("postern.yaml", server).unwrap();
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let places = (folder.path(), state.as_path());
        let (audit, clock) = (server.audit.unwrap(), Arc::new(SystemClock));
        let evidence = Evidence::open(&audit, OnDamage::Refuse, places, clock).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build();
        runtime.unwrap().block_on(async {
            let (go, gate) = mpsc::channel::<()>();
            drop(tokio::task::spawn_blocking(move || gate.recv()));
            for _ in 0..PROOFS_MAX {
                // Asked for, and given up at once.
                assert_eq!(evidence.proof(0).now_or_never(), None);
            }
            let busy = Some(Err(NoProof::Busy));
            assert_eq!(evidence.proof(0).now_or_never(), busy);
            go.send(()).unwrap();
            while evidence.proof(0).await == Err(NoProof::Busy) {
                tokio::task::yield_now().await;
            }
        });
    }
}
