//! Whatever becomes of an exchange, it ends on record, once, in words that no reader of lines can be
//! misled by.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::bypass::bodies;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::{self, Suite};
use crate::bypass::records;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::{Pace, Script};

use super::{Result, a_case, asks, ensure};

/// What separates lines and moves cursors, as parts of a name that an issuer vouches for. Those that are
/// control characters are no names.
const BREAKS: [(&str, u16); 5] = [
    ("x\r\nforged: line", 401),
    ("x\u{1b}[2J", 401),
    ("x\u{85}{\"role\":\"admin\"}", 401),
    ("x\u{2028}{\"role\":\"admin\"}", 200),
    ("x\u{2029}\"},{\"forged\":true", 200),
];

/// B-381: the entry's own request, and names that would begin a line of their own. The entries and the
/// lines hold none of it raw.
pub(super) async fn names_that_break_lines(suite: &Suite, entry: &Entry) -> Result {
    let mut stage = Stage::start(&Setting::policy("redact")).await;
    for (label, result) in exchange::run(suite, &stage, "redact", entry).await {
        result.map_err(|reason| format!("{label}: {reason}"))?;
    }
    stage.upstream.play(a_case());
    for (name, status) in BREAKS {
        let capture = stage.send(&asks(suite, &stage, name), false).await;
        let line = format!("HTTP/1.1 {status} ");
        let answered = capture.bytes.starts_with(line.as_bytes());
        ensure(answered, format!("{name:?} did not get {status}"))?;
    }
    // What follows is quoted, and so is another text in a line.
    let raw = BREAKS.map(|(name, _)| name.chars().take(2).collect());
    suite.logs.hold_none_of(&raw)?;
    stage.stopped().await?;
    Ok("blocked")
}

/// B-383: refused for each kind of reason, served, left by the client before and within an answer, late
/// and broken off by the upstream. That an exchange which panics is recorded is not shown here: no build
/// can be told to panic (B-194); the record is made when the exchange is dropped, which is how the
/// clients that leave are recorded, too.
pub(super) async fn every_way_to_end(suite: &Suite, entry: &Entry) -> Result {
    let mut stage = Stage::start(&Setting::policy("base")).await;
    let mut asked = 0;
    for (label, result) in exchange::run(suite, &stage, "base", entry).await {
        result.map_err(|reason| format!("{label}: {reason}"))?;
        // Each run is followed by a good request.
        asked += 2;
    }
    asked += refused(&stage).await?;
    let whole = bodies::json(&format!(r#"{{"id":1,"text":"{}"}}"#, "a".repeat(1 << 20)));
    let scripts = [
        script(Vec::new(), Pace::Stall),
        script(whole, Pace::MidBody(Duration::from_secs(1))),
    ];
    for script in scripts {
        stage.upstream.play(script);
        leave(suite, &stage).await?;
        asked += 1;
    }
    let cut =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"id\"";
    for script in [
        script(Vec::new(), Pace::Stall),
        script(cut.to_vec(), Pace::Whole),
    ] {
        stage.upstream.play(script);
        stage.send(&asks(suite, &stage, "agent"), false).await;
        asked += 1;
    }
    let exchanges = stage.stopped().await?;
    ensure(
        exchanges == asked,
        format!("{asked} requests, {exchanges} on record"),
    )?;
    let log = records::folder(stage.folder.path());
    records::is_whole(&log)?;
    let outcomes = outcomes(&log)?;
    for outcome in ["allowed", "refused", "withheld", "cut"] {
        ensure(
            outcomes.contains_key(outcome),
            format!("nothing was {outcome}: {}", json!(outcomes)),
        )?;
    }
    Ok("blocked")
}

/// Requests that cannot be read, of nobody, and never complete; how many there were.
async fn refused(stage: &Stage) -> std::result::Result<usize, String> {
    let mut asked = 0;
    for head in [
        "GET /api/cases/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /api/cases/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /api/cases/1 HTTP/1.1\r\nHost: 127",
    ] {
        let bytes = head.as_bytes().to_vec();
        let sending = Sending {
            bytes,
            ..Sending::default()
        };
        let capture = stage.send(&sending, false).await;
        ensure(capture.bytes.starts_with(b"HTTP/1.1 4"), "not refused")?;
        asked += 1;
    }
    Ok(asked)
}

/// How many exchanges ended in each way.
fn outcomes(log: &Path) -> std::result::Result<BTreeMap<String, usize>, String> {
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for event in records::events(log)? {
        let details = &event["unmapped"]["postern"];
        let outcome = details["outcome"]
            .as_str()
            .filter(|_| event["api"].is_object());
        *outcomes
            .entry(outcome.unwrap_or_default().to_owned())
            .or_default() += 1;
    }
    outcomes.remove("");
    Ok(outcomes)
}

fn script(bytes: Vec<u8>, pace: Pace) -> Script {
    Script {
        bytes,
        pace,
        ..Script::default()
    }
}

/// Asks, and is gone as soon as the upstream has been asked.
async fn leave(suite: &Suite, stage: &Stage) -> std::result::Result<(), String> {
    let gone = |error: std::io::Error| error.to_string();
    let mut client = TcpStream::connect(stage.address()).await.map_err(gone)?;
    let sending = asks(suite, stage, "agent");
    client.write_all(&sending.bytes).await.map_err(gone)?;
    for _ in 0..500 {
        if !stage.upstream.seen().requests.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the upstream was never asked".to_owned())
}
