//! The runtime that exchanges are served on.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// The variable by which Tokio is told how many threads there are, instead of one for each processor.
const THREADS: &str = "TOKIO_WORKER_THREADS";

/// A thread for each processor that this process may use; they take work from each other. Where there is one, as in most
/// sidecars, it does everything itself: nobody has to be told that there is work (decision 0052).
///
/// # Errors
/// The system gives no threads, or no poll.
pub(super) fn serving_runtime() -> io::Result<Runtime> {
    let told = std::env::var(THREADS).ok();
    let alone = match told.as_deref().map(str::trim) {
        Some(told) => told == "1",
        None => available_parallelism().is_ok_and(|processors| processors == NonZero::<usize>::MIN),
    };
    let mut builder = match alone {
        true => Builder::new_current_thread(),
        false => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}
