//! Caps on a store that replicas share, with a real server: while it does not answer nothing is delivered,
//! and however many replicas there are, they deliver one cap.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::bypass::also::CAP;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::h2;
use crate::bypass::messages::Fill;
use crate::bypass::special::server::StoreServer;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::{Pace, Script};

use super::{Result, Told, answer_of, ask, ask_times, charged, ensure, request, within};

const REPLICAS: usize = 3;
/// What an entry comes to where no server is installed.
const NO_SERVER: &str = "not run: no store server is installed";
/// How long a store that answers again may take to be noticed.
const RECOVERY: Duration = Duration::from_secs(10);

fn setting(server: &StoreServer) -> Setting {
    Setting {
        store: Some(server.url()),
        ..Setting::policy("cap")
    }
}

/// B-349: the store is slow, then takes no writes, then is gone. Each time somebody who was never seen asks,
/// and then somebody for whom this Postern still holds a lease.
pub(super) async fn without_a_store(suite: &Suite, entry: &Entry) -> Result {
    let Some(mut server) = StoreServer::start().await? else {
        return Ok(NO_SERVER);
    };
    let stage = Stage::start(&setting(&server)).await;
    stage.upstream.play(answer_of(10));
    let known = suite.tokens.of("known", &json!({}));
    let known = request(suite, &stage, entry, (None, &known));
    let own = ask_times(&stage, &known, 1).await?;
    ensure(own == 10, format!("{own} of 10 were delivered"))?;
    for what in ["slow", "read-only", "gone"] {
        match what {
            "slow" => server.pause(),
            "read-only" => server.tell("CONFIG SET min-replicas-to-write 1").await?,
            _ => server.end(),
        }
        stage.upstream.play(answer_of(10));
        let stranger = suite.tokens.of(&format!("stranger-{what}"), &json!({}));
        let stranger = request(suite, &stage, entry, (None, &stranger));
        for sending in [&stranger, &known, &stranger] {
            let told = ask(&stage, sending).await?;
            let refused = told.status == 503 && told.problem == "store-unavailable";
            ensure(
                refused && told.records == 0,
                format!("the store is {what}: {told:?}"),
            )?;
        }
        let asked = stage.upstream.seen().requests.len();
        ensure(
            asked == 0,
            format!("the store is {what}: the upstream was asked {asked} times"),
        )?;
        match what {
            "slow" => server.resume(),
            "read-only" => server.tell("CONFIG SET min-replicas-to-write 0").await?,
            _ => break,
        }
        let told = recovered(&stage, &stranger).await?;
        ensure(told.records == 10, format!("{what} no more: {told:?}"))?;
    }
    Ok("blocked")
}

/// Asks until the store is known to answer again.
async fn recovered(stage: &Stage, sending: &Sending) -> std::result::Result<Told, String> {
    let asking = async {
        loop {
            let told = ask(stage, sending).await?;
            if told.status != 503 {
                return Ok::<_, String>(told);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let told = tokio::time::timeout(RECOVERY, asking).await;
    told.unwrap_or_else(|_late| Err("the store answers again, and is not asked".to_owned()))
}

/// B-344: many streams of three replicas draw from one cap; then the store does not answer for a while in
/// which answers are under way, and afterwards everybody asks again.
pub(super) async fn replicas_and_a_partition(suite: &Suite, entry: &Entry) -> Result {
    let Some(server) = StoreServer::start().await? else {
        return Ok(NO_SERVER);
    };
    let tls = Setting {
        tls: true,
        ..setting(&server)
    };
    let mut stages = Vec::new();
    for _ in 0..REPLICAS {
        stages.push(Arc::new(Stage::start(&tls).await));
    }
    let mut everybody = 0;
    for round in ["first", "second", "third"] {
        let token = suite.tokens.of(&format!("{round}-round"), &json!({}));
        play(&stages, &Pace::Whole);
        let sum = delivered(&at_once(suite, &stages, entry, &token).await, false)?;
        within(round, sum, CAP, sum)?;
        everybody += sum;
    }
    everybody += around_an_outage(suite, entry, &server, &stages).await?;
    let mut all_charged = 0;
    for stage in &stages {
        all_charged += charged(stage).await;
    }
    within("all replicas", everybody, 4 * CAP, all_charged)?;
    Ok("capped")
}

/// What one identity gets while the store pauses, and until nothing is left for it.
async fn around_an_outage(
    suite: &Suite,
    entry: &Entry,
    server: &StoreServer,
    stages: &[Arc<Stage>],
) -> std::result::Result<u64, String> {
    let token = suite.tokens.of("cut-off", &json!({}));
    play(stages, &Pace::BeforeBody(Duration::from_millis(500)));
    let outage = async {
        under_way(stages).await;
        server.pause();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        server.resume();
    };
    let (told, ()) = tokio::join!(at_once(suite, stages, entry, &token), outage);
    let unsure = told.iter().filter(|told| told.status == 503).count();
    ensure(unsure > 0, "nobody noticed that the store did not answer")?;
    let mut sum = delivered(&told, true)?;
    play(stages, &Pace::Whole);
    for _ in 0..10 {
        let told = at_once(suite, stages, entry, &token).await;
        sum += delivered(&told, true)?;
        if told.iter().all(|told| told.status == 429) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure(
        sum <= CAP,
        format!("{sum} records left around an outage, the cap is {CAP}"),
    )?;
    Ok(sum)
}

fn play(stages: &[Arc<Stage>], pace: &Pace) {
    for stage in stages {
        stage.upstream.play(Script {
            pace: pace.clone(),
            ..answer_of(10)
        });
    }
}

/// Waits until every replica has asked its upstream for something.
async fn under_way(stages: &[Arc<Stage>]) {
    let asked = |stage: &Arc<Stage>| !stage.upstream.seen().requests.is_empty();
    let waiting = async {
        while !stages.iter().all(asked) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // What did not happen by then is noticed by what the outage does not do.
    drop(tokio::time::timeout(RECOVERY, waiting).await);
}

/// Sends the entry's request from all of its clients: on many streams of one connection to each replica.
async fn at_once(suite: &Suite, stages: &[Arc<Stage>], entry: &Entry, token: &str) -> Vec<Told> {
    let clients = entry.parallel.as_ref().map_or(100, |asked| asked.clients);
    let streams = u32::try_from(clients.div_ceil(stages.len())).expect("few");
    let mut asking = JoinSet::new();
    for stage in stages {
        let stage = Arc::clone(stage);
        let host = stage.host();
        let fill = Fill {
            host: &host,
            variant: None,
            tokens: &suite.tokens,
            minted: Some(token),
            as_admin: false,
            handles: None,
        };
        let fields = entry.request.headers.iter();
        let fields: Vec<(String, String)> = fields
            .map(|(name, value)| (fill.text(name), fill.text(value)))
            .collect();
        asking.spawn(async move {
            let stream = stage.connect_h2().await;
            h2::multiplex(stream, &fields, streams).await
        });
    }
    let all = asking.join_all().await;
    let answers = all.iter().flatten();
    answers.map(|stream| Told::of(&stream.answer)).collect()
}

/// What all of them delivered. During an outage they may also say that nobody can tell.
fn delivered(told: &[Told], outage: bool) -> std::result::Result<u64, String> {
    let mut sum = 0;
    for told in told {
        let unsure = outage && told.status == 503 && told.problem == "store-unavailable";
        sum += match unsure {
            true => told.records,
            false => told.served_or_capped()?,
        };
    }
    Ok(sum)
}
