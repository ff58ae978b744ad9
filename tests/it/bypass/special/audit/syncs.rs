//! Nothing is acknowledged that a power loss takes away, and a sync that fails is final.

use std::path::Path;
use std::sync::Arc;

use postern_audit::{Integrity, Log, LogError, LogSettings, NewEntry};
use tempfile::TempDir;

use crate::bypass::records;

use super::sync_disk::SyncDisk;
use super::{Result, ensure};

const DOMAIN: &str = "audit.local";

fn on(disk: &SyncDisk, folder: &Path) -> LogSettings {
    let mut settings = LogSettings::new(folder, &folder.with_extension("seed"), DOMAIN);
    settings.disk = Arc::new(disk.clone());
    settings.publish_every = None;
    settings
}

fn entry(number: u32) -> NewEntry {
    NewEntry::new(format!(r#"{{"number":{number}}}"#).into_bytes())
}

/// B-387 once more, under the log: after each acknowledgement the disk loses whatever was not synced, and
/// the entry is there all the same.
pub(super) fn acknowledges_what_is_synced() -> std::result::Result<(), String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let log_folder = folder.path().join("log");
    std::fs::create_dir(&log_folder).map_err(|error| error.to_string())?;
    for number in 0..10 {
        let disk = SyncDisk::new(&log_folder);
        let log = Log::open(on(&disk, &log_folder)).map_err(|error| error.to_string())?;
        log.append_and_wait(entry(number))
            .map_err(|error| error.to_string())?;
        drop(log);
        let lost = disk.lose_unsynced();
        ensure(
            lost == 0,
            format!("{lost} bytes were acknowledged unsynced"),
        )?;
    }
    let log = Log::open(LogSettings::new(
        &log_folder,
        &log_folder.with_extension("seed"),
        DOMAIN,
    ));
    log.map_err(|error| error.to_string())?
        .close()
        .map_err(|error| error.to_string())?;
    let entries = records::published(&log_folder)?;
    for number in 0..10 {
        let wanted = format!(r#"{{"number":{number}}}"#).into_bytes();
        ensure(entries.contains(&wanted), format!("entry {number} is lost"))?;
    }
    Ok(())
}

/// B-388: a sync says once that it failed. Nothing is appended any more although the disk would take it,
/// no sync is tried again, and the next start has what was acknowledged. The proxy's own log cannot be
/// given such a disk from outside: this is the log that it opens, and a test of the proxy's shows that
/// what the log refuses is refused to clients.
pub(super) fn fails_once() -> Result {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let log_folder = folder.path().join("log");
    std::fs::create_dir(&log_folder).map_err(|error| error.to_string())?;
    let disk = SyncDisk::new(&log_folder);
    let log = Log::open(on(&disk, &log_folder)).map_err(|error| error.to_string())?;
    log.append_and_wait(entry(0))
        .map_err(|error| error.to_string())?;
    disk.fail_next_sync();
    for number in 1..4 {
        let refused = log.append_and_wait(entry(number));
        ensure(
            refused == Err(LogError::Poisoned),
            format!("entry {number} after a failed sync: {refused:?}"),
        )?;
    }
    ensure(log.is_poisoned(), "the log goes on")?;
    ensure(
        disk.syncs_since_failure() == 0,
        "a failed sync was tried again",
    )?;
    drop(log);
    disk.lose_unsynced();
    let again = Log::open(on(&disk, &log_folder)).map_err(|error| error.to_string())?;
    again
        .append_and_wait(entry(4))
        .map_err(|error| error.to_string())?;
    again.close().map_err(|error| error.to_string())?;
    let report = records::report(&log_folder, &records::trust(&log_folder), &[])?;
    ensure(report.integrity == Integrity::Ok, report.to_string())?;
    let entries = records::published(&log_folder)?;
    for (number, there) in [(0, true), (1, false), (2, false), (3, false), (4, true)] {
        let wanted = format!(r#"{{"number":{number}}}"#).into_bytes();
        ensure(
            entries.contains(&wanted) == there,
            format!("entry {number} is there: {}", !there),
        )?;
    }
    Ok("passed")
}
