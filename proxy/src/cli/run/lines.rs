//! Lines for standard error, gathered for a moment and written together.
//!
//! ```text
//! events ──▶ waiting (at most a mebibyte) ──a thread, ten milliseconds later──▶ standard error
//! ```
//!
//! Guarantees: lines leave whole, in order, and none is dropped: who finds no room writes what waits. After
//! [`LinesGuard`] has been dropped nothing waits. What waits is lost only with a process that is killed; what
//! must not be lost stands in the audit log.
//!
//! PERF: a line for each exchange used to be a call of the system for each exchange (decision 0051).

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How much may wait, in bytes.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long lines are gathered.
const GATHERING_TIME: Duration = Duration::from_millis(10);

/// Where lines are written to.
#[derive(Debug)]
pub(super) struct Lines<W>(Arc<Shared<W>>);

/// Writes what waits, and ends the thread, when it is dropped.
#[derive(Debug)]
pub(in crate::cli) struct LinesGuard<W: Write + Send + 'static = io::Stderr> {
    shared: Arc<Shared<W>>,
    thread: Option<JoinHandle<()>>,
}

/// INVARIANT: whoever takes what waits holds `output` until it is written, so that lines keep their order.
#[derive(Debug)]
struct Shared<W> {
    output: Mutex<W>,
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    ended: bool,
}

/// Lines to this output.
///
/// # Errors
/// No thread can be started.
pub(super) fn lines<W: Write + Send + 'static>(output: W) -> io::Result<(Lines<W>, LinesGuard<W>)> {
    let shared = Arc::new(Shared {
        output: Mutex::new(output),
        waiting: Mutex::default(),
        more: Condvar::new(),
    });
    let writing = Arc::clone(&shared);
    let thread = thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || writing.run())?;
    let guard = LinesGuard {
        shared: Arc::clone(&shared),
        thread: Some(thread),
    };
    Ok((Lines(shared), guard))
}

impl<W: Write> Shared<W> {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every change is complete when the lock is released, panic or not.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let first = self.more.wait_while(self.waiting(), |waiting| {
                waiting.bytes.is_empty() && !waiting.ended
            });
            let first = first.unwrap_or_else(PoisonError::into_inner);
            let more = self
                .more
                .wait_timeout_while(first, GATHERING_TIME, |waiting| !waiting.ended);
            let ended = more.unwrap_or_else(PoisonError::into_inner).0.ended;
            self.write_waiting();
            if ended {
                return;
            }
        }
    }

    fn write_waiting(&self) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = std::mem::take(&mut self.waiting().bytes);
        // Nobody is left to tell when standard error is gone.
        output
            .write_all(&bytes)
            .and_then(|()| output.flush())
            .unwrap_or_default();
    }

    fn push(&self, bytes: &[u8]) {
        loop {
            let mut waiting = self.waiting();
            let was_empty = waiting.bytes.is_empty();
            if was_empty || waiting.bytes.len().saturating_add(bytes.len()) <= WAITING_BYTES_MAX {
                waiting.bytes.extend_from_slice(bytes);
                let is_late = waiting.ended;
                drop(waiting);
                if is_late {
                    self.write_waiting();
                } else if was_empty {
                    self.more.notify_one();
                }
                return;
            }
            drop(waiting);
            self.write_waiting();
        }
    }
}

impl<W: Write + Send + 'static> Drop for LinesGuard<W> {
    fn drop(&mut self) {
        self.shared.waiting().ended = true;
        self.shared.more.notify_one();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked; if it has, what waits is written here.
            thread.join().unwrap_or_default();
        }
        self.shared.write_waiting();
    }
}

impl<W: Write> Write for &Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a, W: Write + 'a> MakeWriter<'a> for Lines<W> {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, and how often.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            written.0.extend_from_slice(bytes);
            written.1 += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn keeps_every_line_in_its_order_through_any_number_of_writes() {
        let written = Written::default();
        let (lines, guard) = lines(written.clone()).unwrap();
        let mut expected = Vec::new();
        for number in 0..200_000 {
            let line = format!("{number} {}\n", "x".repeat(number % 40));
            (&lines).write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
        }
        drop(guard);
        let (bytes, writes) = written.0.lock().unwrap().clone();
        assert!(bytes == expected, "{} of {}", bytes.len(), expected.len());
        assert!((1..1000).contains(&writes), "{writes}");
    }

    #[test]
    fn writes_what_comes_after_the_end_at_once() {
        let written = Written::default();
        let (lines, guard) = lines(written.clone()).unwrap();
        drop(guard);
        (&lines).write_all(b"late\n").unwrap();
        assert_eq!(written.0.lock().unwrap().0, b"late\n");
    }

    #[test]
    fn a_line_longer_than_what_may_wait_leaves_whole() {
        let written = Written::default();
        let (lines, guard) = lines(written.clone()).unwrap();
        (&lines).write_all(b"first\n").unwrap();
        (&lines)
            .write_all(&vec![b'x'; WAITING_BYTES_MAX + 1])
            .unwrap();
        drop(guard);
        assert_eq!(written.0.lock().unwrap().0.len(), 6 + WAITING_BYTES_MAX + 1);
    }
}
