//! Floods within one HTTP/2 connection: the server ends the connection or shrugs, and others are served.

use std::time::Duration;

use crate::bypass::bodies;
use crate::bypass::exchange::Suite;
use crate::bypass::h2::frames::{self, Frame, frame, kind};
use crate::bypass::h2::{self, provoke};
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::Script;

use super::{Result, ensure};

const QUIET: Duration = Duration::from_millis(500);

async fn stage() -> Stage {
    let stage = Stage::start(&Setting {
        tls: true,
        ..Setting::policy("redact")
    })
    .await;
    stage.upstream.play(Script {
        bytes: bodies::json(r#"{"id":1}"#),
        ..Script::default()
    });
    stage
}

fn request(stage: &Stage, suite: &Suite, stream: u32) -> Vec<u8> {
    let (host, token) = (
        stage.host(),
        format!("Bearer {}", suite.tokens.good("agent")),
    );
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", host.as_str()),
        (":path", "/api/cases/1"),
        ("authorization", token.as_str()),
    ];
    frames::headers(stream, &h2::block(&fields), true)
}

fn opening() -> Vec<u8> {
    [frames::PREFACE, &frames::settings(&[])].concat()
}

async fn flood(stage: &Stage, bytes: &[u8]) -> Vec<Frame> {
    let mut stream = stage.connect_h2().await;
    provoke(&mut stream, bytes, QUIET).await
}

fn goes_away(list: &[Frame]) -> bool {
    list.iter()
        .any(|frame| frame.kind == kind::GOAWAY && frame.code(4) != 0)
}

/// B-399: open and reset, a thousand times.
pub(super) async fn rapid_reset(suite: &Suite) -> Result {
    let stage = stage().await;
    let mut bytes = opening();
    for number in 0..1000 {
        let stream = 2 * number + 1;
        bytes.extend(request(&stage, suite, stream));
        bytes.extend(frame(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let list = flood(&stage, &bytes).await;
    let reached = stage.upstream.seen().requests.len();
    ensure(goes_away(&list), "the connection was not ended")?;
    ensure(
        reached < 500,
        format!("{reached} of 1000 reset requests reached the upstream"),
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-400: make the server reset its own streams, by an illegal window increment on each.
pub(super) async fn made_to_reset(suite: &Suite) -> Result {
    let stage = stage().await;
    let mut bytes = opening();
    for number in 0..1000 {
        let stream = 2 * number + 1;
        bytes.extend(request(&stage, suite, stream));
        bytes.extend(frame(kind::WINDOW_UPDATE, 0, stream, &0_u32.to_be_bytes()));
    }
    let list = flood(&stage, &bytes).await;
    let reached = stage.upstream.seen().requests.len();
    ensure(goes_away(&list), "the connection was not ended")?;
    ensure(
        reached < 500,
        format!("{reached} of 1000 reset requests reached the upstream"),
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}

/// B-403: settings, pings, priorities and window churn, ten thousand of each.
pub(super) async fn control_frames(suite: &Suite) -> Result {
    let stage = stage().await;
    let floods: [(&str, Vec<u8>); 4] = [
        ("SETTINGS", frames::settings(&[(4, 1)])),
        ("PING", frame(kind::PING, 0, 0, &[0; 8])),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        (
            "WINDOW_UPDATE",
            frame(kind::WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
        ),
    ];
    for (name, one) in floods {
        let bytes = [opening(), one.repeat(10_000)].concat();
        flood(&stage, &bytes).await;
        stage
            .still_serves(&suite.tokens)
            .await
            .map_err(|reason| format!("{name}: {reason}"))?;
    }
    Ok("bounded")
}

/// B-404: one long field in the dynamic table, named four thousand times; and an endless header block.
pub(super) async fn header_bomb(suite: &Suite) -> Result {
    let stage = stage().await;
    // A literal with incremental indexing: name `x`, value of 4000 bytes (7-bit prefix integer).
    let mut block = vec![0x40, 1, b'x', 0x7f, 0xa1, 0x1e];
    block.extend(vec![b'A'; 4000]);
    block.extend(vec![0x80 | 62; 8000]);
    let bomb = [opening(), frames::headers(1, &block, true)].concat();
    let list = flood(&stage, &bomb).await;
    let answered = list
        .iter()
        .any(|frame| matches!(frame.kind, kind::HEADERS | kind::RST_STREAM | kind::GOAWAY));
    ensure(answered, "the bomb was not refused")?;
    let open = frame(kind::HEADERS, 0, 1, &h2::block(&[(":method", "GET")]));
    let more = frame(
        kind::CONTINUATION,
        0,
        1,
        &h2::block(&[("x", &"A".repeat(1000))]),
    );
    let endless = [opening(), open, more.repeat(2000)].concat();
    let list = flood(&stage, &endless).await;
    ensure(
        goes_away(&list) || list.len() < 2000,
        "the endless block was taken",
    )?;
    ensure(
        stage.upstream.seen().requests.is_empty(),
        "it reached the upstream",
    )?;
    stage.still_serves(&suite.tokens).await?;
    Ok("blocked")
}
