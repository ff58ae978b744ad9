//! Removes entries that are older than the server file keeps them, once a minute, off the runtime's threads.

use std::sync::Weak;
use std::time::Duration;

use postern_audit::{Cover, LogError};

use super::Kept;

/// How often old entries are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Prunes until the log is closed. What fails is tried again.
pub(super) async fn run(kept: Weak<Kept>, keep: Duration) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(kept) = kept.upgrade() else {
            return;
        };
        match tokio::task::spawn_blocking(move || kept.prune(keep)).await {
            Ok(Ok(Some(minimum))) => {
                tracing::info!(
                    minimum,
                    "entries of the audit log before this index were removed"
                );
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "old entries of the audit log cannot be removed");
            }
            Err(_panicked) => tracing::error!("old entries of the audit log cannot be removed"),
        }
    }
}

impl Kept {
    /// Where witnesses are asked, only what they vouch for may go. The first index that is kept, where something
    /// went.
    fn prune(&self, keep: Duration) -> Result<Option<u64>, LogError> {
        let cover = match self.anchors.witnesses().is_empty() {
            true => Cover::Published,
            false => Cover::Cosigned,
        };
        let before = self.log.kept_from();
        let minimum = self.log.prune(keep, cover)?;
        Ok((minimum > before).then_some(minimum))
    }
}
