//! Entries about the log itself: OCSF 1.8.0 Event Log Activity (class 1008).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::new_entry::NewEntry;
use crate::clock::{Clock, millis};
use crate::signer::Signer;
use crate::ulid;
use crate::vkey::VerifierKey;

/// What a numbered entry's index stands in place of.
const PLACE: &str = "\"\u{1}index\u{1}\"";

/// The member of a Rotate entry that holds the next key.
const NEXT_KEY: &str = "next_key";
/// The member of a Delete entry that holds the first index that is kept.
const MINIMUM: &str = "minimum_index";
/// The class of entries about the log itself.
pub(crate) const LOG_CLASS: u64 = 1008;

/// What happened to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It was opened.
    Start,
    /// It was closed.
    Stop,
    /// It was opened and a torn write was cut off.
    Restart,
    /// Its key changed.
    Rotate,
    /// Old entries are removed, as the operator's retention says.
    Delete,
    /// It lives: what has been seen so far.
    Heartbeat,
}

impl Activity {
    /// OCSF's `activity_id` in class 1008; a heartbeat has none of its own and is `99 Other`.
    #[must_use]
    pub const fn id(self) -> u64 {
        match self {
            Self::Delete => 2,
            Self::Rotate => 5,
            Self::Start => 6,
            Self::Stop => 7,
            Self::Restart => 8,
            Self::Heartbeat => 99,
        }
    }
}

/// An entry about a log, with details under `unmapped.postern`.
#[must_use]
pub fn entry(
    clock: &dyn Clock,
    origin: &str,
    activity: Activity,
    details: Option<Value>,
) -> NewEntry {
    let time = millis(clock.wall());
    let class = LOG_CLASS;
    let mut body = json!({
        "class_uid": class,
        "category_uid": 1,
        "activity_id": activity.id(),
        "type_uid": class * 100 + activity.id(),
        "severity_id": 1,
        "time": time,
        "metadata": {
            "version": "1.8.0",
            "uid": ulid::at(time),
            "sequence": "\u{1}index\u{1}",
            "product": { "name": "Postern", "vendor_name": "Postern" },
        },
        "log_name": origin,
    });
    if let (Some(details), Some(body)) = (details, body.as_object_mut()) {
        body.insert("unmapped".to_owned(), json!({ "postern": details }));
    }
    numbered(&body)
}

/// The entry that says which key signs from the next one on, signed by the key that signed until now.
pub(super) fn rotation(
    clock: &dyn Clock,
    signer: &Signer,
    next: &VerifierKey,
    index: u64,
) -> NewEntry {
    let origin = signer.key().name();
    let note = signer
        .sign(rotation_text(origin, index, &next.to_string()))
        .to_string();
    let details = json!({ NEXT_KEY: next.to_string(), "signed": note });
    entry(clock, origin, Activity::Rotate, Some(details))
}

/// What the old key signs when a new one follows.
pub(crate) fn rotation_text(origin: &str, index: u64, next: &str) -> String {
    format!("postern-key-rotation/v1\n{origin}\n{index}\n{next}\n")
}

/// What identifies a torn write that was cut off.
pub(super) fn discarded(recovered_size: u64, discarded_bytes: u64, last_root: &str) -> Value {
    json!({
        "recovered_size": recovered_size,
        "discarded_bytes": discarded_bytes,
        "last_root": last_root,
    })
}

/// What a log says about the one it replaces.
pub(super) fn predecessor(checkpoint: &[u8], found: &str) -> Value {
    let text = std::str::from_utf8(checkpoint);
    let checkpoint = text.map_or_else(|_error| STANDARD.encode(checkpoint), str::to_owned);
    json!({ "predecessor": { "checkpoint": checkpoint, "found": found } })
}

/// What a log says before it removes old entries.
pub(super) fn pruned(minimum: u64, keep: Duration) -> Value {
    json!({ MINIMUM: minimum, "keep_seconds": keep.as_secs() })
}

/// The first index that is kept, as a Delete entry says it; nothing when the entry is another.
pub(crate) fn pruned_before(entry: &[u8]) -> Option<u64> {
    // PERF: nearly no entry is one, and reading JSON costs more than looking for the name.
    if !has_word(entry, MINIMUM) {
        return None;
    }
    let body: Value = serde_json::from_slice(entry).ok()?;
    let kind = (body.get("class_uid")?, body.get("activity_id")?);
    let minimum = body.get("unmapped")?.get("postern")?.get(MINIMUM)?;
    let is_delete = kind == (&json!(LOG_CLASS), &json!(Activity::Delete.id()));
    minimum.as_u64().filter(|_| is_delete)
}

fn has_word(entry: &[u8], word: &str) -> bool {
    entry
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

fn numbered(body: &Value) -> NewEntry {
    let text = body.to_string();
    // A control character is escaped in JSON text, so the mark is looked for as it is written there.
    let mark = PLACE.replace('\u{1}', "\\u0001");
    match text.split_once(&mark) {
        Some((before, after)) => NewEntry::numbered(before.into(), after.into()),
        None => NewEntry::new(text.into_bytes()),
    }
}

/// The key that a rotation entry says comes next; nothing when the entry is another.
pub(crate) fn announced_key(entry: &[u8]) -> Option<VerifierKey> {
    // PERF: nearly no entry is one, and reading JSON costs more than looking for the name.
    if !has_word(entry, NEXT_KEY) {
        return None;
    }
    let body: Value = serde_json::from_slice(entry).ok()?;
    let details = body.get("unmapped")?.get("postern")?;
    VerifierKey::parse(details.get(NEXT_KEY)?.as_str()?)
}

/// The note by which the old key says so.
pub(crate) fn rotation_note(entry: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(entry).ok()?;
    let details = body.get("unmapped")?.get("postern")?;
    Some(details.get("signed")?.as_str()?.to_owned())
}
