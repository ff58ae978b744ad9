//! A panic inside a filter: the client sees a message that is visibly incomplete or a refusal, the exchange is on record,
//! and nothing it held stays behind.
//!
//! The panic comes from the clock, which is looked at before and after each piece of a body that is worked on: what
//! has been worked on by then is what an honest answer would go on with. Everything runs on threads of its own, since
//! nothing may panic on those of the suite (I5).

use std::sync::Arc;

use postern_proxy::clock::Clock;
use serde_json::Value;

use crate::bypass::bodies;
use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::records;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::tokens::Tokens;
use crate::bypass::upstream::Script;
use crate::trap::Trap;

use super::{Result, ensure};

/// What times a piece of work on a body.
const FILTERING: &str = "Stopwatch::time";
/// More looks at the clock than these are not tried.
const LOOKS_MAX: usize = 80;
/// A row of a list that has something to hide.
const ROW: &str = r#"{"id":1,"ssn":"912-04-7731","email":"zq7.victim@leak.example"}"#;

/// B-194.
pub(super) async fn inside_a_filter(suite: &Suite, entry: &Entry) -> Result {
    let suite = Suite {
        tokens: Tokens::load(),
        wins: suite.wins.clone(),
        corpus: Vec::new(),
        logs: suite.logs.clone(),
    };
    let entry = entry.clone();
    let running = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .thread_name("panics on purpose")
            .build()
            .expect("a runtime");
        runtime.block_on(everywhere(&suite, &entry))
    });
    running.await.map_err(|error| error.to_string())?
}

/// Held whole, and long enough to be streamed.
async fn everywhere(suite: &Suite, entry: &Entry) -> Result {
    for rows in [1, 4_000] {
        let list = vec![ROW; rows].join(",");
        let (panics, cut) =
            of_this_answer(suite, entry, &bodies::json(&format!("[{list}]"))).await?;
        ensure(panics > 0, format!("{rows} rows: no filter ever panicked"))?;
        ensure(
            cut >= panics,
            format!("{cut} of {panics} panics are on record as cut"),
        )?;
    }
    Ok("aborted")
}

/// How many panics there were inside a filter, and how many exchanges are on record as cut.
async fn of_this_answer(
    suite: &Suite,
    entry: &Entry,
    answer: &[u8],
) -> std::result::Result<(usize, usize), String> {
    let trap = Arc::new(Trap::default());
    let setting = Setting {
        clock: Some(Arc::clone(&trap) as Arc<dyn Clock>),
        ..Setting::policy("redact")
    };
    let mut stage = Stage::start(&setting).await;
    let host = stage.host();
    let run = Run {
        entry,
        variant: None,
        credential: None,
        body: None,
    };
    let fill = exchange::fill(suite, &run, &host);
    let mut panics = 0;
    for looks in 0..LOOKS_MAX {
        let script = Script {
            bytes: answer.to_vec(),
            ..Script::default()
        };
        trap.set(looks);
        let (_, outcome) = exchange::judged(suite, &stage, "redact", (&run, &fill), script).await;
        let Some(looked) = trap.take() else {
            break;
        };
        // What else panics is for those who look at every phase; here it must not be filters alone that are safe.
        if looked.iter().any(|name| name.contains(FILTERING)) {
            panics += 1;
            outcome.map_err(|reason| format!("look {looks}: {reason}"))?;
        }
        stage.still_serves(&suite.tokens).await?;
        nothing_is_left(&stage).await?;
    }
    let log = records::folder(stage.folder.path());
    stage.stopped().await?;
    let is_cut = |event: &&Value| {
        let details = &event["unmapped"]["postern"];
        details["outcome"] == "cut" && details["phase"] != "intent"
    };
    let cut = records::events(&log)?.iter().filter(is_cut).count();
    Ok((panics, cut))
}

/// No exchange is counted as running any more.
async fn nothing_is_left(stage: &Stage) -> std::result::Result<(), String> {
    for _ in 0..500 {
        let metrics = String::from_utf8_lossy(&stage.metrics().await).into_owned();
        if metrics.contains("\npostern_exchanges_in_flight 0\n") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err("an exchange that panicked is still counted".to_owned())
}
