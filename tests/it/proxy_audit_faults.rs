//! The audit log's disk fails, once at each of its calls: whatever was answered whole is on record, and what
//! cannot be put on record is answered 503 or breaks off.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use postern_audit::{
    Integrity, Log, LogSettings, PolicyFile, PublishedEntries, SystemDisk, verify,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::faulty_disk::{CALLS, Call, FaultyDisk};
use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, Stage, request_as, start_there, token_of};

/// How many requests follow each other, each of another subject.
const REQUESTS: usize = 6;
/// More calls of a kind than these are not failed, each in a run of its own.
const AFTER_MAX: usize = 40;

/// What clients saw in one run.
#[derive(Debug, Default)]
struct Seen {
    /// Subjects that were answered whole.
    answered: BTreeSet<String>,
    refused: usize,
    broken_off: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_the_logs_disk_failing_once_leaves_no_answer_without_its_record() {
    let small = r#"{"id":1,"ssn":"912-04-7731"}"#;
    let large = format!("{{\"id\":1,\"pad\":\"{}\"}}", "x".repeat(100 << 10));
    let origin = Origin::answering(move |request| {
        let text = String::from_utf8_lossy(request).into_owned();
        match text.contains("/cases/large") {
            true => Answer::json(&large),
            false => Answer::json(small),
        }
    })
    .await;
    let mut runs = JoinSet::new();
    for call in CALLS {
        let origin = origin.address();
        runs.spawn(async move {
            let mut all = Vec::new();
            for after in 0..AFTER_MAX {
                match a_run(origin, (call, after), |disk| disk).await {
                    Some(seen) => all.push(seen),
                    None => break,
                }
            }
            (call, all)
        });
    }
    let mut failed: BTreeMap<Call, usize> = BTreeMap::new();
    let (mut answered, mut refused, mut broken_off) = (0, 0, 0);
    for (call, all) in runs.join_all().await {
        failed.insert(call, all.len());
        for seen in all {
            answered += seen.answered.len();
            refused += seen.refused;
            broken_off += seen.broken_off;
        }
    }
    println!(
        "{failed:?} calls failed, {answered} answers whole and on record, {refused} refused, {broken_off} broken off, \
         0 unaudited"
    );
    for call in [Call::Write, Call::Sync, Call::Rename, Call::Create] {
        assert!(
            failed.get(&call).is_some_and(|times| *times >= 3),
            "{call:?}"
        );
    }
    assert!(refused > 0 && answered > 0);
}

/// More calls of a kind than these do not panic, each in a run of its own.
const PANICS_MAX: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_panics_at_its_disk_leaves_no_answer_without_its_record_and_stops_nothing_else()
{
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1,"ssn":"912-04-7731"}"#)]).await;
    let mut runs = JoinSet::new();
    for call in CALLS {
        let origin = origin.address();
        runs.spawn(async move {
            let mut all = Vec::new();
            for after in 0..PANICS_MAX {
                match a_run(origin, (call, after), FaultyDisk::that_panics).await {
                    Some(seen) => all.push(seen),
                    None => break,
                }
            }
            all
        });
    }
    let all: Vec<Seen> = runs.join_all().await.into_iter().flatten().collect();
    let sum = |of: fn(&Seen) -> usize| all.iter().map(of).sum::<usize>();
    let (answered, refused) = (sum(|seen| seen.answered.len()), sum(|seen| seen.refused));
    println!(
        "{} calls panicked, {answered} answers whole and on record, {refused} refused, {} broken off, 0 unaudited",
        all.len(),
        sum(|seen| seen.broken_off)
    );
    assert!(all.len() > 20 && refused > 0 && answered > 0);
}

/// Asks while one call fails, or panics. Nothing when that call did not come.
async fn a_run(
    origin: SocketAddr,
    (call, after): (Call, usize),
    kind: fn(FaultyDisk) -> FaultyDisk,
) -> Option<Seen> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("state/audit");
    std::fs::create_dir_all(&log).unwrap();
    let disk = kind(FaultyDisk::new(log.clone()));
    let setting = Setting {
        policy: POLICY.to_owned(),
        audit: "{ checkpoint: 100ms }".to_owned(),
        audit_disk: Some(Arc::new(disk.clone())),
        ..Setting::default()
    };
    let stage = start_there(folder, &setting, origin).await;
    disk.fail(call, after);
    let mut seen = Seen::default();
    for number in 0..REQUESTS {
        ask(&stage, number, &mut seen).await;
    }
    let Stage { running, folder } = stage;
    running.shutdown().await;
    if !disk.has_failed() {
        return None;
    }
    let recorded = recorded(folder.path());
    let missing: Vec<&String> = seen.answered.difference(&recorded).collect();
    assert!(
        missing.is_empty(),
        "{call:?} {after}: {missing:?} answered and not on record"
    );
    Some(seen)
}

async fn ask(stage: &Stage, number: usize, seen: &mut Seen) {
    let subject = format!("s{number}");
    let token = token_of(&subject, "agent", &json!({}));
    let (method, target) = match number % 3 {
        0 => ("GET", "/cases/1"),
        1 => ("POST", "/cases/1"),
        _ => ("GET", "/cases/large"),
    };
    let lines = match method {
        "POST" => "Content-Type: application/json\r\nContent-Length: 2\r\n",
        _ => "",
    };
    let body = if method == "POST" { "{}" } else { "" };
    let mut client = Client::connect(stage.address()).await;
    client
        .write(request_as(&token, method, target, (lines, body)).as_bytes())
        .await;
    match client.reply(false).await {
        Some(reply) if reply.status == 503 => {
            assert_eq!(reply.slug(), "audit-unavailable", "{}", reply.text());
            assert!(!reply.text().contains("912-04-7731"));
            seen.refused += 1;
        }
        Some(reply) if reply.complete => {
            seen.answered.insert(subject);
        }
        Some(_) | None => seen.broken_off += 1,
    }
}

/// Whose exchanges have an end on record, when the log is opened on a disk that works.
fn recorded(folder: &Path) -> BTreeSet<String> {
    let log = folder.join("state/audit");
    let seed = folder.join("state/audit.seed");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.local")).unwrap();
    let key = open.keys()[0].clone();
    open.close().unwrap();
    let disk = SystemDisk::new(log);
    let policy = PolicyFile::parse(format!("log {key}\nquorum none\n").as_bytes()).unwrap();
    let report = verify(&disk, &policy, &[]).unwrap();
    assert_eq!(report.integrity, Integrity::Ok, "{report}");
    let entries = PublishedEntries::open(&disk, 0).unwrap();
    let entries = entries.map(|read| serde_json::from_slice::<Value>(&read.unwrap().1).unwrap());
    entries
        .filter(|entry| entry["unmapped"]["postern"]["outcome"].is_string())
        .filter_map(|entry| Some(entry["actor"]["user"]["uid"].as_str()?.to_owned()))
        .collect()
}
