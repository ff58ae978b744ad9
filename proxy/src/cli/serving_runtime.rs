//! The runtime that exchanges are served on.

use std::ffi::OsStr;
use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use super::{Exit, Output};

/// The variable by which Tokio is told how many threads there are, instead of one for each processor.
const THREADS: &str = "TOKIO_WORKER_THREADS";

/// A thread for each processor that this process may use; they take work from each other. Where there is one, as in most
/// sidecars, it does everything itself: nobody has to be told that there is work (decision 0052).
///
/// # Errors
/// [`THREADS`] is no number of threads, or the system gives none, or no poll.
pub(super) fn serving_runtime() -> io::Result<Runtime> {
    let told = std::env::var_os(THREADS).filter(|told| !told.is_empty());
    let threads = match told {
        Some(told) => threads(&told)?,
        None => available_parallelism().unwrap_or(NonZero::<usize>::MIN),
    };
    let mut builder = match threads {
        NonZero::<usize>::MIN => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads.get()).enable_all().build()
}

/// How a command ends that has no runtime to work on.
pub(super) fn exit_without(error: &io::Error, output: &Output) -> Exit {
    output.error(format_args!("cannot start: {error}"));
    match error.kind() == io::ErrorKind::InvalidInput {
        true => Exit::Unreadable,
        false => Exit::Unreachable,
    }
}

/// How many threads the variable asks for.
fn threads(told: &OsStr) -> io::Result<NonZero<usize>> {
    let number = told.to_str().and_then(|told| told.trim().parse().ok());
    number.ok_or_else(|| {
        let message =
            format!("`{THREADS}` is no number of threads: say 1 or more, or leave it out");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_threads_is_an_error_and_no_panic() {
        assert_eq!(threads(OsStr::new(" 3 ")).unwrap().get(), 3);
        for wrong in ["0", "x", "-1"] {
            let error = threads(OsStr::new(wrong)).unwrap_err();
            assert!(error.to_string().contains(THREADS), "{error}");
        }
    }
}
