//! Many at once: one identity over many connections, and many identities of one tenant.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::bypass::also::CAP;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, answer_of, ask, ask_times, charged, ensure, metric, request, within};

/// The entry asks for a hundred; each begins with an identity of its own.
const REPETITIONS: usize = 6;
/// What `capglobal` lets a tenant have.
const TENANT_CAP: u64 = 1000;

/// Sends all of these at once; what each of them delivered.
async fn all_at_once(
    stage: &Arc<Stage>,
    requests: Vec<Sending>,
) -> std::result::Result<Vec<u64>, String> {
    let mut asking = JoinSet::new();
    for (number, sending) in requests.into_iter().enumerate() {
        let stage = Arc::clone(stage);
        asking.spawn(async move { (number, ask(&stage, &sending).await) });
    }
    let mut delivered = Vec::new();
    for (number, told) in asking.join_all().await {
        delivered.push((number, told?.served_or_capped()?));
    }
    delivered.sort_unstable();
    Ok(delivered.into_iter().map(|(_, records)| records).collect())
}

/// B-343.
pub(super) async fn one_identity_at_once(suite: &Suite, entry: &Entry) -> Result {
    let stage = Arc::new(Stage::start(&Setting::policy("cap")).await);
    stage.upstream.play(answer_of(10));
    let clients = entry.parallel.as_ref().map_or(200, |asked| asked.clients);
    for repetition in 0..REPETITIONS {
        let token = suite.tokens.of(&format!("racer-{repetition}"), &json!({}));
        let before = charged(&stage).await;
        let sending = request(suite, &stage, entry, (None, &token));
        let delivered = all_at_once(&stage, vec![sending.clone(); clients]).await?;
        let sum = delivered.iter().sum::<u64>() + ask_times(&stage, &sending, 12).await?;
        let charged = charged(&stage).await - before;
        within(&format!("repetition {repetition}"), sum, CAP, charged)?;
    }
    stage.still_serves(&suite.tokens).await?;
    Ok("capped")
}

/// B-358: each of the tenant's identities stays within its own cap, and all of them within the tenant's.
pub(super) async fn colluding_identities(suite: &Suite, entry: &Entry) -> Result {
    let stage = Arc::new(Stage::start(&Setting::policy("capglobal")).await);
    stage.upstream.play(answer_of(100));
    let agents = entry.variants.iter().find_map(|variant| {
        let (count, _) = variant.split_once(' ')?;
        count.parse::<usize>().ok()
    });
    let agents = agents.ok_or("the entry does not say how many agents there are")?;
    let of = |number: usize, tenant: &str| {
        let token = json!({ "tenant": tenant });
        let token = suite.tokens.of(&format!("{tenant}-{number}"), &token);
        request(suite, &stage, entry, (Some("50 agents"), &token))
    };
    let mut each = vec![0; agents];
    for _ in 0..2 {
        let requests = (0..agents).map(|number| of(number, "north")).collect();
        let delivered = all_at_once(&stage, requests).await?;
        for (sum, records) in each.iter_mut().zip(delivered) {
            *sum += records;
        }
    }
    let most = each.iter().copied().max().unwrap_or(0);
    within("the most of one identity", most, CAP, most)?;
    // Both quotas count records, and a record that is charged to both is charged once.
    within(
        "the tenant",
        each.iter().sum(),
        TENANT_CAP,
        charged(&stage).await,
    )?;
    let warned = metric(&stage, "postern_findings_total{rule=\"quota-warning\"}").await;
    ensure(
        warned == 1,
        format!("{warned} findings were raised, not one"),
    )?;
    let other = ask(&stage, &of(0, "south")).await?;
    ensure(
        other.records == CAP,
        format!("another tenant pays for this one: {other:?}"),
    )?;
    Ok("capped")
}
