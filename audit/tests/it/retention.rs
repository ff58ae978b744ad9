//! Old entries go by a stated policy, and what is left verifies; a crash on the way does no harm.

use std::time::Duration;

use postern_audit::{
    Activity, Cover, Integrity, Log, LogError, NewEntry, Note, PolicyFile, PublishedEntries,
    Report, TileId, TileKind, VerifierKey, life_entry, prove, verify, verify_proof,
};
use serde_json::json;

use crate::faults::CALLS;
use crate::memory_disk::MemoryDisk;
use crate::sample::padded;
use crate::stage::Stage;

const DAY: Duration = Duration::from_secs(86_400);
const KEEP: Duration = Duration::from_secs(10 * 86_400);

fn event(stage: &Stage, log: &Log) -> NewEntry {
    let clock = stage.clock.as_ref();
    life_entry(clock, log.origin(), Activity::Heartbeat, None)
}

/// A log with 300 entries a day for so many days, closed well; its first key.
fn days(stage: &Stage, days: u64) -> VerifierKey {
    let log = stage.open().unwrap();
    for _ in 0..days {
        for _ in 0..300 {
            log.append(event(stage, &log), |result| assert!(result.is_ok()));
        }
        log.append_and_wait(event(stage, &log)).unwrap();
        log.publish().unwrap();
        stage.clock.advance(DAY);
    }
    let key = log.keys()[0].clone();
    drop(log);
    key
}

fn report(disk: &MemoryDisk, key: &VerifierKey, anchors: &[Vec<u8>]) -> Report {
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    verify(disk, &policy, anchors).unwrap()
}

fn bundles(disk: &MemoryDisk) -> Vec<u64> {
    let files = disk.files();
    let tiles = files.keys().filter_map(|path| TileId::from_path(path));
    let mut bundles: Vec<u64> = tiles
        .filter(|tile| tile.kind == TileKind::Entries)
        .map(|tile| tile.index)
        .collect();
    bundles.sort_unstable();
    bundles
}

#[test]
fn what_is_older_than_it_is_kept_goes_and_the_rest_verifies() {
    let stage = Stage::new();
    let key = days(&stage, 20);
    let anchor = stage.disk.files()["checkpoint"].clone();
    let log = stage.open().unwrap();
    let old = stage.disk.files()["tile/entries/000"].clone();
    assert_eq!(
        log.prune(KEEP * 100, Cover::Published).unwrap(),
        0,
        "nothing is that old"
    );
    assert_eq!(log.kept_from(), 0);
    let minimum = log.prune(KEEP, Cover::Published).unwrap();
    assert!(
        minimum > 10 * 256 && minimum.is_multiple_of(256),
        "{minimum}"
    );
    assert_eq!(
        log.prune(KEEP, Cover::Published).unwrap(),
        minimum,
        "once is enough"
    );
    assert_eq!(log.kept_from(), minimum);
    assert_eq!(bundles(&stage.disk)[0], minimum / 256);
    log.close().unwrap();
    let report = report(&stage.disk, &key, std::slice::from_ref(&anchor));
    assert_eq!(report.integrity, Integrity::Ok, "{report}");
    assert_eq!((report.first, report.size), (minimum, 20 * 301 + 4));
    let shown = report.to_string();
    assert!(
        shown.contains(&format!("integrity: ok from {minimum}")),
        "{shown}"
    );
    let left: Vec<u64> = PublishedEntries::open(&stage.disk, 0)
        .unwrap()
        .map(|read| read.unwrap().0)
        .collect();
    assert_eq!(left.first(), Some(&minimum));
    assert_eq!(left.len() as u64, report.size - minimum);
    // Whoever kept an entry can still prove it.
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    let proof = prove(&stage.disk, 7).unwrap().to_string();
    let entry = postern_audit::bundle_entries(&old).0[7].to_vec();
    verify_proof(proof.as_bytes(), &entry, &policy).unwrap();
    let last = PublishedEntries::open(&stage.disk, report.size - 2).unwrap();
    let said = last.map(|read| read.unwrap().1).next().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(
        (&said["class_uid"], &said["activity_id"]),
        (&json!(1008), &json!(2))
    );
    assert_eq!(said["unmapped"]["postern"]["minimum_index"], minimum);
}

#[test]
fn what_is_taken_out_without_the_log_saying_so_is_found() {
    let stage = Stage::new();
    let key = days(&stage, 20);
    let log = stage.open().unwrap();
    let minimum = log.prune(KEEP, Cover::Published).unwrap();
    log.close().unwrap();
    for bundle in [minimum / 256, minimum / 256 + 3] {
        let files = stage.disk.files();
        let path = format!("tile/entries/{bundle:03}");
        let mut changed = files.clone();
        changed.remove(&path).unwrap();
        let report = report(&MemoryDisk::with(changed), &key, &[]);
        let index = bundle * 256;
        assert!(
            matches!(report.integrity, Integrity::Tampered { index: found, .. } if found == index),
            "{report}"
        );
    }
    // A hash that stays is held against every head.
    let mut changed = stage.disk.files();
    changed.get_mut("tile/0/001").unwrap()[40] ^= 1;
    let report = report(&MemoryDisk::with(changed), &key, &[]);
    assert_eq!(report.exit_code(), 4, "{report}");
}

/// The same files, opened apart.
fn copy(stage: &Stage) -> Stage {
    Stage {
        disk: MemoryDisk::with(stage.disk.files()),
        seeds: MemoryDisk::with(stage.seeds.files()),
        ..stage.clone()
    }
}

#[test]
fn pruning_excuses_nobody_who_took_entries_out_before_it() {
    let stage = Stage::new();
    let key = days(&stage, 20);
    let kept = copy(&stage).open().unwrap();
    let minimum = kept.prune(KEEP, Cover::Published).unwrap();
    for bundle in [minimum / 256, minimum / 256 + 1] {
        let path = format!("tile/entries/{bundle:03}");
        stage.disk.take_out(&path);
    }
    let log = stage.open().unwrap();
    assert_eq!(log.prune(KEEP, Cover::Published).unwrap(), minimum);
    log.close().unwrap();
    let report = report(&stage.disk, &key, &[]);
    assert!(
        matches!(report.integrity, Integrity::Tampered { index, .. } if index == minimum),
        "{report}"
    );
}

#[test]
fn pruning_does_not_believe_the_time_in_an_entry_that_was_changed() {
    let stage = Stage::new();
    let key = days(&stage, 20);
    let kept = copy(&stage).open().unwrap();
    let minimum = kept.prune(KEEP, Cover::Published).unwrap();
    let path = format!("tile/entries/{:03}", minimum / 256);
    let bundle = stage.disk.files()[&path].clone();
    let older = bundle
        .windows(9)
        .enumerate()
        .filter(|(_, window)| *window == b"\"time\":17")
        .fold(bundle.clone(), |mut older, (at, _)| {
            older[at + 8] = b'6';
            older
        });
    assert_ne!(older, bundle);
    stage.disk.put(&path, older);
    let log = stage.open().unwrap();
    assert_eq!(
        log.prune(KEEP, Cover::Published),
        Err(LogError::Damaged),
        "it stays as evidence"
    );
    log.close().unwrap();
    assert_eq!(report(&stage.disk, &key, &[]).exit_code(), 4);
}

#[test]
fn a_heartbeat_that_has_seen_too_much_is_counted_all_the_same() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for _ in 0..300 {
        log.append_and_wait(event(&stage, &log)).unwrap();
    }
    stage.clock.advance(DAY * 20);
    let seen = json!({ "heartbeat": { "6003": { "seen": u64::MAX, "pending": 0 } } });
    for _ in 0..2 {
        let clock = stage.clock.as_ref();
        let beat = life_entry(clock, log.origin(), Activity::Heartbeat, Some(seen.clone()));
        log.append_and_wait(beat).unwrap();
        let call = br#"{"class_uid":6003,"time":1701728000000}"#;
        log.append_and_wait(NewEntry::new(call.to_vec())).unwrap();
    }
    log.publish().unwrap();
    assert_eq!(log.prune(KEEP, Cover::Published).unwrap(), 256);
    let key = log.keys()[0].clone();
    log.close().unwrap();
    assert_eq!(report(&stage.disk, &key, &[]).integrity, Integrity::Ok);
}

#[test]
fn nothing_goes_that_no_checkpoint_covers_or_that_has_no_time() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for _ in 0..1000 {
        log.append(event(&stage, &log), |result| assert!(result.is_ok()));
    }
    log.append_and_wait(event(&stage, &log)).unwrap();
    stage.clock.advance(DAY * 100);
    assert_eq!(
        log.prune(KEEP, Cover::Published).unwrap(),
        0,
        "nothing is published"
    );
    log.publish().unwrap();
    assert_eq!(
        log.prune(KEEP, Cover::Cosigned).unwrap(),
        0,
        "nothing is cosigned"
    );
    let note = Note::parse(log.published().unwrap().as_bytes()).unwrap();
    log.keep_cosigned(&note).unwrap();
    assert_eq!(log.prune(KEEP, Cover::Cosigned).unwrap(), 768);
    assert_eq!(log.prune(KEEP, Cover::Published).unwrap(), 768);
    drop(log);
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for _ in 0..600 {
        let untimed = NewEntry::new(br#"{"number":1}"#.to_vec());
        log.append(untimed, |result| assert!(result.is_ok()));
    }
    log.append_and_wait(padded(0, 0)).unwrap();
    log.publish().unwrap();
    stage.clock.advance(DAY * 1000);
    assert_eq!(log.prune(KEEP, Cover::Published).unwrap(), 0);
}

#[test]
fn keys_can_be_followed_through_what_was_pruned() {
    let stage = Stage::new();
    let key = days(&stage, 3);
    let log = stage.open().unwrap();
    log.rotate_key().unwrap();
    drop(log);
    days(&stage, 20);
    let log = stage.open().unwrap();
    let minimum = log.prune(KEEP, Cover::Published).unwrap();
    log.close().unwrap();
    assert_eq!(
        bundles(&stage.disk)[0],
        3,
        "the one with the change of keys"
    );
    let report = report(&stage.disk, &key, &[]);
    assert_eq!(report.integrity, Integrity::Ok, "{report}");
    assert!(minimum > 4 * 256);
    assert_eq!(report.first, minimum, "{report}");
}

#[test]
fn old_entries_leave_the_write_ahead_log_too() {
    let stage = Stage::new();
    days(&stage, 20);
    let log = stage.open().unwrap();
    let minimum = log.prune(KEEP, Cover::Published).unwrap();
    for _ in 0..300 {
        log.append_and_wait(event(&stage, &log)).unwrap();
    }
    log.publish().unwrap();
    drop(log);
    let files = stage.disk.files();
    let segments: Vec<&String> = files.keys().filter(|path| path.ends_with(".seg")).collect();
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert!(segments[0].as_str() > format!(".wal/{minimum:020}.seg").as_str());
    stage.open().unwrap();
}

#[test]
fn pruning_that_fails_anywhere_is_finished_by_the_next() {
    let mut failures = 0;
    let template = Stage::new();
    let key = days(&template, 20);
    let (files, seeds) = (template.disk.files(), template.seeds.files());
    for call in CALLS {
        for after in 0.. {
            let stage = Stage {
                disk: MemoryDisk::with(files.clone()),
                seeds: MemoryDisk::with(seeds.clone()),
                ..template.clone()
            };
            let log = stage.open().unwrap();
            stage.disk.fail(call, after);
            drop(log.prune(KEEP, Cover::Published));
            drop(log);
            if !stage.disk.has_failed() {
                break;
            }
            failures += 1;
            let interrupted = report(&stage.disk, &key, &[]);
            assert_eq!(
                interrupted.integrity,
                Integrity::Ok,
                "{call:?} {after}: {interrupted}"
            );
            let log = stage.open().unwrap();
            let minimum = log.prune(KEEP, Cover::Published).unwrap();
            log.close().unwrap();
            assert_eq!(bundles(&stage.disk)[0], minimum / 256, "{call:?} {after}");
            let report = report(&stage.disk, &key, &[]);
            assert_eq!(
                report.integrity,
                Integrity::Ok,
                "{call:?} {after}: {report}"
            );
        }
    }
    println!("{failures} failed calls while pruning");
    assert!(failures > 30, "{failures}");
}
