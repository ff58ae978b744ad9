//! What clients get of the log: a receipt with an answer, and later the proof that it was kept.
//!
//! Neither holds anything of an entry but its hash, and every entry has 128 random bits in it, so that
//! nobody can guess one from its hash.

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
    places: Semaphore,
}

impl Receipts {
    pub(super) fn new(given: bool, origin: &str) -> Self {
        Self {
            origin: given.then(|| origin.to_owned()),
            places: Semaphore::new(PROOFS_MAX),
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
        let proving = {
            let place = kept.receipts.places.try_acquire();
            let _place = place.map_err(|_full| NoProof::Busy)?;
            let kept = std::sync::Arc::clone(&kept);
            tokio::task::spawn_blocking(move || kept.log.prove(index)).await
        };
        match proving {
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
