//! Upstreams that fail: ended and reset at every byte of an answer, flapping, and half-open.
//!
//! Whatever they do, the client gets a clean 502 or 504 or a message that is visibly incomplete, and no hidden value; the
//! next request is served; each exchange is on record once; and no connection stays behind. Answers that are held whole
//! are tried at every byte, streamed ones at as many as `POSTERN_OFFSETS` says.

mod answers;
mod broken;
mod flapping;
mod half_open;
mod origin;

use std::collections::BTreeMap;

use super::audited;
use super::client::Response;
use super::process::Process;
use super::second_version::Outcome;

/// What may reach no client: a part of every hidden value.
const HIDDEN: &str = "victim";

/// What a client makes of what it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The whole answer.
    Whole,
    /// A problem that says that the upstream failed.
    Told(u16),
    /// A message that is visibly incomplete.
    Cut,
}

/// Judges an answer over HTTP/1.1. Panics when it is none that may be.
fn judge(what: &str, response: &Response) -> Verdict {
    let body = String::from_utf8_lossy(&response.body);
    assert!(
        !body.contains(HIDDEN) && !response.head.contains(HIDDEN),
        "{what}: {body}"
    );
    match (response.status, response.complete) {
        (200, true) => whole(what, &body),
        (200, false) => Verdict::Cut,
        (status @ (502 | 504), true) => {
            assert!(body.contains("urn:postern:problem:"), "{what}: {body}");
            Verdict::Told(status)
        }
        other => panic!("{what}: {other:?} {body}"),
    }
}

/// The same over HTTP/2.
fn judge_h2(what: &str, outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Reset(body) => {
            assert!(!body.contains(HIDDEN), "{what}: {body}");
            Verdict::Cut
        }
        Outcome::Complete(status, body) => {
            assert!(!body.contains(HIDDEN), "{what}: {body}");
            match status {
                200 => whole(what, body),
                502 | 504 => {
                    assert!(body.contains("urn:postern:problem:"), "{what}: {body}");
                    Verdict::Told(*status)
                }
                other => panic!("{what}: {other} {body}"),
            }
        }
    }
}

/// What looks whole is a whole document.
fn whole(what: &str, body: &str) -> Verdict {
    let document: Result<serde_json::Value, _> = serde_json::from_str(body);
    assert!(
        document.is_ok(),
        "{what}: a truncation that looks whole: {body}"
    );
    Verdict::Whole
}

/// How often each came.
type Tally = BTreeMap<Verdict, usize>;

fn add(tally: &mut Tally, verdict: Verdict) {
    *tally.entry(verdict).or_default() += 1;
}

/// Stops Postern and holds its log against what was asked: each request has one end on record.
fn on_record_once(process: Process, asked: usize) {
    let folder = process.stopped();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for entry in audited::entries(&folder.path().join("state/audit")) {
        if entry["class_uid"] != 6003 {
            continue;
        }
        let id = entry["metadata"]["correlation_uid"]
            .as_str()
            .unwrap()
            .to_owned();
        let is_end = entry["unmapped"]["postern"]["phase"] != "intent";
        *ends.entry(id).or_default() += usize::from(is_end);
    }
    assert!(
        ends.values().all(|times| *times == 1),
        "not one end for each"
    );
    assert_eq!(ends.len(), asked, "exchanges on record, and requests");
}
