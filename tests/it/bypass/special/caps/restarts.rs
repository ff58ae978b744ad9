//! What was used stays used: over crashes, reloads and restarts, and where numbers end.

use serde_json::json;

use crate::bypass::also::CAP;
use crate::bypass::catalogue::{Entry, cases};
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, answer_of, ask, ask_times, ensure, request, used_by, within};

/// The highest limit that a policy can name.
const HIGHEST: u64 = 9_223_372_036_854_775_807;
/// How many crashes it takes, each of which charges a lease, until nothing is left of [`HIGHEST`].
const CRASHES: u32 = 90;

fn policy(name: &str) -> String {
    std::fs::read_to_string(cases().join(format!("policies/{name}.yaml"))).expect("a policy")
}

async fn reloads(stage: &Stage, policy: &str) -> bool {
    stage
        .reload(policy)
        .await
        .bytes
        .starts_with(b"HTTP/1.1 200")
}

/// B-348: 90 of 100, then a crash, a reload and an upgrade, each followed by a request for 20. The real
/// process and a real `kill -9` are the matter of another test: here Postern is cut off in this process.
pub(super) async fn restarts_and_reloads(suite: &Suite, entry: &Entry) -> Result {
    let setting = Setting::policy("cap");
    let mut stage = Stage::start(&setting).await;
    let token = suite.tokens.of("patient", &json!({}));
    let asking = |stage: &Stage| request(suite, stage, entry, (None, &token));
    stage.upstream.play(answer_of(10));
    let mut sum = ask_times(&stage, &asking(&stage), 9).await?;
    ensure(sum == 90, format!("{sum} of 90 were delivered"))?;
    for what in ["crash", "reload", "upgrade", "crash"] {
        match what {
            "crash" => stage = stage.crash(&setting).await,
            "upgrade" => stage = stage.restart(&setting).await,
            _ => {
                let other = format!("{}# another revision\n", policy("cap"));
                ensure(reloads(&stage, &other).await, "a good policy was refused")?;
            }
        }
        let used = used_by(&stage, "patient").await?;
        ensure(
            (sum..=CAP).contains(&used),
            format!("{what}: {sum} records left, {used} are in use"),
        )?;
        stage.upstream.play(answer_of(20));
        let refused = ask(&stage, &asking(&stage)).await?;
        ensure(refused.is_capped(), format!("{what}: {refused:?}"))?;
    }
    stage.upstream.play(answer_of(1));
    sum += ask_times(&stage, &asking(&stage), 20).await?;
    within("in the end", sum, CAP, used_by(&stage, "patient").await?)?;
    stage.still_serves(&suite.tokens).await?;
    Ok("capped")
}

/// B-356: crash after crash charges what was leased, until the highest number is reached; then nothing
/// is left, and nothing wraps. Limits past it, and limits that are no numbers, are no policies.
pub(super) async fn near_the_highest_number(suite: &Suite, entry: &Entry) -> Result {
    let setting = Setting::policy("capmax");
    let mut stage = Stage::start(&setting).await;
    let token = suite.tokens.of("titan", &json!({}));
    let (mut sum, mut last) = (0, 0);
    stage.upstream.play(answer_of(10));
    for crash in 0..CRASHES {
        let told = ask(&stage, &request(suite, &stage, entry, (None, &token))).await?;
        sum += told.served_or_capped()?;
        let used = used_by(&stage, "titan").await?;
        ensure(
            (last..=HIGHEST).contains(&used) && used >= sum,
            format!("after {crash} crashes {used} are in use, {last} before, {sum} left"),
        )?;
        ensure(
            told.status == 200 || HIGHEST - used < 10,
            format!("refused although {used} are in use"),
        )?;
        last = used;
        stage = stage.crash(&setting).await;
    }
    let refused = ask(&stage, &request(suite, &stage, entry, (None, &token))).await?;
    ensure(
        refused.is_capped() && sum > 0,
        format!("{last} are in use: {refused:?}"),
    )?;
    for limit in [
        "9223372036854775808",
        "1e400",
        "-1",
        ".nan",
        ".inf",
        "1.5",
        "\"\"",
    ] {
        let other = policy("capmax").replace(&HIGHEST.to_string(), limit);
        ensure(
            !reloads(&stage, &other).await,
            format!("the limit {limit} was loaded"),
        )?;
    }
    Ok("capped")
}
