//! The audit log: where it is, what its name begins with, how often its head is published, how long entries
//! are kept.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{AuditFile, AuditLong};
use super::resolve::not_blank;
use super::{AuditLog, anchors};
use crate::document::read::Slot;
use crate::policy::error::Problems;
use crate::units;

/// The log's folder, in the state folder.
const FOLDER: &str = "audit";
/// What origins begin with where nobody said anything.
const DOMAIN: &str = "audit.local";
/// The longest domain, in bytes.
const DOMAIN_BYTES_MAX: usize = 200;
const CHECKPOINT: Duration = Duration::from_secs(1);
/// How long entries may be kept: from a minute to a hundred years, in milliseconds.
const KEEP: RangeInclusive<u64> = 60_000..=36_500 * 86_400_000;

/// The log, in the state folder when nothing is said. `Some(None)`: the operator has turned it off.
pub(super) fn log(
    slot: &Slot<AuditFile>,
    state: Option<&str>,
    problems: &mut Problems,
) -> Option<Option<AuditLog>> {
    let usual = state.map(|state| Path::new(state).join(FOLDER));
    match slot.found.as_ref().map(|at| &at.value) {
        Some(AuditFile::Off) => Some(None),
        Some(AuditFile::Long(long)) => in_full(long, usual, problems).map(Some),
        None if slot.is_written() => None,
        None => Some(Some(AuditLog {
            dir: usual?,
            domain: DOMAIN.to_owned(),
            checkpoint: CHECKPOINT,
            keep: None,
            receipts: false,
            witnesses: Vec::new(),
            peers: Vec::new(),
        })),
    }
}

fn in_full(file: &AuditLong, usual: Option<PathBuf>, problems: &mut Problems) -> Option<AuditLog> {
    let dir = match &file.dir.found {
        Some(at) => not_blank("dir", &at.value, at.place, problems).map(PathBuf::from),
        None => usual,
    };
    let domain = match &file.domain.found {
        Some(at) if !is_domain(&at.value) => {
            let message = format!("`{}` cannot name a log", at.value);
            problems.add("PN045", at.place, message).help(
                "a domain of yours, such as `audit.example.org`: letters, digits, `.` and `-`",
            );
            None
        }
        Some(at) => Some(at.value.clone()),
        None => Some(DOMAIN.to_owned()),
    };
    let checkpoint = units::duration("checkpoint", &file.checkpoint, 100..=60_000, problems);
    let keep = units::duration("keep", &file.keep, KEEP, problems);
    let witnesses = anchors::witnesses(&file.witnesses, problems);
    let peers = anchors::peers(&file.peers, problems);
    Some(AuditLog {
        dir: dir?,
        domain: domain?,
        checkpoint: checkpoint.unwrap_or(CHECKPOINT),
        keep,
        receipts: file.receipts.value().copied().unwrap_or_default(),
        witnesses,
        peers,
    })
}

fn is_domain(text: &str) -> bool {
    let in_domains = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    (1..=DOMAIN_BYTES_MAX).contains(&text.len()) && text.bytes().all(in_domains)
}
