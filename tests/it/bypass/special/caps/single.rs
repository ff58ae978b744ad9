//! One answer that holds more than the cap, whatever the request says of its size.

use crate::bypass::also::CAP;
use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::judge::{self, Case};
use crate::bypass::messages::Fill;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, Told, answer_of, ask_times, charged, ensure, request, within};

/// Where what is too much is refused, and where it is removed.
const POLICIES: [&str; 2] = ["cap", "capcut"];

/// B-341, B-342 and B-353: each variant, by somebody who has the whole cap before them.
pub(super) async fn one_answer(suite: &Suite, entry: &Entry) -> Result {
    let mut cut = 0;
    for policy in POLICIES {
        let stage = Stage::start(&Setting::policy(policy)).await;
        for (number, variant) in entry.runs().into_iter().enumerate() {
            let who = format!("{policy}{number}");
            let told = judged(suite, &stage, policy, (entry, variant.as_deref(), &who)).await;
            let told = told.map_err(|reason| format!("{policy}, {variant:?}: {reason}"))?;
            ensure(
                policy == "capcut" || told.records == 0,
                format!("{policy}, {variant:?}: a part of what was refused left"),
            )?;
            cut += u64::from(told.status == 200 && told.records == CAP);
        }
        stage.still_serves(&suite.tokens).await?;
    }
    ensure(
        cut > 0,
        "nothing was ever cut at the cap: the case is vacuous",
    )?;
    Ok("capped")
}

/// One run, judged as every entry is; then the same identity asks for small answers until its cap is used.
async fn judged(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    (entry, variant, who): (&Entry, Option<&str>, &str),
) -> std::result::Result<Told, String> {
    let run = Run {
        entry,
        variant: variant.map(str::to_owned),
        credential: None,
        body: None,
    };
    let (host, token) = (stage.host(), suite.tokens.of(who, &serde_json::json!({})));
    let fill = Fill {
        minted: Some(&token),
        ..exchange::fill(suite, &run, &host)
    };
    let before = charged(stage).await;
    let script = exchange::script(&run, &fill);
    let message = script.bytes.clone();
    let observed = exchange::send(stage, entry, &fill, script).await;
    let case = Case {
        entry,
        variant,
        hidden: &[],
        wins: None,
        policy,
        upstream: &message,
    };
    judge::judge(&case, &observed)?;
    let told = Told::of(&observed.answer);
    let after = charged(stage).await - before;
    ensure(
        after == told.records,
        format!("{} records left, {after} were charged", told.records),
    )?;
    if [200, 429].contains(&told.status) {
        stage.upstream.play(answer_of(10));
        let sending = request(suite, stage, entry, (variant, &token));
        let sum = told.records + ask_times(stage, &sending, 12).await?;
        within("afterwards", sum, CAP, charged(stage).await - before)?;
    }
    Ok(told)
}
