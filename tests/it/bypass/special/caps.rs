//! Export caps: over all connections, replicas, restarts and clock steps an identity gets no more than its
//! cap, and what it got was charged.
//!
//! What was delivered is counted in the bytes that clients received, and nowhere else. What was charged is
//! what Postern says on its admin listener.

mod crowds;
mod keys;
mod restarts;
mod single;
mod stores;
mod time;

use crate::bypass::also::{self, CAP};
use crate::bypass::bodies;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::{Fill, message};
use crate::bypass::stage::Stage;
use crate::bypass::upstream::Script;
use crate::bypass::wire::{self, Answer};

use super::{Result, ensure};

/// How often an entry begins anew on a machine whose disk is slow.
const RUNS_MAX: u32 = 10;

/// Runs one entry. A store that takes longer than Postern waits for it makes a 503 of what should be served or
/// capped: such a run says nothing, and is made again. Any other failure is one.
pub(super) async fn run(suite: &Suite, entry: &Entry) -> Result {
    let mut outcome = once(suite, entry).await;
    for _ in 1..RUNS_MAX {
        match &outcome {
            Err(reason) if reason.contains("store-unavailable") => {
                outcome = once(suite, entry).await;
            }
            Err(_) | Ok(_) => break,
        }
    }
    outcome
}

async fn once(suite: &Suite, entry: &Entry) -> Result {
    match entry.id.as_str() {
        "B-341" | "B-342" | "B-353" => single::one_answer(suite, entry).await,
        "B-343" => crowds::one_identity_at_once(suite, entry).await,
        "B-344" => stores::replicas_and_a_partition(suite, entry).await,
        "B-346" => time::window_boundaries(suite, entry).await,
        "B-347" => time::clock_steps(suite, entry).await,
        "B-348" => restarts::restarts_and_reloads(suite, entry).await,
        "B-349" => stores::without_a_store(suite, entry).await,
        "B-350" => keys::aliases(suite, entry).await,
        "B-356" => restarts::near_the_highest_number(suite, entry).await,
        "B-358" => crowds::colluding_identities(suite, entry).await,
        "B-427" => keys::what_a_client_says(suite, entry).await,
        other => Err(format!("{other} has no driver")),
    }
}

/// What one exchange came to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    status: u16,
    problem: String,
    /// Records that reached the client.
    records: u64,
}

impl Told {
    fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status(),
            problem: answer.problem().unwrap_or_default(),
            records: also::records(answer),
        }
    }

    /// Something was delivered, or the cap was named as the reason why not; how many records it was.
    fn served_or_capped(&self) -> std::result::Result<u64, String> {
        match (self.status, self.problem.as_str()) {
            (200, "") | (429, "quota-exceeded") => Ok(self.records),
            _ => Err(format!("{self:?}")),
        }
    }

    /// Nothing was delivered, because of the cap.
    fn is_capped(&self) -> bool {
        self.status == 429 && self.problem == "quota-exceeded" && self.records == 0
    }
}

/// The entry's request as somebody sends it.
fn request(
    suite: &Suite,
    stage: &Stage,
    entry: &Entry,
    (variant, token): (Option<&str>, &str),
) -> Sending {
    let host = stage.host();
    let fill = Fill {
        host: &host,
        variant,
        tokens: &suite.tokens,
        minted: Some(token),
        as_admin: false,
        handles: None,
    };
    Sending {
        bytes: message(&entry.request.parts, &fill),
        ..Sending::default()
    }
}

/// An answer of so many records.
fn answer_of(count: usize) -> Script {
    Script {
        bytes: bodies::json(&bodies::rows(count)),
        ..Script::default()
    }
}

/// Sends a request and reads what comes.
async fn ask(stage: &Stage, sending: &Sending) -> std::result::Result<Told, String> {
    let capture = stage.send(sending, false).await;
    let answer = wire::read(&capture.bytes, &sending.method(), true)?;
    if answer.status() == 429 {
        let wait = answer
            .field("retry-after")
            .and_then(|text| text.parse().ok());
        ensure(
            wait.is_some_and(|seconds: u64| seconds > 0),
            "a 429 without Retry-After",
        )?;
    }
    Ok(Told::of(&answer))
}

/// Asks the same thing so many times, one after the other; the sum of what was delivered.
async fn ask_times(
    stage: &Stage,
    sending: &Sending,
    times: u32,
) -> std::result::Result<u64, String> {
    let mut sum = 0;
    for _ in 0..times {
        sum += ask(stage, sending).await?.served_or_capped()?;
    }
    Ok(sum)
}

/// How many records this Postern says that it has charged since it started.
async fn charged(stage: &Stage) -> u64 {
    metric(stage, "postern_quota_charged_total{unit=\"records\"}").await
}

/// The value of a metric; 0 when there is none.
async fn metric(stage: &Stage, name: &str) -> u64 {
    let text = String::from_utf8_lossy(&stage.metrics().await).into_owned();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or(0)
}

/// How much is in use of each count that names somebody; of every count without a name.
async fn used(stage: &Stage, who: Option<&str>) -> std::result::Result<Vec<u64>, String> {
    let query = who.map_or_else(String::new, |who| format!("?who={who}"));
    let capture = stage.administer(&format!("GET /quotas{query}")).await;
    let answer = wire::read(&capture.bytes, "GET", true)?;
    let document: serde_json::Value =
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let counts = document["quotas"].as_array().ok_or("no list of quotas")?;
    let used = counts.iter().map(|count| count["used"].as_u64());
    used.collect::<Option<Vec<u64>>>()
        .ok_or_else(|| "a count that is no number".to_owned())
}

/// How much one identity has in use of its only quota.
async fn used_by(stage: &Stage, who: &str) -> std::result::Result<u64, String> {
    match used(stage, Some(who)).await?.as_slice() {
        [used] => Ok(*used),
        counts => Err(format!("{} counts of one identity", counts.len())),
    }
}

/// What was delivered is within the cap, is something, and was charged.
fn within(what: &str, delivered: u64, cap: u64, charged: u64) -> std::result::Result<(), String> {
    ensure(
        delivered <= cap,
        format!("{what}: {delivered} records left, the cap is {cap}"),
    )?;
    ensure(delivered > 0, format!("{what}: nothing was delivered"))?;
    ensure(
        charged >= delivered,
        format!("{what}: {delivered} records left, {charged} were charged"),
    )
}

/// As good as the whole cap was delivered, and no more. What a slow disk makes Postern give up may stay charged,
/// which is a lease or two.
fn nearly_all(what: &str, delivered: u64) -> std::result::Result<(), String> {
    ensure(
        (CAP - 20..=CAP).contains(&delivered),
        format!("{what}: {delivered} records left, the cap is {CAP}"),
    )
}
