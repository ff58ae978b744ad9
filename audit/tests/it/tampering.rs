//! What somebody does to a log, and what the verifier says: every bit flipped, every entry deleted,
//! swapped and doubled, the tail cut, the folder rolled back, a fork signed with the log's own key.
//!
//! `POSTERN_LOG_BYTES` says how large the log is of which every bit is flipped (65536 for the long run);
//! without it, one bit of each byte of a small log is.

use postern_audit::{
    Incomplete, Integrity, PolicyFile, PublishedEntries, SystemDisk, TileKind, VerifierKey,
    VerifyError, bundle_entries, prove, verify,
};

use crate::memory_disk::MemoryDisk;
use crate::sample::{Files, Sample, sample};
use crate::stage::{Stage, entry, place};

const SEGMENT: &str = ".wal/00000000000000000000.seg";

fn believing(key: &VerifierKey) -> PolicyFile {
    PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap()
}

fn without_wal(mut files: Files) -> Files {
    files.retain(|path, _| !path.starts_with('.'));
    files
}

/// For each byte of the segment, the index that is bad when it is: the record's own; for a trailer the
/// first of its batch.
fn indexes_in_segment(bytes: &[u8]) -> Vec<u64> {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut index, mut batch) = (0, 0, 0);
    let mut indexes = Vec::new();
    while at < bytes.len() {
        if bytes[at..].starts_with(b"PTBT") {
            at += 60 + number(at + 56) + 4;
            indexes.resize(at, batch);
            batch = index;
        } else {
            at += 16 + number(at);
            indexes.resize(at, index);
            index += 1;
        }
    }
    indexes
}

fn indexes_in_bundle(bytes: &[u8]) -> Vec<u64> {
    let (entries, _) = bundle_entries(bytes);
    let indexes = (0..)
        .zip(entries)
        .flat_map(|(index, entry)| vec![index; entry.len() + 2]);
    indexes.collect()
}

#[test]
fn a_whole_log_verifies_and_an_unanchored_one_says_so() {
    let sample = sample(4096);
    let report = sample
        .verify(&sample.files, std::slice::from_ref(&sample.anchor))
        .unwrap();
    assert_eq!(
        (report.exit_code(), report.size),
        (0, sample.size),
        "{report}"
    );
    let report = sample.verify(&sample.files, &[]).unwrap();
    assert_eq!(report.completeness, [Incomplete::Unanchored { since: 0 }]);
    assert_eq!(report.exit_code(), 1);
    let exported = without_wal(sample.files.clone());
    let report = sample
        .verify(&exported, std::slice::from_ref(&sample.anchor))
        .unwrap();
    assert_eq!(report.exit_code(), 0, "{report}");
    sample.stage.open().unwrap();
}

#[test]
fn every_flipped_bit_is_found_where_it_is() {
    let bytes_min = std::env::var("POSTERN_LOG_BYTES").ok();
    let every = if bytes_min.is_some() { 1 } else { 8 };
    let bytes_min = bytes_min.map_or(4500, |text| text.parse().unwrap());
    let sample = sample(bytes_min);
    let (bundle, _) = sample.bundle();
    let tile = sample.path_of(TileKind::Hashes(0));
    let hashes = (0..sample.size).flat_map(|index| [index; 32]).collect();
    let checkpoint = "checkpoint".to_owned();
    let placed: Vec<(String, Vec<u64>)> = vec![
        (
            SEGMENT.to_owned(),
            indexes_in_segment(&sample.files[SEGMENT]),
        ),
        (bundle.clone(), indexes_in_bundle(&sample.files[&bundle])),
        (tile, hashes),
        (checkpoint.clone(), vec![0; sample.files[&checkpoint].len()]),
    ];
    let jobs: Vec<(&String, &Vec<u64>, usize)> = placed
        .iter()
        .flat_map(|(path, indexes)| (0..indexes.len()).map(move |at| (path, indexes, at)))
        .collect();
    let sample = &sample;
    let half = jobs.len().div_ceil(2);
    let flipped: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = jobs
            .chunks(half)
            .map(|jobs| scope.spawn(move || flip(sample, jobs, every)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    println!("{flipped} bits flipped, {flipped} found where they are");
    let mut in_slots = 0;
    for path in [".state/head.A", ".state/head.B"] {
        for bit in (0..sample.files[path].len() * 8).step_by(every * 3 - 2) {
            let mut files = sample.files.clone();
            files.get_mut(path).unwrap()[bit / 8] ^= 1 << (bit % 8);
            let report = sample
                .verify(&files, std::slice::from_ref(&sample.anchor))
                .unwrap();
            assert_ne!(report.exit_code(), 0, "bit {bit} of {path}");
            in_slots += 1;
        }
    }
    println!("{in_slots} bits of head slots flipped, {in_slots} found");
}

fn flip(sample: &Sample, jobs: &[(&String, &Vec<u64>, usize)], every: usize) -> usize {
    let disk = MemoryDisk::with(sample.files.clone());
    let mut flipped = 0;
    for (path, indexes, at) in jobs {
        for bit in (*at % every..8).step_by(every) {
            let mut bytes = sample.files[*path].clone();
            bytes[*at] ^= 1 << bit;
            disk.put(path, bytes);
            let report = verify(&disk, &sample.policy, &[]).unwrap();
            let found = match report.integrity {
                Integrity::Ok => None,
                Integrity::Tampered { index, .. } => Some(index),
            };
            assert_eq!(
                found,
                Some(indexes[*at]),
                "bit {bit} of byte {at} of {path}"
            );
            assert_eq!(report.exit_code(), 4);
            flipped += 1;
        }
        disk.put(path, sample.files[*path].clone());
    }
    flipped
}

#[test]
fn entries_deleted_swapped_or_doubled_are_found() {
    let sample = sample(5000);
    let (_, entries) = sample.bundle();
    let mut changes = 0;
    for at in 0..entries.len() {
        let mut deleted = entries.clone();
        deleted.remove(at);
        let mut doubled = entries.clone();
        doubled.insert(at, entries[at].clone());
        let mut swapped = entries.clone();
        swapped.swap(at, (at + 1) % entries.len());
        let last = at + 1 == entries.len();
        let from = if last { 0 } else { at };
        // Doubling keeps this entry in its place; the one after it is the first that is not.
        for (changed, first) in [(deleted, at), (doubled, at + 1), (swapped, from)] {
            for hashes_too in [false, true] {
                let files = sample.rewritten(&changed, hashes_too);
                let found = sample.first_bad(&files, &[]);
                assert_eq!(
                    found,
                    Some(first as u64),
                    "at {at}, hashes too: {hashes_too}"
                );
                // Without the write-ahead log there is one signed head, so the place may be before.
                let found = sample.first_bad(&without_wal(files), &[]);
                assert!(found.is_some_and(|index| index <= first as u64), "at {at}");
                changes += 2;
            }
        }
    }
    println!("{changes} changes to entries, {changes} found");
}

#[test]
fn a_cut_tail_is_found_by_what_is_left_or_by_an_anchor() {
    let sample = sample(5000);
    // Every earlier state of the folder, as it was when it was published.
    let (_, entries) = sample.bundle();
    let mut cuts = 0;
    for size in 1..entries.len() as u64 {
        // With the key nobody can tell, but for an anchor: this is what a rollback looks like.
        let files = sample.resigned(&entries[..place(size)]);
        assert_eq!(sample.first_bad(&files, &[]), None);
        let report = sample.verify(&files, &[]).unwrap();
        assert_eq!(report.exit_code(), 1, "{report}");
        let anchors = std::slice::from_ref(&sample.anchor);
        assert_eq!(sample.first_bad(&files, anchors), Some(size));
        cuts += 1;
    }
    println!("{cuts} rollbacks, all unanchored without an anchor and found with one");
}

#[test]
fn a_fork_that_is_signed_with_the_logs_key_is_found_by_an_anchor() {
    let sample = sample(5000);
    let (_, entries) = sample.bundle();
    let anchors = std::slice::from_ref(&sample.anchor);
    for at in 0..entries.len() {
        let mut changed = entries.clone();
        changed[at] = br#"{"number":"another","time":1700000000000}"#.to_vec();
        let fork = sample.resigned(&changed);
        assert_eq!(
            sample.first_bad(&fork, &[]),
            None,
            "nobody can tell from the inside"
        );
        let found = sample.first_bad(&fork, anchors);
        assert!(
            found.is_some_and(|index| index <= at as u64),
            "{found:?} for {at}"
        );
    }
    println!("{} forks, all found by an anchor", entries.len());
}

#[test]
fn an_unsigned_log_does_not_pass() {
    let sample = sample(4096);
    let mut files = without_wal(sample.files.clone());
    let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let body = text.split("\n\n").next().unwrap();
    files.insert("checkpoint".to_owned(), format!("{body}\n\n").into_bytes());
    assert_eq!(sample.verify(&files, &[]).unwrap().exit_code(), 4);
    files.remove("checkpoint");
    assert!(matches!(
        sample.verify(&files, &[]),
        Err(VerifyError::NoLog)
    ));
}

#[test]
fn a_segment_that_begins_at_the_last_number_there_is_ends_nothing_but_itself() {
    let entry = b"{}";
    let index = u64::MAX.to_be_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&index), entry);
    let length = u32::try_from(entry.len()).unwrap();
    let mut segment = [length.to_be_bytes(), crc.to_be_bytes()].concat();
    segment.extend_from_slice(&index);
    segment.extend_from_slice(entry);
    let name = format!(".wal/{}.seg", u64::MAX);
    let disk = MemoryDisk::with(Files::from([(name, segment)]));
    let stage = Stage::new();
    let key = stage.open().unwrap().keys()[0].clone();
    let policy = believing(&key);
    let report = verify(&disk, &policy, &[]).unwrap();
    assert_eq!(report.exit_code(), 4, "{report}");
}

#[test]
fn a_log_that_grows_while_it_is_read_is_whole() {
    for (before, after) in [(40, 90), (200, 300)] {
        let stage = Stage::new();
        let log = stage.open().unwrap();
        let grow = |size: u64| {
            for number in 0..size {
                log.append_and_wait(entry(number)).unwrap();
            }
            log.publish().unwrap();
            stage.disk.files()
        };
        let checkpoint = grow(before)["checkpoint"].clone();
        let mut files = grow(after);
        files.insert("checkpoint".to_owned(), checkpoint);
        let disk = MemoryDisk::with(files);
        let key = log.keys()[0].clone();
        let policy = believing(&key);
        let report = verify(&disk, &policy, &[]).unwrap();
        assert_eq!(report.integrity, Integrity::Ok, "{report}");
        let read = PublishedEntries::open(&disk, 0).unwrap();
        let read = read.collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(read.len() as u64, before + 1, "and its Start entry");
        assert!(prove(&disk, before).is_some());
    }
}

#[test]
fn a_file_that_no_memory_can_hold_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = std::fs::File::create(folder.path().join("checkpoint")).unwrap();
    checkpoint.set_len(64 << 20).unwrap();
    let key = Stage::new().open().unwrap().keys()[0].clone();
    let policy = believing(&key);
    let disk = SystemDisk::new(folder.path().to_owned());
    let verified = verify(&disk, &policy, &[]);
    assert!(
        matches!(verified, Err(VerifyError::Unreadable { .. })),
        "{verified:?}"
    );
}

#[test]
fn a_log_that_lets_go_of_a_segment_while_it_is_read_is_whole() {
    let stage = Stage {
        segment_bytes: 2000,
        ..Stage::new()
    };
    let log = stage.open().unwrap();
    let grow = || {
        for number in 0..300 {
            log.append_and_wait(entry(number)).unwrap();
        }
        stage.disk.files()
    };
    grow();
    log.publish().unwrap();
    let before = grow();
    log.publish().unwrap();
    let disk = MemoryDisk::with(before);
    disk.change_after("tile/entries/000", grow());
    let key = log.keys()[0].clone();
    let policy = believing(&key);
    let report = verify(&disk, &policy, &[]).unwrap();
    assert_eq!(report.integrity, Integrity::Ok, "{report}");
    assert_eq!(report.size, 301, "what was published");
}
