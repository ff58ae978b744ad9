//! What witnesses are asked while one of them is away, and what that leaves in the log's folder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postern_audit::{KeyKind, Note, Signer, SystemDisk, VerifierKey, Witness};

use crate::origin::{Answer, Origin};
use crate::postern::{Setting, start_there};

fn signer(name: &str) -> Signer {
    Signer::from_seed(name, KeyKind::Witness, &[7; 32]).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// A witness of a log over HTTP.
async fn witness(key: &str, log: &str, folder: &std::path::Path) -> Origin {
    let logs = vec![VerifierKey::parse(log).unwrap()];
    let disk = SystemDisk::new(folder.to_path_buf());
    let witness = Witness::new(signer(key), logs, Arc::new(disk));
    Origin::answering(move |request| {
        let answer = witness.add_checkpoint(body(request).as_bytes(), now());
        Answer::raw(format!(
            "HTTP/1.1 {} Answered\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
            answer.status,
            answer.content_type,
            answer.body.len(),
            answer.body
        ))
    })
    .await
}

fn body(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// How often each head was taken to a witness.
fn heads(witness: &Origin) -> BTreeMap<String, usize> {
    let mut heads = BTreeMap::new();
    for request in witness.requests() {
        let body = body(request.as_bytes());
        let note = Note::parse(body.split_once("\n\n").unwrap().1.as_bytes()).unwrap();
        *heads.entry(note.text().to_owned()).or_default() += 1;
    }
    heads
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_cosigned_a_head_is_not_asked_again_while_another_is_away() {
    let origin = Origin::answering(|_request| Answer::json("{}")).await;
    let mut setting = Setting {
        audit: "{ checkpoint: 100ms }".to_owned(),
        ..Setting::default()
    };
    let stage = start_there(tempfile::tempdir().unwrap(), &setting, origin.address()).await;
    stage.running.shutdown().await;
    let folder = stage.folder;
    let log = folder.path().join("state/audit");
    let log_key = std::fs::read_to_string(log.join("keys/log.vkey")).unwrap();
    let seen = tempfile::tempdir().unwrap();
    let live = witness("live.example", log_key.trim(), seen.path()).await;
    let unavailable = "HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n";
    let away = Origin::answering(move |_request| Answer::raw(unavailable)).await;
    setting.audit = format!(
        "{{ checkpoint: 100ms, witnesses: [ {{ url: 'http://{}', key: '{}' }}, {{ url: 'http://{}', key: '{}' }} ] }}",
        live.address(),
        signer("live.example").key(),
        away.address(),
        signer("away.example").key(),
    );
    let stage = start_there(folder, &setting, origin.address()).await;
    away.asked(12).await;
    stage.running.shutdown().await;

    let (live, away) = (heads(&live), heads(&away));
    assert!(away.values().any(|times| *times > 3), "{away:?}");
    // Before the log is opened, and once for its cosignature.
    assert!(live.values().all(|times| *times <= 2), "{live:?}");
    let cosigned = std::fs::read(log.join(".state/cosigned"));
    let note = Note::parse(&cosigned.unwrap()).unwrap();
    let mut names: Vec<&str> = note
        .signatures()
        .iter()
        .map(|line| line.name.as_str())
        .collect();
    assert!(names.contains(&"live.example"), "{names:?}");
    let lines = names.len();
    names.dedup();
    assert_eq!(names.len(), lines, "{names:?}");
}
