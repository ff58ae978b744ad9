//! What a whole log says of itself, what is missing in another, and keys that follow each other.

use std::time::Duration;

use postern_audit::{
    Activity, Clock, Incomplete, Integrity, KeyKind, Log, LogError, NewEntry, Note, OpenError,
    PolicyFile, Report, Signer, life_entry, verify,
};
use serde_json::{Value, json};

use crate::faults::Call;
use crate::memory_disk::MemoryDisk;
use crate::stage::Stage;

fn millis(stage: &Stage) -> u64 {
    let since = stage.clock.wall().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

fn event(stage: &Stage, correlation: &str, phase: &str) -> NewEntry {
    let body = json!({
        "class_uid": 6003,
        "time": millis(stage),
        "metadata": { "correlation_uid": correlation },
        "unmapped": { "postern": { "phase": phase } },
    });
    NewEntry::new(body.to_string().into_bytes())
}

fn heartbeat(stage: &Stage, log: &Log, seen: u64, pending: u64) -> NewEntry {
    let counts: Value = json!({ "heartbeat": { "6003": { "seen": seen, "pending": pending } } });
    let clock = stage.clock.as_ref();
    life_entry(clock, log.origin(), Activity::Heartbeat, Some(counts))
}

/// What is missing in a log, its own end being its anchor.
fn missing(write: impl Fn(&Stage, &Log)) -> Vec<Incomplete> {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    write(&stage, &log);
    let key = log.keys()[0].clone();
    log.close().unwrap();
    let anchor = stage.disk.files()["checkpoint"].clone();
    let report = report(&stage.disk, &key.to_string(), &[anchor]);
    assert_eq!(report.integrity, Integrity::Ok);
    report.completeness
}

fn report(disk: &MemoryDisk, key: &str, anchors: &[Vec<u8>]) -> Report {
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    verify(disk, &policy, anchors).unwrap()
}

fn put(log: &Log, entry: NewEntry) {
    log.append_and_wait(entry).unwrap();
}

#[test]
fn pairs_and_heartbeats_that_add_up_are_complete() {
    let found = missing(|stage, log| {
        put(log, event(stage, "a", "intent"));
        put(log, event(stage, "b", "intent"));
        put(log, event(stage, "b", "outcome"));
        put(log, heartbeat(stage, log, 2, 1));
        stage.clock.advance(Duration::from_secs(120));
        put(log, event(stage, "a", "outcome"));
        put(log, heartbeat(stage, log, 2, 0));
    });
    assert_eq!(found, []);
}

#[test]
fn an_intent_without_an_outcome_is_evidence() {
    let found = missing(|stage, log| put(log, event(stage, "a", "intent")));
    let correlation = "a".to_owned();
    assert_eq!(
        found,
        [Incomplete::UnmatchedIntent {
            index: 1,
            correlation
        }]
    );
    let found = missing(|stage, log| put(log, event(stage, "a", "outcome")));
    let correlation = "a".to_owned();
    assert_eq!(
        found,
        [Incomplete::UnmatchedOutcome {
            index: 1,
            correlation
        }]
    );
}

#[test]
fn what_a_heartbeat_has_seen_has_to_be_written() {
    let found = missing(|stage, log| {
        put(log, event(stage, "a", "intent"));
        put(log, event(stage, "a", "outcome"));
        put(log, heartbeat(stage, log, 3, 1));
    });
    let class = "6003".to_owned();
    let (index, seen, written) = (3, 2, 1);
    assert_eq!(
        found,
        [Incomplete::Omitted {
            index,
            class,
            seen,
            written
        }]
    );
}

#[test]
fn gaps_count_only_while_the_log_runs() {
    let found = missing(|stage, log| {
        let from = millis(stage);
        stage.clock.advance(Duration::from_millis(120_001));
        put(log, heartbeat(stage, log, 0, 0));
        assert_eq!(millis(stage), from + 120_001);
    });
    assert!(
        matches!(found[..], [Incomplete::Gap { index: 1, .. }]),
        "{found:?}"
    );
    let stage = Stage::new();
    stage.open().unwrap().close().unwrap();
    stage.clock.advance(Duration::from_secs(86_400));
    let log = stage.open().unwrap();
    let key = log.keys()[0].to_string();
    log.close().unwrap();
    let anchor = stage.disk.files()["checkpoint"].clone();
    assert_eq!(report(&stage.disk, &key, &[anchor]).completeness, []);
}

#[test]
fn times_indexes_and_entries_that_make_no_sense_are_named() {
    let found = missing(|stage, log| {
        let past = json!({ "time": millis(stage) - 86_400_000 });
        put(log, NewEntry::new(past.to_string().into_bytes()));
    });
    // The Stop entry after it is a day later again, which is a gap.
    assert_eq!(found[0], Incomplete::ClockWentBack { index: 1 });
    assert!(
        matches!(found[1..], [Incomplete::Gap { index: 2, .. }]),
        "{found:?}"
    );
    let found = missing(|stage, log| {
        let body = json!({ "time": millis(stage), "metadata": { "sequence": 7 } });
        put(log, NewEntry::new(body.to_string().into_bytes()));
        put(log, NewEntry::new(b"no event".to_vec()));
    });
    let expected = [
        Incomplete::WrongSequence { index: 1 },
        Incomplete::NotAnEvent { index: 2 },
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_key_follows_another_when_that_one_has_signed_it() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    put(&log, event(&stage, "a", "intent"));
    put(&log, event(&stage, "a", "outcome"));
    let early = {
        log.publish().unwrap();
        log.published().unwrap()
    };
    log.rotate_key().unwrap();
    put(&log, heartbeat(&stage, &log, 1, 0));
    log.rotate_key().unwrap();
    let keys = log.keys();
    assert_eq!(keys.len(), 3);
    log.close().unwrap();
    let log = stage.open().unwrap();
    assert_eq!(log.keys(), keys);
    log.close().unwrap();
    let anchor = stage.disk.files()["checkpoint"].clone();
    let anchors = [early.clone().into_bytes(), anchor];
    let whole = report(&stage.disk, &keys[0].to_string(), &anchors);
    assert_eq!(whole.exit_code(), 0, "{whole}");
    // The second key does not sign what the first one was in force for.
    let seed: [u8; 32] = stage.seeds.files()["audit.seed"]
        .clone()
        .try_into()
        .unwrap();
    let last = Signer::from_seed(keys[0].name(), KeyKind::Log, &seed).unwrap();
    assert_eq!(last.key(), &keys[2]);
    let text = Note::parse(early.as_bytes()).unwrap().text().to_owned();
    let mut files = stage.disk.files();
    files.retain(|path, _| !path.starts_with(".state/head"));
    files.insert(
        "checkpoint".to_owned(),
        last.sign(text).to_string().into_bytes(),
    );
    let resigned = report(&MemoryDisk::with(files), &keys[0].to_string(), &[]);
    assert_eq!(resigned.exit_code(), 4, "{resigned}");
}

/// A crash after the old key has signed the new one, and before the new one has taken its place.
#[test]
fn a_change_of_keys_that_was_cut_short_is_finished_at_the_next_start() {
    for (on_seeds, after) in [(true, 1), (false, 0)] {
        let stage = Stage::new();
        let log = stage.open().unwrap();
        let disk = if on_seeds { &stage.seeds } else { &stage.disk };
        disk.fail(Call::Rename, after);
        assert_eq!(log.rotate_key(), Err(LogError::Poisoned));
        assert!(disk.has_failed());
        drop(log);
        let log = stage.open().unwrap();
        let keys = log.keys();
        assert_eq!(keys.len(), 2);
        assert!(!stage.seeds.files().contains_key("audit.seed.next"));
        log.close().unwrap();
        let anchor = stage.disk.files()["checkpoint"].clone();
        let whole = report(&stage.disk, &keys[0].to_string(), &[anchor]);
        assert_eq!(whole.exit_code(), 0, "{whole}");
    }
}

#[test]
fn a_key_that_nobody_announced_is_forgotten_and_a_strange_one_refused() {
    let stage = Stage::new();
    drop(stage.open().unwrap());
    stage.seeds.put("audit.seed.next", vec![7; 32]);
    drop(stage.open().unwrap());
    assert!(!stage.seeds.files().contains_key("audit.seed.next"));
    stage.seeds.put("audit.seed", vec![7; 32]);
    assert!(matches!(stage.open(), Err(OpenError::Key { .. })));
}
