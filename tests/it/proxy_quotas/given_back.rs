//! What was charged for an answer that does not leave, and what is said of it.

use serde_json::{Value, json};

use super::{HOUR, Stage, desk, json_of, policy, start};
use crate::proxy_audit::entries;

/// How much of each quota is in use.
async fn used(stage: &Stage) -> Vec<(String, u64)> {
    let listing: Value = serde_json::from_str(&stage.administer("GET /quotas").await).unwrap();
    let counts = listing["quotas"].as_array().unwrap().iter();
    counts
        .map(|count| {
            let name = count["quota"].as_str().unwrap().to_owned();
            (name, count["used"].as_u64().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_another_quota_refuses_keeps_no_records_charged() {
    let origin = desk().await;
    let quotas = [
        format!("unit: records, {HOUR}19 }}"),
        format!("unit: subjects, {HOUR}19 }}"),
        "unit: bytes, per: identity, window: 1h, limit: { '*': 400 }".to_owned(),
    ];
    let quotas: Vec<&str> = quotas.iter().map(String::as_str).collect();
    let stage = start(&policy(&quotas), origin.address()).await;
    for (number, status) in [200, 429, 429].into_iter().enumerate() {
        let page = format!("/cases?from={number}&count=3");
        let reply = json_of(&stage, "ann", &page).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        if status == 429 {
            let problem: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(problem["quota"]["name"], "q2");
            let left = problem["quota"]["left"].as_u64().unwrap();
            assert!((1..400).contains(&left), "{left}");
        }
    }
    let used = used(&stage).await;
    let records = "q0".to_owned();
    assert_eq!(used[0], (records, 6), "three left, three are leased anew");
    let subjects = "q1".to_owned();
    assert_eq!(used[1], (subjects, 5), "c0 to c4: a name is not given back");
    let metrics = stage.metrics().await;
    for line in [
        "postern_quota_charged_total{unit=\"records\"} 3\n",
        "postern_quota_charged_total{unit=\"subjects\"} 5\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let charged: Vec<Value> = entries(folder.path())
        .iter()
        .filter(|entry| entry["unmapped"]["postern"]["phase"] == "outcome")
        .map(|entry| entry["unmapped"]["postern"]["charged"].clone())
        .collect();
    assert_eq!(charged[0]["records"], 3);
    assert_eq!(charged[0]["subjects"], 3);
    assert_eq!(charged[1], json!({ "subjects": 1 }), "c3 is new");
    assert_eq!(charged[2], json!({ "subjects": 1 }), "c4 is new");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_fits_is_not_told_to_wait() {
    let origin = desk().await;
    let quotas = [
        format!("unit: records, {HOUR}5 }}"),
        format!("unit: subjects, {HOUR}4 }}, on_exceed: step_up"),
    ];
    let stage = start(&policy(&[&quotas[0], &quotas[1]]), origin.address()).await;
    let detail = |reply: &super::Reply| {
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        problem["detail"].as_str().unwrap().to_owned()
    };
    let large = json_of(&stage, "ann", "/cases?from=0&count=6").await;
    assert_eq!(large.status, 429);
    assert_eq!(
        detail(&large),
        "this answer needs more than the 5 records that may leave in 3600 s; ask for less"
    );
    let state = large.header("ratelimit").unwrap();
    assert!(state.starts_with("\"q0\";r=5;t="), "{state}");
    assert!(large.header("retry-after").is_some());
    let wide = json_of(&stage, "ann", "/cases?from=0&count=5").await;
    assert_eq!(wide.status, 429, "signing in opens no larger count");
    assert_eq!(
        detail(&wide),
        "this answer needs more than the 4 subjects that may leave in 3600 s; ask for less"
    );
    let fits = json_of(&stage, "ann", "/cases?from=0&count=3").await;
    assert_eq!(fits.status, 200, "nothing was charged for what was refused");
    let more = json_of(&stage, "ann", "/cases?from=0&count=3").await;
    assert_eq!(more.status, 429);
    let detail = detail(&more);
    assert!(
        detail.starts_with(
            "this answer needs more than the 2 left of 5 records in 3600 s; ask for less, or try again in "
        ),
        "{detail}"
    );
}
