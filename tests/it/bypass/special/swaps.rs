//! Policies swapped while exchanges run: one revision per exchange, the newest for the next one.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::bypass::bodies;
use crate::bypass::catalogue::cases;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::find;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::{Pace, Script};

use super::{Result, ensure};

const SSN: &str = "912-04-7731";
const CLIENTS: usize = 32;
const RELOADS: usize = 100;

/// The policy with its rule, and the same without it.
pub(super) fn with_and_without_rule() -> (String, String) {
    let strict = std::fs::read_to_string(cases().join("policies/redact.yaml")).expect("a policy");
    let rule = "      $..ssn: pii.ssn\n";
    assert!(strict.contains(rule), "the rule that the swap takes out");
    let loose = strict.replace(rule, "");
    (strict, loose)
}

fn record() -> Vec<u8> {
    bodies::json(&format!(
        r#"{{"id":1,"ssn":"{SSN}","email":"zq7.victim@leak.example"}}"#
    ))
}

async fn reload(stage: &Stage, policy: &str) -> std::result::Result<(), String> {
    let answer = stage.reload(policy).await.bytes;
    let line = String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    ensure(
        line.starts_with("HTTP/1.1 200"),
        format!("a good reload got {line}"),
    )
}

/// B-377: an exchange that began under a rule ends under it, though the rule is gone meanwhile.
pub(super) async fn an_exchange_keeps_its_policy(suite: &Suite) -> Result {
    let (_, loose) = with_and_without_rule();
    let stage = Arc::new(Stage::start(&Setting::policy("redact")).await);
    let pace = Pace::MidBody(Duration::from_millis(500));
    stage.upstream.play(Script {
        bytes: record(),
        pace,
        ..Script::default()
    });
    let (other, sending) = (Arc::clone(&stage), stage.good_request(&suite.tokens));
    let running = tokio::spawn(async move { other.send(&sending, false).await });
    while stage.upstream.seen().requests.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    reload(&stage, &loose).await?;
    let first = running.await.map_err(|error| error.to_string())?.bytes;
    ensure(
        find(&first, SSN.as_bytes()).is_none(),
        "the running exchange changed its policy",
    )?;
    stage.upstream.play(Script {
        bytes: record(),
        ..Script::default()
    });
    let second = stage
        .send(&stage.good_request(&suite.tokens), false)
        .await
        .bytes;
    ensure(
        find(&second, SSN.as_bytes()).is_some(),
        "the next exchange did not use the new policy",
    )?;
    Ok("redacted")
}

/// B-378: the first request after the acknowledged reload uses the new policy, on the old connection.
pub(super) async fn a_connection_does_not(suite: &Suite) -> Result {
    let (strict, loose) = with_and_without_rule();
    let stage = Stage::start(&Setting::policy("redact")).await;
    reload(&stage, &loose).await?;
    stage.upstream.play(Script {
        bytes: record(),
        ..Script::default()
    });
    let mut stream = TcpStream::connect(stage.address())
        .await
        .map_err(|error| error.to_string())?;
    let request = stage.good_request(&suite.tokens).bytes;
    let before = ask(&mut stream, &request).await?;
    ensure(
        find(&before, SSN.as_bytes()).is_some(),
        "control: the loose policy shows it",
    )?;
    reload(&stage, &strict).await?;
    let after = ask(&mut stream, &request).await?;
    ensure(
        find(&after, SSN.as_bytes()).is_none(),
        "the connection kept its old policy",
    )?;
    Ok("redacted")
}

/// One exchange on a connection that stays open: reads until the document's end.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> std::result::Result<Vec<u8>, String> {
    stream
        .write_all(request)
        .await
        .map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let read = stream
            .read_buf(&mut answer)
            .await
            .map_err(|error| error.to_string())?;
        ensure(read > 0, "the connection was closed")?;
    }
    Ok(answer)
}

/// B-379, scaled: reloads between two strict policies while clients ask; nothing fails, nothing shows.
pub(super) async fn a_storm(suite: &Suite) -> Result {
    let (strict, _) = with_and_without_rule();
    let other = format!("{strict}# another revision\n");
    let stage = Arc::new(Stage::start(&Setting::policy("redact")).await);
    stage.upstream.play(Script {
        bytes: record(),
        ..Script::default()
    });
    let (done, mut asking) = (
        Arc::new(std::sync::atomic::AtomicBool::new(false)),
        JoinSet::new(),
    );
    for _ in 0..CLIENTS {
        let (stage, done) = (Arc::clone(&stage), Arc::clone(&done));
        let request = stage.good_request(&suite.tokens).bytes;
        asking.spawn(async move { keep_asking(&stage, &request, &done).await });
    }
    for number in 0..RELOADS {
        reload(&stage, if number % 2 == 0 { &other } else { &strict }).await?;
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut asked = 0;
    for outcome in asking.join_all().await {
        asked += outcome?;
    }
    ensure(
        asked >= RELOADS,
        format!("only {asked} requests ran beside the reloads"),
    )?;
    Ok("redacted")
}

async fn keep_asking(
    stage: &Stage,
    request: &[u8],
    done: &std::sync::atomic::AtomicBool,
) -> std::result::Result<usize, String> {
    let mut asked = 0;
    let mut stream = TcpStream::connect(stage.address())
        .await
        .map_err(|error| error.to_string())?;
    while asked == 0 || !done.load(std::sync::atomic::Ordering::Relaxed) {
        let answer = ask(&mut stream, request).await?;
        ensure(
            answer.starts_with(b"HTTP/1.1 200"),
            "a request failed during a reload",
        )?;
        ensure(
            find(&answer, SSN.as_bytes()).is_none(),
            "a request was not redacted",
        )?;
        asked += 1;
    }
    Ok(asked)
}
