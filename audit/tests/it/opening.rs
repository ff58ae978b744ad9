//! What a log says when it is opened after a crash, and after somebody has changed it.

use postern_audit::{Incomplete, Integrity, KeyKind, Note, OpenError, PolicyFile, Signer, verify};

use crate::faults::Call;
use crate::memory_disk::MemoryDisk;
use crate::sample::padded;
use crate::stage::{Stage, entry, entry_bytes};
use crate::writing::{batch_ends, entries_of};

const SEGMENT: &str = ".wal/00000000000000000000.seg";
/// One that begins where all that is before it is in full tiles.
const EMPTY_SEGMENT: &str = ".wal/00000000000000000256.seg";

/// A log of 256 published entries whose only segment was made for a batch that did not come, and its policy.
fn without_batches() -> (Stage, PolicyFile) {
    let stage = Stage {
        segment_bytes: 1,
        ..Stage::new()
    };
    let log = stage.open().unwrap();
    for number in 0..255 {
        log.append_and_wait(entry(number)).unwrap();
    }
    stage.disk.fail(Call::Write, 0);
    log.append_and_wait(entry(255)).unwrap_err();
    log.publish().unwrap();
    let note = Note::parse(log.published().unwrap().as_bytes()).unwrap();
    // More cosignatures than a head slot has room for.
    let lines = (0..16).map(|n| {
        let name = format!("witness-{n}.example.org");
        let witness = Signer::from_seed(&name, KeyKind::Witness, &[7; 32]).unwrap();
        witness.cosign(note.text(), 1)
    });
    log.cosign(note.text(), lines.collect()).unwrap();
    let policy = format!("log {}\nquorum none\n", log.keys()[0]);
    drop(log);
    let files = stage.disk.files();
    let mut segments = files.keys().filter(|path| path.starts_with(".wal/"));
    assert_eq!(segments.next().unwrap(), EMPTY_SEGMENT);
    assert_eq!(segments.next(), None);
    (stage, PolicyFile::parse(policy.as_bytes()).unwrap())
}

#[test]
fn a_log_whose_only_segment_holds_no_batch_goes_on_from_its_tiles() {
    let (stage, policy) = without_batches();
    let report = verify(&stage.disk, &policy, &[]).unwrap();
    assert_eq!((report.integrity, report.size), (Integrity::Ok, 256));
    let anchor = stage.disk.files()["checkpoint"].clone();
    // A power loss may have torn the head slots too: they are made again, of a note that they have room for.
    let torn = Stage {
        disk: MemoryDisk::with(stage.disk.files()),
        ..stage.clone()
    };
    torn.disk.put(".state/head.A", vec![0; 7]);
    torn.disk.put(".state/head.B", vec![0; 7]);
    for stage in [&stage, &torn] {
        drop(stage.open().unwrap());
        let log = stage.open().unwrap();
        let receipt = log.append_and_wait(entry(255)).unwrap();
        assert_eq!(receipt.index, 258, "after two Start entries");
        log.close().unwrap();
        let report = verify(&stage.disk, &policy, std::slice::from_ref(&anchor)).unwrap();
        assert_eq!((report.integrity, report.size), (Integrity::Ok, 260));
    }
}

#[test]
fn a_log_without_a_segment_or_with_other_tiles_before_an_empty_one_does_not_open() {
    let (stage, _) = without_batches();
    let opened = |change: &dyn Fn(&MemoryDisk)| {
        let disk = MemoryDisk::with(stage.disk.files());
        change(&disk);
        let stage = Stage {
            disk,
            ..stage.clone()
        };
        stage.open().unwrap_err()
    };
    let without_segment = opened(&|disk| disk.take_out(EMPTY_SEGMENT));
    assert!(
        matches!(without_segment, OpenError::RolledBack { ours: 0, .. }),
        "no crash removes the last segment: {without_segment}"
    );
    let tile = "tile/1/000.p/1";
    let without_tile = opened(&|disk| disk.take_out(tile));
    let with_another = opened(&|disk| disk.put(tile, vec![7; 32]));
    for refused in [without_tile, with_another] {
        assert!(
            matches!(refused, OpenError::Damaged { index: 256, .. }),
            "{refused}"
        );
    }
}

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

/// A log that is killed in its first moments has published nothing: that is no tampering.
#[test]
fn a_log_that_was_killed_before_it_published_anything_is_unpublished() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    log.append_and_wait(entry(0)).unwrap();
    let key = log.keys()[0].clone();
    drop(log);
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    let report = verify(&stage.disk, &policy, &[]).unwrap();
    assert_eq!(report.exit_code(), 1, "{report}");
    assert_eq!(
        report.completeness,
        [Incomplete::Unpublished, Incomplete::Unanchored { since: 0 }]
    );
    // What was edited is found all the same.
    let mut files = stage.disk.files();
    files.get_mut(SEGMENT).unwrap()[40] ^= 1;
    let report = verify(&MemoryDisk::with(files), &policy, &[]).unwrap();
    assert_eq!(report.exit_code(), 4, "{report}");
    // A checkpoint that is gone although it was cosigned was taken away.
    let log = stage.open().unwrap();
    log.publish().unwrap();
    let note = Note::parse(log.published().unwrap().as_bytes()).unwrap();
    log.keep_cosigned(&note).unwrap();
    drop(log);
    let mut files = stage.disk.files();
    files.remove("checkpoint");
    let report = verify(&MemoryDisk::with(files), &policy, &[]).unwrap();
    assert_eq!(report.exit_code(), 4, "{report}");
}

/// Segments are read in pieces, whatever is in them.
#[test]
fn a_segment_of_many_pieces_is_read_whole_and_its_torn_end_is_found() {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    for number in 0..400 {
        log.append(padded(number, 60_000), |result| assert!(result.is_ok()));
    }
    log.append_and_wait(entry(400)).unwrap();
    log.publish().unwrap();
    let key = log.keys()[0].clone();
    drop(log);
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    let whole = stage.disk.files()[SEGMENT].clone();
    assert!(whole.len() > 20 << 20);
    stage.disk.put(SEGMENT, whole.clone());
    let report = verify(&stage.disk, &policy, &[]).unwrap();
    assert_eq!((report.integrity, report.size), (Integrity::Ok, 402));
    assert!(
        stage.disk.most_read() <= 1 << 20,
        "{}",
        stage.disk.most_read()
    );
    // Whatever is wrong anywhere: whole batches follow it, so no crash left it.
    for at in [1 << 20, (9 << 20) + 77, whole.len() - 9_000_000] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        stage.disk.put(SEGMENT, changed);
        assert!(
            matches!(stage.open(), Err(OpenError::Damaged { .. })),
            "{at}"
        );
    }
    // Garbage without a trailer, longer than what is looked at together, is a torn write.
    let mut torn = whole.clone();
    torn.resize(whole.len() + (10 << 20), 7);
    stage.disk.put(SEGMENT, torn);
    let report = verify(&stage.disk, &policy, &[]).unwrap();
    assert_eq!(
        (report.integrity, report.torn_bytes),
        (Integrity::Ok, 10 << 20)
    );
    stage.open().unwrap();
}
