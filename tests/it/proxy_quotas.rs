//! Quotas behind the proxy: what is refused, cut and removed, on which routes together, and what the
//! client is told.

mod given_back;
mod operators;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::origin::{Answer, Origin};
use crate::postern::{Reply, Stage, request_as, start, token_of};

/// Routes of one desk; `QUOTAS` stands for the quotas.
const POLICY: &str = "\
policy: v1
name: quotas
mode: enforce
IDENTITY
labels: { pii: Personal data }
routes:
  case:
    match: ['GET /cases/{id}', 'HEAD /cases/{id}']
    label: { $.ssn: pii }
    subjects: $.customer.id
  list:
    match: GET /cases
    query: [page, from, count]
    label: { '$.cases[*].ssn': pii }
    records: $.cases[*]
    subjects: $.cases[*].customer.id
  export:
    match: GET /export
    query: [from, count]
    formats: [json, ndjson, csv]
    label: { '$[*].ssn': pii }
    records: $[*]
    subjects: $[*].customer.id
  note:
    match: GET /notes
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
quotas:
QUOTAS
";

fn policy(quotas: &[&str]) -> String {
    let mut lines = String::new();
    for (number, quota) in quotas.iter().enumerate() {
        writeln!(lines, "  q{number}: {{ {quota} }}").unwrap();
    }
    POLICY.replace("QUOTAS\n", &lines)
}

/// The desk's answers: `/cases/N` is case N, lists and exports hold `count` cases from `from` on.
async fn desk() -> Origin {
    Origin::answering(|request| {
        let request = String::from_utf8_lossy(request).into_owned();
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let number = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(key, _)| *key == name);
            values.next().map_or(0, |(_, value)| value.parse().unwrap())
        };
        let numbers = number("from")..number("from") + number("count");
        let accept = request.to_lowercase();
        if let Some(id) = path.strip_prefix("/cases/") {
            return Answer::json(&case(id.parse().unwrap()).to_string());
        }
        if path == "/notes" {
            return Answer::json("{}");
        }
        if accept.contains("accept: text/csv") {
            let mut table = "id,customer.id,ssn\n".to_owned();
            numbers.for_each(|id| writeln!(table, "{id},c{id},912-04-7731").unwrap());
            return typed("text/csv", &table);
        }
        let cases: Vec<Value> = numbers.map(case).collect();
        match path {
            "/cases" => {
                Answer::json(&json!({ "total": 9, "cases": cases, "next": null }).to_string())
            }
            _ => Answer::json(&Value::from(cases).to_string()),
        }
    })
    .await
}

fn case(id: u64) -> Value {
    json!({ "id": id, "ssn": "912-04-7731", "customer": { "id": format!("c{id}") }, "note": "x" })
}

fn typed(kind: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// A GET by somebody, with a type that is accepted.
async fn ask(stage: &Stage, who: &str, target: &str, accept: &str) -> Reply {
    let token = token_of(who, "agent", &json!({}));
    let lines = format!("Accept: {accept}\r\n");
    stage
        .send(&request_as(&token, "GET", target, (&lines, "")))
        .await
}

async fn json_of(stage: &Stage, who: &str, target: &str) -> Reply {
    ask(stage, who, target, "application/json").await
}

const HOUR: &str = "per: identity, window: 1h, limit: { '*': ";

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_is_a_429_that_says_when_to_come_back() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}12 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    let first = json_of(&stage, "ann", "/cases?from=0&count=10").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let refused = json_of(&stage, "ann", "/cases?from=0&count=3").await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (429, "quota-exceeded")
    );
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(problem["quota"]["name"], "q0");
    assert_eq!(problem["quota"]["unit"], "records");
    assert_eq!(problem["quota"]["limit"], 12);
    assert_eq!(problem["quota"]["window_seconds"], 3600);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3300..=3900).contains(&wait), "{wait}");
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"q0\";q=12;w=3600;qu=\"records\"")
    );
    let state = refused.header("ratelimit").unwrap();
    assert!(state.starts_with("\"q0\";r=2;t="), "{state}");
    assert_eq!(problem["quota"]["left"], 2);
    let rest = json_of(&stage, "ann", "/cases?from=0&count=2").await;
    assert_eq!(rest.status, 200, "what was refused was not charged");
    let requests = origin.requests().len();
    let early = json_of(&stage, "ann", "/cases?from=0&count=0").await;
    assert_eq!(early.status, 429);
    let state = early.header("ratelimit").unwrap();
    assert!(state.starts_with("\"q0\";r=0;t="), "{state}");
    assert_eq!(
        origin.requests().len(),
        requests,
        "nothing is left: nothing is asked"
    );
    assert_eq!(
        json_of(&stage, "bob", "/cases?from=0&count=2").await.status,
        200
    );
    let metrics = stage.metrics().await;
    assert!(
        metrics.contains("postern_quota_charged_total{unit=\"records\"} 14"),
        "{metrics}"
    );
    assert!(
        metrics.contains("postern_quota_denied_total{quota=\"q0\"} 2"),
        "{metrics}"
    );
    assert!(!metrics.contains("ann"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_customer_fetched_three_hundred_times_costs_one() {
    let origin = desk().await;
    let subjects = format!("unit: subjects, {HOUR}2 }}");
    let stage = start(&policy(&[&subjects]), origin.address()).await;
    for _ in 0..300 {
        assert_eq!(json_of(&stage, "ann", "/cases/7").await.status, 200);
    }
    assert_eq!(json_of(&stage, "ann", "/cases/8").await.status, 200);
    assert_eq!(json_of(&stage, "ann", "/cases/9").await.status, 429);
    assert_eq!(
        json_of(&stage, "ann", "/cases/7").await.status,
        200,
        "known already"
    );
    let list = json_of(&stage, "ann", "/cases?from=7&count=2").await;
    assert_eq!(list.status, 200, "the same two in a list");
    let metrics = stage.metrics().await;
    assert!(
        metrics.contains("postern_quota_charged_total{unit=\"subjects\"} 2\n"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn single_reads_and_an_export_drain_the_same_quota() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}400 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    for id in 0..300 {
        assert_eq!(
            json_of(&stage, "ann", &format!("/cases/{id}")).await.status,
            200
        );
    }
    let table = ask(&stage, "ann", "/export?from=0&count=101", "text/csv").await;
    assert_eq!(table.status, 429, "a table is counted by its rows");
    let table = ask(&stage, "ann", "/export?from=0&count=60", "text/csv").await;
    assert_eq!(table.status, 200, "{}", table.text());
    assert_eq!(table.text().lines().count(), 61);
    assert!(!table.text().contains("912-04-7731"));
    let list = json_of(&stage, "ann", "/export?from=0&count=40").await;
    assert_eq!(list.status, 200);
    assert_eq!(json_of(&stage, "ann", "/cases/1").await.status, 429);
    let free = json_of(&stage, "ann", "/notes").await;
    assert_eq!(free.status, 200, "a route without records");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_removed_where_the_quota_truncates() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}25 }}, on_exceed: truncate");
    let stage = start(&policy(&[&records]), origin.address()).await;
    let whole = json_of(&stage, "ann", "/cases?from=0&count=20").await;
    assert_eq!(whole.header("postern-withheld"), None);
    let cut = json_of(&stage, "ann", "/cases?from=20&count=20").await;
    assert_eq!(cut.status, 200, "{}", cut.text());
    assert_eq!(cut.header("postern-withheld"), Some("records;more=true"));
    let left: Value = serde_json::from_slice(&cut.body).unwrap();
    let ids: Vec<u64> = left["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, [20, 21, 22, 23, 24]);
    assert_eq!(left["next"], Value::Null, "what is no record stays");
    let table = ask(&stage, "bob", "/export?from=0&count=400", "text/csv").await;
    assert_eq!(table.text().lines().count(), 26, "a header and 25 rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_visibly_and_never_delivers_one_over() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}3000 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    let reply = json_of(&stage, "ann", "/export?from=0&count=9000").await;
    assert_eq!(reply.status, 200, "the head had left");
    assert!(!reply.complete, "the end is missing, visibly");
    let delivered = reply.text().matches("\"customer\"").count();
    assert!((1..=3000).contains(&delivered), "{delivered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_requests_and_several_quotas_bind_together() {
    let origin = desk().await;
    let quotas = [
        "unit: requests, per: session, window: 1m, limit: { agent: 3 }",
        "unit: bytes, per: role, window: 1h, limit: { agent: 100KiB }",
    ];
    let stage = start(&policy(&quotas), origin.address()).await;
    for _ in 0..3 {
        assert_eq!(json_of(&stage, "ann", "/notes").await.status, 200);
    }
    // A token without `sid` is a session of its own; the subject is the same.
    let token = token_of("ann", "agent", &json!({ "sid": "one" }));
    let lines = ("Accept: application/json\r\n", "");
    let request = request_as(&token, "GET", "/notes", lines);
    for _ in 0..3 {
        assert_eq!(stage.send(&request).await.status, 200);
    }
    let renewed = token_of("ann", "agent", &json!({ "sid": "one", "jti": "2" }));
    let renewed = stage
        .send(&request_as(&renewed, "GET", "/notes", lines))
        .await;
    assert_eq!(renewed.status, 429, "a new token of the same session");
    let big = json_of(&stage, "bob", "/export?from=0&count=5000").await;
    assert!(
        !big.complete && big.body.len() <= 100 << 10,
        "{}",
        big.body.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_alerts_lets_through_and_one_that_warns_says_so_once() {
    let origin = desk().await;
    let quotas = [
        format!("unit: records, {HOUR}5 }}, on_exceed: alert"),
        format!("unit: records, {HOUR}100 }}, warn_at: 10%"),
    ];
    let stage = start(&policy(&[&quotas[0], &quotas[1]]), origin.address()).await;
    for _ in 0..4 {
        let reply = json_of(&stage, "ann", "/cases?from=0&count=8").await;
        assert_eq!(reply.status, 200);
    }
    let metrics = stage.metrics().await;
    assert!(
        metrics.contains("postern_findings_total{rule=\"quota-exceeded\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("postern_findings_total{rule=\"quota-warning\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_opens_a_second_count_and_no_third() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}4 }}, on_exceed: step_up");
    let stage = start(&policy(&[&records]), origin.address()).await;
    assert_eq!(
        json_of(&stage, "ann", "/cases?from=0&count=4").await.status,
        200
    );
    let refused = json_of(&stage, "ann", "/cases?from=0&count=1").await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (401, "step-up-required")
    );
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("insufficient_user_authentication"),
        "{challenge}"
    );
    let now = jsonwebtoken::get_current_timestamp();
    let fresh = |age: u64| token_of("ann", "agent", &json!({ "auth_time": now - age }));
    let lines = ("Accept: application/json\r\n", "");
    let get = |token: &str, count: u64| {
        request_as(token, "GET", &format!("/cases?from=0&count={count}"), lines)
    };
    assert_eq!(
        stage.send(&get(&fresh(600), 1)).await.status,
        401,
        "that was long ago"
    );
    assert_eq!(stage.send(&get(&fresh(10), 4)).await.status, 200);
    assert_eq!(stage.send(&get(&fresh(5), 1)).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_and_a_failed_read_charge_no_records() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}1 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    let token = token_of("ann", "agent", &json!({}));
    let head = request_as(&token, "HEAD", "/cases/1", ("", ""));
    assert_eq!(stage.send(&head).await.status, 200);
    assert_eq!(json_of(&stage, "ann", "/cases/1").await.status, 200);
    assert_eq!(json_of(&stage, "ann", "/cases/1").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_is_used_after_a_restart() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}10 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    assert_eq!(
        json_of(&stage, "ann", "/cases?from=0&count=8").await.status,
        200
    );
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let stage = crate::postern::start_in(folder, &policy(&[&records]), origin.address()).await;
    assert_eq!(
        json_of(&stage, "ann", "/cases?from=0&count=3").await.status,
        429
    );
    assert_eq!(
        json_of(&stage, "ann", "/cases?from=0&count=2").await.status,
        200
    );
}
