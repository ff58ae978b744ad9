//! Crowds of slow, idle, big or half-finished clients, scaled down: the deadline or the limit ends them,
//! and others are served meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::{Pace, Script};
use crate::bypass::wire;

use super::{Result, ensure};

const CROWD: usize = 200;
/// The head's deadline is 2 s on a stage, a handshake's 10 s, a body's 20 s; all end within this.
const DEADLINE: Duration = Duration::from_secs(30);
/// What a crowd may cost in memory, test and proxy together.
const GROWTH_KIB_MAX: u64 = 256 << 10;

/// Opens connections that each send these bytes and then nothing.
async fn crowd(stage: &Stage, size: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let mut list = Vec::new();
    for _ in 0..size {
        let mut stream = TcpStream::connect(stage.address())
            .await
            .expect("a listener");
        // A server that has had enough may close while we write.
        drop(stream.write_all(bytes).await);
        list.push(stream);
    }
    list
}

/// What each connection received until the server closed it; an error when one stays open.
async fn ended(list: Vec<TcpStream>) -> std::result::Result<Vec<Vec<u8>>, String> {
    let mut reading = JoinSet::new();
    for mut stream in list {
        reading.spawn(async move {
            let mut bytes = Vec::new();
            let read = async { while stream.read_buf(&mut bytes).await.is_ok_and(|n| n > 0) {} };
            let closed = timeout(DEADLINE, read).await.is_ok();
            (closed, bytes)
        });
    }
    let all = reading.join_all().await;
    let open = all.iter().filter(|(closed, _)| !closed).count();
    ensure(open == 0, format!("{open} connections were never closed"))?;
    Ok(all.into_iter().map(|(_, bytes)| bytes).collect())
}

fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn bounded(before: u64) -> std::result::Result<(), String> {
    let grown = memory_kib().saturating_sub(before);
    ensure(
        grown < GROWTH_KIB_MAX,
        format!("memory grew by {grown} KiB"),
    )
}

fn head(stage: &Stage, suite: &Suite, request: &str, fields: &str) -> Vec<u8> {
    let (host, token) = (stage.host(), suite.tokens.good("agent"));
    format!("{request} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n")
        .into_bytes()
}

/// B-394.
pub(super) async fn slow_heads(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    let list = crowd(&stage, CROWD, b"GET /api/cases/1 HTTP/1.1\r\nHo").await;
    stage.still_serves(&suite.tokens).await?;
    ended(list).await?;
    ensure(
        stage.upstream.seen().requests.len() == 1,
        "a half head reached the upstream",
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-395: one byte of a body, and then never another.
pub(super) async fn slow_bodies(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("base")).await;
    let fields = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
    let mut bytes = head(&stage, suite, "POST /api/cases", fields);
    bytes.push(b'{');
    let list = crowd(&stage, 50, &bytes).await;
    stage.still_serves(&suite.tokens).await?;
    ended(list).await?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-396: clients that ask for much and read nothing.
pub(super) async fn slow_readers(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    let before = memory_kib();
    let body = vec![b'7'; 8 << 20];
    let answer = [
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{{\"a\":\"", body.len() + 8)
            .as_bytes(),
        &body,
        b"\"}",
    ]
    .concat();
    stage.upstream.play(Script {
        bytes: answer,
        ..Script::default()
    });
    let list = crowd(&stage, 50, &head(&stage, suite, "GET /api/cases/1", "")).await;
    while stage.upstream.seen().requests.len() < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.still_serves(&suite.tokens).await?;
    bounded(before + ((50 * 8) << 10))?;
    drop(list);
    stage.still_serves(&suite.tokens).await?;
    Ok("bounded")
}

/// B-397: connections that were used once and then lie idle cost little and harm nobody.
pub(super) async fn idle_connections(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    stage.still_serves(&suite.tokens).await?;
    let before = memory_kib();
    let list = crowd(&stage, 4 * CROWD, &stage.good_request(&suite.tokens).bytes).await;
    stage.still_serves(&suite.tokens).await?;
    bounded(before)?;
    drop(list);
    stage.still_serves(&suite.tokens).await?;
    Ok("bounded")
}

/// B-398: too many fields, and a head past every limit.
pub(super) async fn big_heads(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    let many: String = (0..300).map(|n| format!("X-{n}: 1\r\n")).collect();
    let big = format!("X-Big: {}\r\n", "A".repeat(1 << 20));
    for fields in [many, big] {
        let bytes = head(&stage, suite, "GET /api/cases/1", &fields);
        stage.upstream.play(Script::default());
        let capture = stage
            .send(
                &Sending {
                    bytes,
                    expects_close: true,
                    ..Sending::default()
                },
                false,
            )
            .await;
        let answer = wire::read(&capture.bytes, "GET", true)?;
        let status = answer.status();
        ensure(
            [400, 431].contains(&status),
            format!("a head of {} fields got {status}", fields.lines().count()),
        )?;
        ensure(
            stage.upstream.seen().requests.is_empty(),
            "it reached the upstream",
        )?;
    }
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-405: handshakes that never finish.
pub(super) async fn half_handshakes(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting {
        tls: true,
        ..Setting::policy("redact")
    })
    .await;
    // The beginning of a TLS record that announces a ClientHello of 512 bytes.
    let list = crowd(&stage, CROWD, &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]).await;
    stage.still_serves(&suite.tokens).await?;
    ended(list).await?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-406: bodies that announce a gigabyte are refused by what they announce.
pub(super) async fn big_uploads(suite: &Suite) -> Result {
    let stage = Arc::new(Stage::start(&Setting::policy("base")).await);
    let before = memory_kib();
    let fields = "Content-Type: application/json\r\nContent-Length: 1073741824\r\n";
    let mut bytes = head(&stage, suite, "POST /api/cases", fields);
    bytes.extend(vec![b' '; 256 << 10]);
    let list = crowd(&stage, 50, &bytes).await;
    for got in ended(list).await? {
        let status = wire::read(&got, "POST", true).map(|answer| answer.status())?;
        // A reset may overtake the answer when the client is still writing.
        ensure(
            status == 413 || got.is_empty(),
            format!("a gigabyte got {status}"),
        )?;
    }
    ensure(
        stage.upstream.seen().requests.is_empty(),
        "it reached the upstream",
    )?;
    bounded(before)?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-407: with every exchange waiting for a stalled upstream, the next is told so at once.
pub(super) async fn a_stalled_upstream(suite: &Suite) -> Result {
    let setting = Setting {
        limits: "  exchanges: 8\n".to_owned(),
        ..Setting::policy("redact")
    };
    let stage = Arc::new(Stage::start(&setting).await);
    stage.upstream.play(Script {
        pace: Pace::Stall,
        ..Script::default()
    });
    let mut asking = JoinSet::new();
    for _ in 0..40 {
        let (stage, sending) = (Arc::clone(&stage), stage.good_request(&suite.tokens));
        asking.spawn(async move { stage.send(&sending, false).await });
    }
    let mut counts = [0, 0];
    for capture in asking.join_all().await {
        let answer = wire::read(&capture.bytes, "GET", true)?;
        match answer.status() {
            503 if answer.field("retry-after").is_some() => counts[0] += 1,
            502 | 504 => counts[1] += 1,
            other => return Err(format!("a request behind a stalled upstream got {other}")),
        }
    }
    let [overloaded, timed_out] = counts;
    let reached = stage.upstream.seen().requests.len();
    let told =
        format!("{overloaded} overloaded, {timed_out} timed out, {reached} reached the upstream");
    ensure(overloaded >= 24 && timed_out >= 8 && reached <= 16, told)?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}
