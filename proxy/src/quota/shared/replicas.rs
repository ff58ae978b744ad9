//! How many replicas share the store: each says from time to time that it lives.
//!
//! The number only sizes leases. When it is wrong, leases are larger or smaller than they might be, and
//! nothing is over.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Connection;

/// How often a replica says that it lives. It also keeps the connection from going stale.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// For how long one word of it holds, in milliseconds.
pub(super) const ALIVE_MS: u64 = 20_000;
/// The most replicas that shares are made for.
pub(super) const REPLICAS_MAX: u64 = 1_000;

/// Says that the replica lives for as long as its ledger does.
pub(super) async fn keep_saying(ledger: Weak<Connection>) {
    let mut tick = tokio::time::interval(BEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(connection) = ledger.upgrade() else {
            return;
        };
        if let Err(error) = connection.beat().await {
            tracing::debug!(target: "postern::quota", %error, "the quota store misses a beat");
        }
    }
}
