//! The admin listener: where it may listen, and that the data plane cannot starve it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::{Pace, Script};

use super::{Result, ensure};

/// B-364: a public address is refused at start; with every exchange slot taken the listener answers.
pub(super) async fn stays_on_loopback_and_answers_under_load(suite: &Suite) -> Result {
    let public = Setting {
        admin: Some("0.0.0.0:0".to_owned()),
        ..Setting::policy("redact")
    };
    ensure(
        Stage::try_start(&public).await.is_err(),
        "a public admin address was accepted",
    )?;
    let crowded = Setting {
        limits: "  exchanges: 4\n".to_owned(),
        ..Setting::policy("redact")
    };
    let stage = Arc::new(Stage::start(&crowded).await);
    let loopback = stage.running().admin_address().ip().is_loopback();
    ensure(loopback, "the admin listener is not on loopback")?;
    stage.upstream.play(Script {
        pace: Pace::Stall,
        ..Script::default()
    });
    let mut stalled = JoinSet::new();
    for _ in 0..16 {
        let (stage, sending) = (Arc::clone(&stage), stage.good_request(&suite.tokens));
        stalled.spawn(async move { stage.send(&sending, false).await });
    }
    while stage.upstream.seen().requests.len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let metrics = stage.metrics().await;
    ensure(
        metrics.starts_with(b"HTTP/1.1 200 "),
        "the admin listener does not answer under load",
    )?;
    stalled.join_all().await;
    stage.still_serves(&suite.tokens).await?;
    Ok("passed")
}
