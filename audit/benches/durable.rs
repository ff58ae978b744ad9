//! Durable entries per second and the time to an acknowledgement, at 1, 64 and 256 in flight.
//!
//! `cargo bench -p postern-audit --bench durable [FOLDER]` writes entries of 1 KiB to a new log below the
//! folder, by default a temporary one, and prints what it saw. Nothing is asserted: it is the disk that
//! is measured, and the log with its hashes and signatures on top.

#![expect(clippy::print_stdout, reason = "what a bench is for")]

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use postern_audit::{Log, LogSettings, NewEntry};

const ENTRY_BYTES: usize = 1024;
const TIME: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let below = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    println!("in flight | entries/s | batches' mean size | ack p50 ms | ack p99 ms");
    for in_flight in [1, 64, 256] {
        let folder = match &below {
            Some(below) => tempfile::tempdir_in(below)?,
            None => tempfile::tempdir()?,
        };
        measure(folder.path(), in_flight)?;
    }
    Ok(())
}

fn measure(folder: &Path, in_flight: usize) -> Result<(), Box<dyn std::error::Error>> {
    let log_folder = folder.join("log");
    std::fs::create_dir(&log_folder)?;
    let settings = LogSettings::new(&log_folder, &folder.join("seed"), "bench.example");
    let log = Log::open(settings)?;
    let (reply, answers) = channel();
    (0..in_flight).for_each(|_| append(&log, &reply));
    let begin = now();
    let mut times = Vec::new();
    let mut sizes = std::collections::BTreeSet::new();
    while begin.elapsed() < TIME {
        let (time, size): (Duration, u64) = answers.recv()?;
        times.push(time);
        sizes.insert(size);
        append(&log, &reply);
    }
    let seconds = begin.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| {
        let place = times.len() * percent / 100;
        times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "{in_flight:9} | {:9.0} | {:18.1} | {:10.2} | {:10.2}",
        times.len() as f64 / seconds,
        times.len() as f64 / sizes.len() as f64,
        at(50),
        at(99)
    );
    log.close()?;
    Ok(())
}

fn append(log: &Log, reply: &Sender<(Duration, u64)>) {
    let (begin, reply) = (now(), reply.clone());
    log.append(NewEntry::new(vec![b'x'; ENTRY_BYTES]), move |result| {
        // The last answers come when nobody waits for them any more.
        drop(result.map(|receipt| reply.send((begin.elapsed(), receipt.size))));
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the system's time"
)]
fn now() -> Instant {
    Instant::now()
}
