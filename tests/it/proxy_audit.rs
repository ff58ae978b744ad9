//! The audit log behind the proxy: what each exchange leaves, what it never holds, and that the log
//! verifies.

use std::collections::BTreeMap;
use std::path::Path;

use postern_audit::{PublishedEntries, SystemDisk};
use serde_json::Value;

use crate::origin::{Answer, Origin};
use crate::postern::{Client, get, request, start};

const POLICY: &str = "\
policy: v1
name: audited
mode: enforce
IDENTITY
labels: { pii: Personal data }
routes:
  case:
    match: ['GET /cases/{id}', 'HEAD /cases/{id}', 'PATCH /cases/{id}']
    label: { $.ssn: pii }
    case: id
    query: [view]
  note:
    match: GET /notes/{id}
    audit: batch
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
";

/// Never in any file of the log.
const CANARIES: [&str; 4] = ["912-04-7731", "victim-77", "view=full", "Bearer "];

async fn desk() -> Origin {
    Origin::answering(|_request| Answer::json(r#"{"id":77,"ssn":"912-04-7731"}"#)).await
}

/// Every published entry of a stage's log, in order.
pub(crate) fn entries(folder: &Path) -> Vec<Value> {
    let disk = SystemDisk::new(folder.join("state/audit"));
    let entries = PublishedEntries::open(&disk, 0).unwrap();
    entries
        .map(|read| serde_json::from_slice(&read.unwrap().1).unwrap())
        .collect()
}

fn of_class(entries: &[Value], class: u64) -> Vec<&Value> {
    let of_class = |entry: &&Value| entry["class_uid"] == class;
    entries.iter().filter(of_class).collect()
}

fn phase(entry: &Value) -> &str {
    entry["unmapped"]["postern"]["phase"]
        .as_str()
        .unwrap_or("only")
}

/// What two reads, a refusal, a batched read and a malformed request leave.
async fn a_day_at_the_desk() -> Vec<Value> {
    let origin = desk().await;
    let stage = start(POLICY, origin.address()).await;
    let asked = [
        (get("/cases/victim-77?view=full", "agent"), 200),
        (request("HEAD", "/cases/victim-77", "agent", "", ""), 200),
        (get("/nowhere/victim-77", "agent"), 403),
        (get("/notes/1", "agent"), 200),
        (
            "GET /cases/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
            400,
        ),
    ];
    for (request, status) in asked {
        assert_eq!(stage.send(&request).await.status, status, "{request}");
    }
    stage.running.shutdown().await;
    entries(stage.folder.path())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_exchange_leaves_its_records_and_no_data() {
    let entries = a_day_at_the_desk().await;
    let calls = of_class(&entries, 6003);
    let phases: Vec<&str> = calls.iter().map(|entry| phase(entry)).collect();
    assert_eq!(
        phases,
        ["intent", "outcome", "intent", "outcome", "only", "only"],
        "two pairs, a refusal and a batched read"
    );
    let outcome = calls[1];
    assert_eq!(
        outcome["metadata"]["correlation_uid"],
        calls[0]["metadata"]["correlation_uid"]
    );
    assert_eq!(outcome["action_id"], 4, "something was redacted");
    assert_eq!(outcome["disposition_id"], 11);
    assert_eq!(outcome["actor"]["user"]["uid"], "user-agent");
    assert_eq!(outcome["api"]["response"]["code"], 200);
    assert_eq!(outcome["unmapped"]["postern"]["fields_masked"]["pii"], 1);
    assert_eq!(
        outcome["resources"], calls[2]["resources"],
        "one case, one hash"
    );
    assert_eq!(outcome["resources"][0]["uid"].as_str().unwrap().len(), 32);
    assert_eq!(calls[4]["disposition_id"], 2, "refused");
    assert_eq!(calls[4]["unmapped"]["postern"]["problem"], "route-denied");
    assert_eq!(
        of_class(&entries, 4002).len(),
        1,
        "the one that is not sound"
    );
    assert_eq!(
        of_class(&entries, 3004).len(),
        1,
        "the policy that came into force"
    );
    let log: Vec<u64> = of_class(&entries, 1008)
        .iter()
        .map(|entry| entry["activity_id"].as_u64().unwrap())
        .collect();
    assert_eq!(log, [6, 7], "start and stop");
    for exchange in entries.iter().filter(|entry| entry["api"].is_object()) {
        let version = exchange["policy"]["version"].as_str();
        assert!(
            version.is_some_and(|version| !version.is_empty()),
            "{exchange}"
        );
    }
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["metadata"]["sequence"], index);
        let text = entry.to_string();
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_intent_is_on_record_before_the_upstream_and_the_outcome_before_the_last_byte() {
    let origin = desk().await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    for _ in 0..3 {
        client.write(get("/cases/1", "agent").as_bytes()).await;
        assert_eq!(client.reply(false).await.unwrap().status, 200);
        // What has been answered is in the write-ahead log at this moment, published or not.
        let mut written = Vec::new();
        for segment in std::fs::read_dir(stage.folder.path().join("state/audit/.wal")).unwrap() {
            written.extend(std::fs::read(segment.unwrap().path()).unwrap());
        }
        let count = |word: &str| {
            let word = word.as_bytes();
            written
                .windows(word.len())
                .filter(|window| *window == word)
                .count()
        };
        assert_eq!(
            count("\"phase\":\"intent\""),
            count("\"phase\":\"outcome\"")
        );
    }
    stage.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_early_leaves_an_outcome_too() {
    let cut_short =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"id\":7";
    let origin = Origin::answering(move |_request| Answer::raw(cut_short).then_stall()).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/cases/1", "agent").as_bytes()).await;
    origin.asked(1).await;
    drop(client);
    stage.running.shutdown().await;
    let entries = entries(stage.folder.path());
    let mut outcomes = BTreeMap::new();
    for call in of_class(&entries, 6003) {
        let outcome = call["unmapped"]["postern"]["outcome"].as_str();
        *outcomes.entry(outcome.unwrap_or("intent")).or_insert(0) += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([("cut", 1), ("intent", 1)]));
}
