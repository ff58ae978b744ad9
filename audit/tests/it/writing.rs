//! What an acknowledgement means, and what is there after a log was closed, torn, filled or failed.

use std::sync::{Arc, Barrier};

use postern_audit::{Log, LogError, NewEntry, OnDamage, OpenError, bundle_entries};

use crate::faults::CALLS;
use crate::memory_disk::MemoryDisk;
use crate::stage::{Stage, entry, entry_bytes, place};

/// Every entry of the log, after it was opened again and published.
pub(crate) fn entries_of(stage: &Stage) -> Vec<Vec<u8>> {
    let log = stage.open().unwrap();
    log.publish().unwrap();
    drop(log);
    published_entries(&stage.disk)
}

fn published_entries(disk: &MemoryDisk) -> Vec<Vec<u8>> {
    let mut bundles: Vec<(u64, Vec<u8>)> = Vec::new();
    for (path, bytes) in disk.files() {
        if let Some(tile) = postern_audit::TileId::from_path(&path)
            && tile.kind == postern_audit::TileKind::Entries
        {
            bundles.push((tile.index, bytes));
        }
    }
    bundles.sort();
    // Of the same bundle the widest one is the published one.
    bundles.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same && later.1.len() > earlier.1.len() {
            std::mem::swap(&mut later.1, &mut earlier.1);
        }
        same
    });
    let parsed = bundles.iter().flat_map(|(_, bytes)| {
        let (entries, whole) = bundle_entries(bytes);
        assert!(whole);
        entries.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    parsed.collect()
}

#[test]
fn what_was_acknowledged_is_there_at_its_index() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let receipts: Vec<_> = (0..600)
        .map(|n| log.append_and_wait(entry(n)).unwrap())
        .collect();
    log.close().unwrap();
    let entries = published_entries(&stage.disk);
    assert_eq!(entries.len(), 602, "a Start, the entries and a Stop");
    for (number, receipt) in (0..).zip(receipts) {
        assert_eq!(entries[place(receipt.index)], entry_bytes(number));
        assert!(receipt.size > receipt.index);
    }
}

#[test]
fn an_entry_may_contain_its_own_index() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let numbered = NewEntry::numbered(b"{\"sequence\":".to_vec(), b"}".to_vec());
    assert_eq!(log.append_and_wait(numbered).unwrap().index, 1);
    log.close().unwrap();
    assert_eq!(published_entries(&stage.disk)[1], b"{\"sequence\":1}");
}

#[test]
fn entries_of_65535_bytes_are_taken_and_longer_ones_refused() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.append_and_wait(NewEntry::new(vec![b'x'; 65_535]))
        .unwrap();
    let refused = log.append_and_wait(NewEntry::new(vec![b'x'; 65_536]));
    assert_eq!(refused, Err(LogError::TooLong { bytes: 65_536 }));
    assert_eq!(
        log.append_and_wait(NewEntry::new(Vec::new())),
        Err(LogError::Empty)
    );
    log.close().unwrap();
    assert_eq!(entries_of(&stage)[1].len(), 65_535);
}

#[test]
fn a_full_queue_says_so() {
    let stage = Stage::new();
    let mut settings = stage.settings();
    settings.queue_entries_max = 1;
    let log = Log::open(settings).unwrap();
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    log.append(entry(0), move |_| {
        held.wait();
        held.wait();
    });
    gate.wait();
    // The writer waits in the callback, so what comes now waits in the queue.
    log.try_append(entry(1), |result| assert!(result.is_ok()))
        .unwrap();
    let refused = log.try_append(entry(2), |_| panic!("it was refused"));
    gate.wait();
    assert_eq!(refused, Err(LogError::Full));
    log.close().unwrap();
}

#[test]
fn a_second_writer_is_refused() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    assert!(matches!(stage.open(), Err(OpenError::Locked)));
    drop(log);
    stage.open().unwrap();
}

#[test]
fn segments_roll_and_go_when_they_are_in_full_tiles() {
    let stage = Stage {
        segment_bytes: 4096,
        ..Stage::new()
    };
    for round in 0..3 {
        let log = stage.open().unwrap();
        for number in 0..300 {
            log.append_and_wait(entry(round * 300 + number)).unwrap();
            if number % 50 == 0 {
                log.publish().unwrap();
            }
        }
        log.close().unwrap();
    }
    let files = stage.disk.files();
    let segments: Vec<&String> = files.keys().filter(|path| path.ends_with(".seg")).collect();
    assert!(
        segments[0].as_str() > ".wal/00000000000000000256.seg",
        "{segments:?}"
    );
    let partial = files.keys().filter(|path| path.contains(".p/")).count();
    assert_eq!(partial, 3, "one bundle, and one tile on each of two levels");
    assert_eq!(published_entries(&stage.disk).len(), 906);
}

/// The log as it is after its write-ahead log was cut at a byte: everything up to the last whole batch is
/// there, and nothing else.
#[test]
fn a_log_cut_at_any_byte_keeps_every_whole_batch() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for number in 0..4 {
        log.append_and_wait(entry(number)).unwrap();
    }
    drop(log);
    let path = ".wal/00000000000000000000.seg";
    let mut files = stage.disk.files();
    let whole = files[path].clone();
    let ends: Vec<usize> = batch_ends(&whole);
    assert_eq!(ends.len(), 5);
    // What was synced after the write would tell of a rollback, and rightly; a torn write comes before.
    files.insert(".state/head.A".to_owned(), Vec::new());
    files.insert(".state/head.B".to_owned(), Vec::new());
    for cut in 0..=whole.len() {
        let mut torn = files.clone();
        torn.insert(path.to_owned(), whole[..cut].to_vec());
        let after = Stage {
            disk: MemoryDisk::with(torn),
            ..stage.clone()
        };
        let kept = ends.iter().filter(|end| **end <= cut).count();
        let entries = entries_of(&after);
        assert_eq!(entries.len(), kept + 1, "cut at {cut}");
        let is_torn = cut != 0 && !ends.contains(&cut);
        let last = String::from_utf8(entries[kept].clone()).unwrap();
        let activity = if is_torn {
            "\"activity_id\":8"
        } else {
            "\"activity_id\":6"
        };
        assert!(last.contains(activity), "cut at {cut}: {last}");
    }
    println!("{} cuts", whole.len() + 1);
}

/// Where each batch ends: after its trailer, whose note has its length before it.
pub(crate) fn batch_ends(bytes: &[u8]) -> Vec<usize> {
    let starts = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, four)| four == b"PTBT");
    let end = |(at, _): (usize, &[u8])| {
        let length = u32::from_be_bytes(bytes[at + 56..at + 60].try_into().unwrap());
        at + 60 + length as usize + 4
    };
    starts.map(end).collect()
}

#[test]
fn every_call_failing_once_acknowledges_nothing_false() {
    let mut failures = 0;
    for call in CALLS {
        for after in 0.. {
            let stage = Stage {
                segment_bytes: 2048,
                ..Stage::new()
            };
            drop(stage.open().unwrap());
            stage.disk.fail(call, after);
            let acknowledged = write_some(&stage);
            if !stage.disk.has_failed() {
                break;
            }
            failures += 1;
            let entries = entries_of(&stage);
            for (index, number) in acknowledged {
                assert_eq!(
                    entries[place(index)],
                    entry_bytes(number),
                    "{call:?} failed after {after}"
                );
            }
            let mut unique: Vec<&Vec<u8>> = entries.iter().collect();
            unique.sort();
            unique.dedup();
            assert_eq!(unique.len(), entries.len(), "{call:?} failed after {after}");
        }
    }
    println!("{failures} failed calls, 0 false acknowledgements");
    assert!(failures > 100, "{failures}");
}

/// Opens the log, appends, rotates the key and publishes, whatever fails; what was acknowledged.
fn write_some(stage: &Stage) -> Vec<(u64, u64)> {
    let mut acknowledged = Vec::new();
    let Ok(log) = stage.open() else {
        return acknowledged;
    };
    let mut poisoned = false;
    for number in 0..30 {
        match log.append_and_wait(entry(number)) {
            Ok(receipt) => {
                assert!(!poisoned, "a log that has failed acknowledges nothing");
                acknowledged.push((receipt.index, number));
            }
            Err(error) => poisoned |= error == LogError::Poisoned,
        }
        if number % 10 == 5 {
            drop(log.publish());
        }
        if number == 12 {
            drop(log.rotate_key());
        }
    }
    drop(log.close());
    acknowledged
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    for room in (0..700).step_by(9) {
        let stage = Stage::new();
        let log = stage.open().unwrap();
        log.append_and_wait(entry(0)).unwrap();
        stage.disk.set_room(Some(room));
        let mut refused = 0;
        for number in 1..6 {
            match log.append_and_wait(entry(number)) {
                Ok(_) => {}
                Err(error) => {
                    assert!(matches!(error, LogError::Unwritten { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "{room}");
        stage.disk.set_room(None);
        let receipt = log.append_and_wait(entry(6)).unwrap();
        assert_eq!(receipt.index, 7 - refused);
        log.close().unwrap();
        let entries = entries_of(&stage);
        assert_eq!(entries[place(receipt.index)], entry_bytes(6));
    }
}

#[test]
fn a_sync_that_fails_ends_the_log_until_it_is_opened_again() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.append_and_wait(entry(0)).unwrap();
    stage.disk.fail(crate::faults::Call::Sync, 0);
    assert_eq!(log.append_and_wait(entry(1)), Err(LogError::Poisoned));
    assert_eq!(log.append_and_wait(entry(2)), Err(LogError::Poisoned));
    assert_eq!(log.publish(), Err(LogError::Poisoned));
    assert!(log.is_poisoned());
    drop(log);
    stage.open().unwrap().append_and_wait(entry(3)).unwrap();
}

#[test]
fn a_log_that_is_shorter_than_a_head_is_refused_and_can_be_replaced() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    let origin = log.origin().to_owned();
    log.append_and_wait(entry(0)).unwrap();
    log.publish().unwrap();
    let earlier = stage.disk.files();
    log.append_and_wait(entry(1)).unwrap();
    drop(log);
    let path = ".wal/00000000000000000000.seg";
    stage.disk.put(path, earlier[path].clone());
    let refused = stage.open().unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::RolledBack {
                ours: 2,
                known: 3,
                ..
            }
        ),
        "{refused}"
    );
    let mut settings = stage.settings();
    settings.on_damage = OnDamage::BeginAnother;
    let log = Log::open(settings).unwrap();
    assert_ne!(log.origin(), origin);
    log.close().unwrap();
    let first = String::from_utf8(published_entries(&stage.disk)[0].clone()).unwrap();
    assert!(
        first.contains(&origin) && first.contains("rolled back"),
        "{first}"
    );
    let aside = stage
        .disk
        .files()
        .keys()
        .filter(|path| path.starts_with(".damaged/"))
        .count();
    assert_eq!(aside, 7, "checkpoint, segment, slots, key, tile and bundle");
    stage.open().unwrap();
}

#[test]
fn a_witness_that_knows_more_is_believed() {
    let stage = Stage::new();
    drop(stage.open().unwrap());
    let mut settings = stage.settings();
    settings.witnessed_size = Some(2);
    let refused = Log::open(settings).unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::RolledBack {
                ours: 1,
                known: 2,
                ..
            }
        ),
        "{refused}"
    );
}
