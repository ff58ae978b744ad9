//! Says why the upstream cannot be connected to, and when it can again.
//!
//! SECURITY: what it says is known before anything of an exchange has been sent; the cause is that of the system, the
//! resolver or the TLS library, and names addresses and certificates at most.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pingora::ErrorType;

use crate::telemetry::Target;

/// How long nothing is said again. Every exchange fails while an upstream is down.
const SILENCE: Duration = Duration::from_secs(30);

/// Whether the upstream can be connected to, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Reachability {
    failing: AtomicBool,
    said: Mutex<Option<Instant>>,
}

impl Reachability {
    /// No connection could be made, for this reason.
    pub(super) fn failed(&self, now: Instant, target: &Target, why: &dyn Display) {
        if self.is_to_be_said(now) {
            let (address, port) = (&*target.address, target.port);
            tracing::warn!(address, port, %why, "the upstream cannot be connected to");
        }
    }

    /// A connection has been made.
    pub(super) fn connected(&self, target: &Target) {
        if self.failing.swap(false, Ordering::Relaxed) {
            let (address, port) = (&*target.address, target.port);
            tracing::info!(address, port, "the upstream takes connections again");
        }
    }

    fn is_to_be_said(&self, now: Instant) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = said.is_none_or(|at| now.saturating_duration_since(at) >= SILENCE);
        if is_new {
            *said = Some(now);
            self.failing.store(true, Ordering::Relaxed);
        }
        is_new
    }
}

/// Why a connection did not come about. Of a handshake the library tells that beside the cause, not in it.
pub(super) fn why_not(error: &pingora::Error) -> String {
    let kind = error.etype.as_str();
    let is_handshake = error.etype == ErrorType::TLSHandshakeFailure;
    match error.context.as_ref().filter(|_| is_handshake) {
        Some(context) => format!("{kind}: {}", context.as_str()),
        None => format!("{kind}: {}", error.root_cause()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    #[test]
    fn an_upstream_that_is_down_is_not_told_with_every_exchange() {
        let (reachability, begin) = (Reachability::default(), SystemClock.monotonic());
        let after = |seconds| begin + Duration::from_secs(seconds);
        let said = [0, 1, 29, 30, 31, 90].map(|at| reachability.is_to_be_said(after(at)));
        assert_eq!(said, [true, false, false, true, false, true]);
    }
}
