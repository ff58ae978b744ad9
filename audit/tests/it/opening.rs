//! What a log says when it is opened after a crash, and after somebody has changed it.

use postern_audit::OpenError;

use crate::memory_disk::MemoryDisk;
use crate::stage::{Stage, entry, entry_bytes};
use crate::writing::{batch_ends, entries_of};

const SEGMENT: &str = ".wal/00000000000000000000.seg";

/// What a crash cannot have left is refused, wherever it is.
#[test]
fn a_log_with_any_byte_changed_does_not_open() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for number in 0..3 {
        log.append_and_wait(entry(number)).unwrap();
    }
    drop(log);
    let files = stage.disk.files();
    let last = batch_ends(&files[SEGMENT])[2];
    for at in 0..files[SEGMENT].len() {
        let mut changed = files.clone();
        changed.get_mut(SEGMENT).unwrap()[at] ^= 1 << (at % 8);
        let disk = MemoryDisk::with(changed);
        let refused = Stage {
            disk,
            ..stage.clone()
        }
        .open()
        .unwrap_err();
        let is_torn = matches!(
            refused,
            OpenError::RolledBack {
                ours: 3,
                known: 4,
                ..
            }
        );
        let is_damaged = matches!(refused, OpenError::Damaged { .. });
        assert!(
            if at < last { is_damaged } else { is_torn },
            "{at}: {refused}"
        );
    }
    println!("{} bytes changed, all refused", files[SEGMENT].len());
}

/// Pages reach the disk in any order: the end of an unsynced batch may be there without its middle.
#[test]
fn a_batch_of_which_only_the_trailer_is_whole_is_cut() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.append_and_wait(entry(0)).unwrap();
    let before = stage.disk.files();
    log.append_and_wait(entry(1)).unwrap();
    drop(log);
    let mut segment = stage.disk.files()[SEGMENT].clone();
    segment[before[SEGMENT].len()..][..16].fill(0);
    // The head slots are as they were when the power went, before the batch was acknowledged.
    let disk = MemoryDisk::with(before);
    disk.put(SEGMENT, segment);
    let after = Stage { disk, ..stage };
    let entries = entries_of(&after);
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1], entry_bytes(0));
    let restart = String::from_utf8(entries[2].clone()).unwrap();
    assert!(restart.contains("\"activity_id\":8") && restart.contains("\"recovered_size\":2"));
}
