//! Whoever floods the log hides nobody else's record in it.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::{Fill, message};
use crate::bypass::records;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, a_case, are_on_record, asks, ensure};

/// The catalogue's 200 clients with a million requests, scaled down to a few seconds.
const CLIENTS: usize = 40;
const REQUESTS: usize = 40;
/// What a refused request may add to the log: its entry in the write-ahead log and in a bundle, its
/// hashes, and its share of a batch's trailer.
const BYTES_EACH_MAX: usize = 8 << 10;

/// B-385: refused requests by the thousand, and others who ask for cases meanwhile. Each of them is on
/// record, the log verifies, and its size is bounded by the number of requests. That a disk with little
/// room is kept for refusals and operators is shown by a test of the process whose disk is full.
pub(super) async fn refused_requests(suite: &Suite, entry: &Entry) -> Result {
    let stage = Arc::new(Stage::start(&Setting::policy("base")).await);
    stage.upstream.play(a_case());
    let host = stage.host();
    let fill = Fill {
        host: &host,
        variant: None,
        tokens: &suite.tokens,
        minted: None,
        as_admin: false,
        handles: None,
    };
    let flood = Sending {
        bytes: message(&entry.request.parts, &fill),
        ..Sending::default()
    };
    let asking = flooded(&stage, &flood);
    let others: Vec<String> = (0..20).map(|number| format!("other{number}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    for other in &others {
        let capture = stage.send(&asks(suite, &stage, other), false).await;
        let served = capture.bytes.starts_with(b"HTTP/1.1 200 ");
        ensure(served, format!("{other} was not served"))?;
    }
    let statuses = asking.join_all().await.concat();
    let known = ["403", "404", "429", "503"];
    let odd = statuses
        .iter()
        .find(|status| !known.contains(&status.as_str()));
    ensure(odd.is_none(), format!("a refused request got {odd:?}"))?;
    let mut stage = Arc::into_inner(stage).ok_or("somebody still asks")?;
    let exchanges = stage.stopped().await?;
    ensure(
        exchanges == CLIENTS * REQUESTS + others.len(),
        format!("{exchanges} exchanges are on record: {}", json!(statuses)),
    )?;
    let log = records::folder(stage.folder.path());
    records::is_whole(&log)?;
    are_on_record(&records::published(&log)?.concat(), &others)?;
    let bytes: usize = records::files(&log)
        .iter()
        .map(|(_, bytes)| bytes.len())
        .sum();
    println!(
        "B-385: {exchanges} exchanges, {} bytes each",
        bytes / exchanges
    );
    ensure(
        bytes / exchanges < BYTES_EACH_MAX,
        format!("{} bytes for each exchange", bytes / exchanges),
    )?;
    Ok("blocked")
}

/// Everybody floods at once; the statuses that each of them got.
fn flooded(stage: &Arc<Stage>, flood: &Sending) -> JoinSet<Vec<String>> {
    let mut asking = JoinSet::new();
    for _ in 0..CLIENTS {
        let (stage, flood) = (Arc::clone(stage), flood.clone());
        asking.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..REQUESTS {
                let capture = stage.send(&flood, false).await;
                let line = capture.bytes.get(9..12).unwrap_or_default();
                statuses.push(String::from_utf8_lossy(line).into_owned());
            }
            statuses
        });
    }
    asking
}
