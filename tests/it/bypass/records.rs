//! What a stage's audit log holds: its files, its entries, what the verifier says of it, and whether each
//! exchange is on record as it ought to be (I4).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postern_audit::{
    Incomplete, Integrity, PolicyFile, PublishedEntries, Report, SystemDisk, verify,
};
use regex::bytes::Regex;
use serde_json::Value;

use super::scan::Views;

/// OCSF's classes of exchanges: a request that could be read, and one that is not sound.
const EXCHANGES: [u64; 2] = [6003, 4002];

/// The folder of the log in a stage's folder.
pub(super) fn folder(stage: &Path) -> PathBuf {
    stage.join("state/audit")
}

/// Every file of a log, in order.
pub(super) fn files(log: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![log.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = item.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                // Files are replaced and removed while one looks at a log that is being written.
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

/// Looks for what must not be in any file of a log that may still be written; the write-ahead log holds
/// all that was answered.
pub(super) fn holds_none_of(log: &Path, hidden: &[String]) -> Result<(), String> {
    let files = files(log);
    let bytes: Vec<u8> = files.into_iter().flat_map(|(_, bytes)| bytes).collect();
    if bytes.is_empty() {
        return Err("there is no audit log: the case is vacuous".to_owned());
    }
    let views = Views::of(&bytes, &bytes);
    for text in hidden {
        if let Some(view) = views.find(text) {
            return Err(format!("I1: the audit log holds {text:?} ({view})"));
        }
    }
    Ok(())
}

/// Every published entry, in order.
pub(super) fn published(log: &Path) -> Result<Vec<Vec<u8>>, String> {
    let disk = SystemDisk::new(log.to_owned());
    let entries = PublishedEntries::open(&disk, 0).map_err(|error| error.to_string())?;
    let entries = entries.map(|read| read.map(|(_index, entry)| entry));
    entries
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// Every published event, in order.
pub(super) fn events(log: &Path) -> Result<Vec<Value>, String> {
    let entries = published(log)?;
    let parsed = entries.iter().map(|entry| serde_json::from_slice(entry));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// Whom an auditor trusts: the first key of the log, as it was when it was copied.
pub(super) fn trust(log: &Path) -> PolicyFile {
    let keys = std::fs::read_to_string(log.join("keys/log.vkey")).expect("a key");
    let first = keys.lines().next().unwrap_or_default();
    PolicyFile::parse(format!("log {first}\nquorum none\n").as_bytes()).expect("a policy")
}

/// What the verifier says, with checkpoints that were kept elsewhere.
pub(super) fn report(
    log: &Path,
    trust: &PolicyFile,
    anchors: &[Vec<u8>],
) -> Result<Report, String> {
    let disk = SystemDisk::new(log.to_owned());
    verify(&disk, trust, anchors).map_err(|error| error.to_string())
}

/// The verifier finds nothing changed and nothing missing. That nobody outside vouches for the end is no
/// fault of a log without witnesses.
pub(super) fn is_whole(log: &Path) -> Result<Report, String> {
    let report = report(log, &trust(log), &[])?;
    let excused = |missing: &Incomplete| matches!(missing, Incomplete::Unanchored { .. });
    if report.integrity == Integrity::Ok && report.completeness.iter().all(excused) {
        Ok(report)
    } else {
        Err(format!("the verifier says: {report}"))
    }
}

/// What the clients of a stage were told of the exchanges that they had.
#[derive(Default)]
pub(super) struct Heard {
    /// The ids in problems.
    ids: Vec<String>,
    /// How many answers there were; a connection with several counts once.
    answers: usize,
}

impl Heard {
    /// Takes note of what came back on a connection.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let id = Regex::new(r#""exchange_id": ?"([0-9a-f]{32})""#).expect("a pattern");
        let ids = id.captures_iter(bytes);
        let ids = ids.filter_map(|found| String::from_utf8(found[1].to_vec()).ok());
        self.ids.extend(ids);
        self.answers += usize::from(bytes.starts_with(b"HTTP/1.1 "));
    }
}

/// I4: each exchange has exactly one record of how it ended, with outcome, identity, policy version and
/// what was charged; whatever a client was told an id of is there, and nothing was answered without. The
/// number of exchanges.
pub(super) fn each_ended_once(log: &Path, heard: &Heard) -> Result<usize, String> {
    let mut exchanges: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for entry in published(log)? {
        let event = readable(&entry)?;
        if !EXCHANGES.contains(&event["class_uid"].as_u64().unwrap_or_default()) {
            continue;
        }
        let id = event["metadata"]["correlation_uid"].as_str();
        let id = id.ok_or("a record of no exchange")?.to_owned();
        let is_end = event["unmapped"]["postern"]["phase"] != "intent";
        exchanges.entry(id).or_default()[usize::from(is_end)] += 1;
        if is_end {
            says_how_it_ended(&event).map_err(|reason| format!("{reason}: {event}"))?;
        }
    }
    for (id, [intents, ends]) in &exchanges {
        if *intents > 1 || *ends != 1 {
            return Err(format!(
                "I4: exchange {id} has {intents} intents and {ends} ends on record"
            ));
        }
    }
    if let Some(id) = heard.ids.iter().find(|id| !exchanges.contains_key(*id)) {
        return Err(format!(
            "I4: exchange {id} was answered and is not on record"
        ));
    }
    if exchanges.len() < heard.answers {
        let (answers, known) = (heard.answers, exchanges.len());
        return Err(format!(
            "I4: {answers} answers, {known} exchanges on record"
        ));
    }
    Ok(exchanges.len())
}

/// An entry as whatever reads lines takes it: one line of text, without anything that moves a cursor.
fn readable(entry: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(entry).map_err(|error| error.to_string())?;
    let breaks = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    match text.chars().find(breaks) {
        Some(found) => Err(format!("an entry holds a raw {found:?}: {text:?}")),
        None => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

fn says_how_it_ended(event: &Value) -> Result<(), String> {
    let details = &event["unmapped"]["postern"];
    let is_said = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    if !is_said(&details["outcome"]) || !details["charged"].is_object() {
        return Err("I4: a record without outcome or charge".to_owned());
    }
    if !is_said(&event["policy"]["version"]) {
        return Err("I4: a record without policy version".to_owned());
    }
    // Whoever logs in is nobody yet.
    let is_login = event["api"]["service"]["name"] == "login";
    let is_named = is_said(&event["actor"]["user"]["uid"]) || is_login;
    if details["outcome"] == "allowed" && !is_named {
        return Err("I4: something was allowed to nobody".to_owned());
    }
    Ok(())
}
