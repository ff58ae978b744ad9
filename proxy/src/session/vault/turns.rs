//! Whose turn it is to change a session: the exchanges of a page that all bring a cookie wait for each other here,
//! so that only replicas meet in the store. A change that cannot be made loses an application's new cookie.

use tokio::sync::{Mutex, MutexGuard};

/// Sessions share so many places to wait in.
const PLACES: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Turns([Mutex<()>; PLACES]);

impl Turns {
    /// Waits for the turn of a session's next change. None when there is no such place, which does not happen.
    pub(super) async fn take(&self, sid: &str) -> Option<MutexGuard<'_, ()>> {
        let sum = sid.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        let place = self.0.get(sum % PLACES)?;
        Some(place.lock().await)
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}
