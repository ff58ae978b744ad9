//! A process that writes is killed again and again, and starts where it was: nothing that it said to be
//! durable is missing, nothing is there twice. `POSTERN_KILLS` says how often (1000 for the long run).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use postern_audit::{
    Integrity, Log, LogSettings, PolicyFile, PublishedEntries, SystemDisk, verify,
};

use crate::stage::{Stage, entry, entry_bytes};

const FOLDER: &str = "POSTERN_KILLED_FOLDER";
const ROUND: &str = "POSTERN_KILLED_ROUND";
const WRITERS: u64 = 8;

fn open(folder: &Path) -> Log {
    let seed = folder.join("seed");
    let mut settings = LogSettings::new(&folder.join("log"), &seed, "audit.example.org");
    settings.clock = Stage::new().clock;
    settings.segment_bytes = 64 << 10;
    settings.publish_every = Some(Duration::from_millis(5));
    Log::open(settings).unwrap()
}

/// Does nothing unless the test below starts it as a process of its own.
#[test]
fn writer_process() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else {
        return;
    };
    let round: u64 = round.parse().unwrap();
    let log = Arc::new(open(Path::new(&folder)));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = Arc::clone(&log);
            scope.spawn(move || {
                for turn in 0..100_000 {
                    let number = (round << 32) + turn * WRITERS + writer;
                    let receipt = log.append_and_wait(entry(number)).unwrap();
                    let line = format!("\nacked {} {number} \n", receipt.index);
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Starts a writer, kills it after so many acknowledgements, and returns all that it gave.
fn run_and_kill(folder: &Path, round: u64, after: usize) -> Vec<(u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::writer_process", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acked = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // Only a line that ends as lines do was written whole.
        if let Some(numbers) = line
            .strip_prefix("acked ")
            .and_then(|rest| rest.strip_suffix(' '))
        {
            let (index, number) = numbers.split_once(' ').unwrap();
            acked.push((index.parse().unwrap(), number.parse().unwrap()));
        }
        if acked.len() == after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acked.len() >= after, "the writer failed by itself");
    acked
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let kills = std::env::var("POSTERN_KILLS").ok();
    let kills: u64 = kills.map_or(8, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("log")).unwrap();
    let mut acked = BTreeMap::new();
    for round in 0..kills {
        let after = 1 + usize::try_from(round * 7919 % 97).unwrap();
        for (index, number) in run_and_kill(folder.path(), round, after) {
            let before = acked.insert(index, number);
            assert_eq!(before, None, "index {index} was given twice");
        }
    }
    let log = open(folder.path());
    let key = log.keys()[0].clone();
    log.close().unwrap();
    let disk = SystemDisk::new(folder.path().join("log"));
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    let report = verify(&disk, &policy, &[]).unwrap();
    assert_eq!(report.integrity, Integrity::Ok, "{report}");
    let entries = published(&disk);
    for (index, number) in &acked {
        assert_eq!(
            entries[usize::try_from(*index).unwrap()],
            entry_bytes(*number)
        );
    }
    let mut unique = entries.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), entries.len(), "an entry is there twice");
    println!(
        "{kills} kills, {} acknowledged, {} in the log",
        acked.len(),
        entries.len()
    );
}

fn published(disk: &SystemDisk) -> Vec<Vec<u8>> {
    let entries = PublishedEntries::open(disk, 0).unwrap();
    entries.map(|read| read.unwrap().1).collect()
}
