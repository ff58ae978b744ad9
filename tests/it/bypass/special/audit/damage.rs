//! What somebody does to the folder of a log: an old one in its place, a bit of it flipped.

use std::path::{Path, PathBuf};

use postern_audit::{Integrity, Log, LogSettings, OpenError, bundle_entries};

use crate::bypass::exchange::Suite;
use crate::bypass::records;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, ensure, see_a_case};

/// How many places have a bit flipped. Every bit of a log has its turn in a test of the log's own.
const FLIPS: usize = 60;

/// B-391: of an old backup of the write-ahead log nothing starts, because the heads know more. Of one of
/// the whole folder this machine knows nothing; a checkpoint that was kept elsewhere does, and so does a
/// witness.
pub(super) async fn an_old_backup(suite: &Suite) -> Result {
    let setting = Setting::policy("base");
    let stage = Stage::start(&setting).await;
    see_a_case(suite, &stage, &["before"]).await?;
    let mut backup = Vec::new();
    let stage = stage
        .changed(&setting, |log| backup = records::files(log))
        .await?;
    see_a_case(suite, &stage, &["after", "after too"]).await?;
    let mut stage = stage;
    stage.stopped().await?;
    let log = records::folder(stage.folder.path());
    let size = records::is_whole(&log)?.size;
    let anchor = std::fs::read(log.join("checkpoint")).map_err(|error| error.to_string())?;
    put_back(&log, &backup, |path| !path.starts_with(log.join(".state")));
    let seed = stage.folder.path().join("state/audit.seed");
    let refused = opened(&log, &seed, None);
    ensure(
        matches!(refused, Err(OpenError::RolledBack { .. })),
        format!("an old write-ahead log: {refused:?}"),
    )?;
    put_back(&log, &backup, |_path| true);
    let report = records::report(&log, &records::trust(&log), &[anchor])?;
    ensure(
        matches!(report.integrity, Integrity::Tampered { .. }) && report.exit_code() == 4,
        format!("an old folder and a newer checkpoint: {report}"),
    )?;
    let refused = opened(&log, &seed, Some(size));
    ensure(
        matches!(refused, Err(OpenError::RolledBack { known, .. }) if known == size),
        format!("an old folder and a witness: {refused:?}"),
    )?;
    let refused = stage.changed(&setting, |log| {
        put_back(log, &backup, |path| !path.starts_with(log.join(".state")));
        // What the heads say now is of the log that is gone.
        std::fs::remove_file(log.join(".state/head.A")).expect("a head");
    });
    let refused = refused.await.err().ok_or("it starts without a head")?;
    ensure(refused.contains("damaged"), refused)?;
    Ok("passed")
}

fn opened(log: &Path, seed: &Path, known: Option<u64>) -> std::result::Result<(), OpenError> {
    let mut settings = LogSettings::new(log, seed, "audit.local");
    settings.witnessed_size = known;
    Log::open(settings).map(drop)
}

/// Puts the files of a backup in the place of those that are there, where they are wanted; what is newer
/// than the backup goes.
fn put_back(log: &Path, backup: &[(PathBuf, Vec<u8>)], wanted: impl Fn(&Path) -> bool) {
    for (path, _) in records::files(log) {
        if wanted(&path) {
            std::fs::remove_file(path).expect("a file");
        }
    }
    for (path, bytes) in backup.iter().filter(|(path, _)| wanted(path)) {
        std::fs::write(path, bytes).expect("a file");
    }
}

/// B-393: one bit, anywhere in what is published, in the write-ahead log, and in the heads. The
/// catalogue's gigabyte is scaled down to the log of a few exchanges, and every bit to a few.
pub(super) async fn a_flipped_bit(suite: &Suite) -> Result {
    let mut stage = Stage::start(&Setting::policy("base")).await;
    see_a_case(suite, &stage, &["one", "two", "three", "four"]).await?;
    stage.stopped().await?;
    let log = records::folder(stage.folder.path());
    let trust = records::trust(&log);
    let anchors = [std::fs::read(log.join("checkpoint")).map_err(|error| error.to_string())?];
    let clean = records::report(&log, &trust, &anchors)?;
    ensure(clean.exit_code() == 0, format!("it is not whole: {clean}"))?;
    let newest = format!("tile/entries/000.p/{}", clean.size);
    let current = |path: &Path| {
        let path = path
            .strip_prefix(&log)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned();
        // Older partial tiles are left overs of the same content that nobody reads.
        let partial = path.contains(".p/") && !path.ends_with(&format!("/{}", clean.size));
        !partial && !path.starts_with("keys/") && !path.ends_with("lock")
    };
    let files = records::files(&log);
    let files: Vec<_> = files.iter().filter(|(path, _)| current(path)).collect();
    let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    for flip in 0..FLIPS {
        let mut at = total * flip / FLIPS;
        let mut files = files.iter();
        let (path, bytes) = loop {
            let (path, bytes) = files.next().ok_or("past the end")?;
            if at < bytes.len() {
                break (path, bytes);
            }
            at -= bytes.len();
        };
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (flip % 8);
        std::fs::write(path, &flipped).expect("a file");
        let report = records::report(&log, &trust, &anchors)?;
        std::fs::write(path, bytes).expect("a file");
        let place = format!("bit {} of byte {at} of {}", flip % 8, path.display());
        ensure(report.exit_code() != 0, format!("{place} is not found"))?;
        if path.ends_with(&newest) {
            let found = match report.integrity {
                Integrity::Ok => None,
                Integrity::Tampered { index, .. } => Some(index),
            };
            let index = entry_at(bytes, at);
            ensure(found == Some(index), format!("{place}: found at {found:?}"))?;
        }
    }
    Ok("passed")
}

/// The index of the entry that a byte of the first bundle belongs to.
fn entry_at(bundle: &[u8], at: usize) -> u64 {
    let (entries, _) = bundle_entries(bundle);
    let mut end = 0;
    let ends = entries.iter().map(|entry| {
        end += entry.len() + 2;
        end
    });
    ends.take_while(|end| *end <= at).count() as u64
}
