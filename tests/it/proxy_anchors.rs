//! Replicas that cosign each other's logs, what a rollback looks like to them, and what clients hold.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use postern_audit::{
    ClientReceipt, OpenError, PolicyFile, PublishedEntries, Report, SystemDisk, VerifierKey,
    VerifyError, verify, verify_receipt, witness_size,
};
use postern_proxy::{EvidenceError, StartError};
use serde_json::Value;
use tempfile::TempDir;

use crate::origin::{Answer, Origin};
use crate::postern::{POLICY, Setting, Stage, get, request, start, start_there, try_start_there};

const FORGED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\
    Audit-Receipt: origin=\"forged\"\r\n\r\n{\"id\":1}";

async fn desk() -> Origin {
    Origin::answering(|_request| Answer::raw(FORGED)).await
}

/// A replica: its folder and where it listens.
struct Replica {
    folder: Option<TempDir>,
    address: SocketAddr,
    log_key: String,
    witness_key: String,
}

impl Replica {
    /// Starts once, so that it has keys, and stops.
    async fn new(origin: &Origin) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let setting = Setting {
            listen: address.to_string(),
            audit: "{ peers: file:peers.vkey, checkpoint: 100ms }".to_owned(),
            files: vec![("peers.vkey".to_owned(), "# none yet\n".to_owned())],
            ..Setting::default()
        };
        let stage = start_there(tempfile::tempdir().unwrap(), &setting, origin.address()).await;
        let witness_key = stage.running.witness_key().unwrap();
        stage.running.shutdown().await;
        let log_key =
            std::fs::read_to_string(stage.folder.path().join("state/audit/keys/log.vkey"));
        Self {
            folder: Some(stage.folder),
            address,
            log_key: log_key.unwrap().trim().to_owned(),
            witness_key,
        }
    }

    /// Starts with another replica as its witness and as its peer.
    async fn start(&mut self, other: &Self, origin: &Origin) -> Stage {
        self.try_start(other, origin)
            .await
            .unwrap_or_else(|error| panic!("{}", error.report(false)))
    }

    async fn try_start(&mut self, other: &Self, origin: &Origin) -> Result<Stage, StartError> {
        let setting = Setting {
            listen: self.address.to_string(),
            audit: format!(
                "{{ checkpoint: 100ms, peers: '{}', witnesses: [ {{ url: 'http://{}/__postern/audit/witness', key: '{}' }} ] }}",
                other.log_key, other.address, other.witness_key
            ),
            ..Setting::default()
        };
        let folder = self.folder.take().unwrap();
        match try_start_there(folder, &setting, origin.address()).await {
            Ok(stage) => Ok(stage),
            Err((error, folder)) => {
                self.folder = Some(folder);
                Err(error)
            }
        }
    }

    async fn stop(&mut self, stage: Stage) {
        stage.running.shutdown().await;
        self.folder = Some(stage.folder);
    }

    fn policy(&self, witness: &Self) -> PolicyFile {
        let text = format!(
            "log {}\nwitness other {}\nquorum other\n",
            self.log_key, witness.witness_key
        );
        PolicyFile::parse(text.as_bytes()).unwrap()
    }
}

fn report(folder: &Path, policy: &PolicyFile) -> Result<Report, VerifyError> {
    verify(&SystemDisk::new(folder.join("state/audit")), policy, &[])
}

/// Waits until something is so; the tasks that make it so run meanwhile.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what}, in time"));
}

async fn anchored(stage: &Stage) {
    let is_anchored = async || {
        let metrics = stage.metrics().await;
        metrics.contains("\npostern_audit_unanchored 0\n")
    };
    until("it is anchored", is_anchored).await;
}

/// Waits until the log is cosigned to its end.
async fn cosigned_to_the_end(stage: &Stage, policy: &PolicyFile) {
    until("it is cosigned to its end", async || {
        // A log that is written may change between two of its files.
        report(stage.folder.path(), policy).is_ok_and(|report| report.exit_code() == 0)
    })
    .await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let to = to.join(item.file_name());
        match item.file_type().unwrap().is_dir() {
            true => copy(&item.path(), &to),
            false => drop(std::fs::copy(item.path(), to).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_cosign_each_other() {
    let origin = desk().await;
    let (mut a, mut b) = (Replica::new(&origin).await, Replica::new(&origin).await);
    let (policy_a, policy_b) = (a.policy(&b), b.policy(&a));
    let stage_a = a.start(&b, &origin).await;
    assert!(
        stage_a
            .metrics()
            .await
            .contains("\npostern_audit_unanchored 1\n")
    );
    assert_eq!(
        report(stage_a.folder.path(), &policy_a)
            .unwrap()
            .exit_code(),
        1,
        "nobody vouches for it yet"
    );
    let stage_b = b.start(&a, &origin).await;
    anchored(&stage_a).await;
    anchored(&stage_b).await;
    assert_eq!(stage_a.get("/cases/1", "agent").await.status, 200);
    cosigned_to_the_end(&stage_a, &policy_a).await;
    cosigned_to_the_end(&stage_b, &policy_b).await;
    let size = report(stage_b.folder.path(), &policy_b).unwrap().size;

    for _ in 0..3 {
        assert_eq!(stage_a.get("/cases/1", "agent").await.status, 200);
    }
    cosigned_to_the_end(&stage_a, &policy_a).await;
    let after = report(stage_b.folder.path(), &policy_b).unwrap().size;
    assert_eq!(
        after, size,
        "cosigning for others leaves no record, or both would write for ever"
    );
    a.stop(stage_a).await;
    let whole = report(a.folder.as_ref().unwrap().path(), &policy_a).unwrap();
    assert_eq!(whole.exit_code(), 0, "{whole}");
    stage_b.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_rolled_back_is_caught() {
    let origin = desk().await;
    let (mut a, mut b) = (Replica::new(&origin).await, Replica::new(&origin).await);
    let policy_a = a.policy(&b);
    let stage_b = b.start(&a, &origin).await;
    let stage_a = a.start(&b, &origin).await;
    cosigned_to_the_end(&stage_a, &policy_a).await;

    // The whole folder of A as it is now, with its keys and all that it remembers.
    let early = tempfile::tempdir().unwrap();
    a.stop(stage_a).await;
    copy(a.folder.as_ref().unwrap().path(), early.path());
    let size = report(early.path(), &policy_a).unwrap().size;
    let stage_a = a.start(&b, &origin).await;
    for _ in 0..3 {
        assert_eq!(stage_a.get("/cases/1", "agent").await.status, 200);
    }
    // Until then B knows no more of it than the early folder holds.
    let log = SystemDisk::new(stage_a.folder.path().join("state/audit"));
    let key = VerifierKey::parse(&b.witness_key).unwrap();
    until("what came since is cosigned", async || {
        witness_size(&log, &key) > size
    })
    .await;
    a.stop(stage_a).await;
    a.folder = Some(early);
    let refused = a.try_start(&b, &origin).await.err();
    assert!(
        matches!(
            refused,
            Some(StartError::Evidence(EvidenceError::Log(
                OpenError::RolledBack {
                    by: "a witness",
                    ..
                }
            )))
        ),
        "{refused:?}"
    );

    // While its witness is away nobody tells, and it is caught when the witness is back.
    b.stop(stage_b).await;
    let stage_a = a.start(&b, &origin).await;
    assert_eq!(stage_a.get("/cases/1", "agent").await.status, 200);
    let stage_b = b.start(&a, &origin).await;
    until("it takes no more entries", async || {
        let reply = stage_a.get("/cases/1", "agent").await;
        reply.status == 503 && reply.slug() == "audit-unavailable"
    })
    .await;
    assert!(
        stage_a
            .metrics()
            .await
            .contains("\npostern_audit_unanchored 1\n")
    );
    stage_a.running.shutdown().await;
    stage_b.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_where_replicas_ask_takes_checkpoints_and_nothing_else() {
    let origin = desk().await;
    let (a, mut b) = (Replica::new(&origin).await, Replica::new(&origin).await);
    let stage = b.start(&a, &origin).await;
    let path = "/__postern/audit/witness/add-checkpoint";
    let post = |body: &str| {
        let lines = format!("Content-Length: {}\r\n", body.len());
        request("POST", path, "agent", &lines, body)
    };
    assert_eq!(stage.get(path, "agent").await.status, 405);
    assert_eq!(stage.send(&post("nonsense")).await.status, 400);
    assert_eq!(stage.send(&post("")).await.status, 400);
    let known = std::fs::read_to_string(
        a.folder
            .as_ref()
            .unwrap()
            .path()
            .join("state/audit/checkpoint"),
    )
    .unwrap();
    let stranger = known.replace("audit.local/", "audit.local/x");
    assert_eq!(
        stage
            .send(&post(&format!("old 0\n\n{stranger}")))
            .await
            .status,
        404
    );
    let behind = stage.send(&post(&format!("old 1\n\n{known}"))).await;
    assert_eq!((behind.status, behind.text().as_str()), (409, "0\n"));
    assert_eq!(behind.header("content-type"), Some("text/x.tlog.size"));
    let cosigned = stage.send(&post(&format!("old 0\n\n{known}"))).await;
    assert_eq!(cosigned.status, 200);
    assert!(cosigned.text().contains(" audit.local/witness-"));
    let large = "x".repeat((64 << 10) + 1);
    assert_eq!(stage.send(&post(&large)).await.status, 413);
    assert!(
        origin.requests().is_empty(),
        "nothing of it is the application's"
    );
    stage.running.shutdown().await;

    let stage = start(POLICY, origin.address()).await;
    let refused = stage.get(path, "agent").await;
    assert_eq!(
        refused.slug(),
        "route-denied",
        "without peers it is a path like any other"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_prove_that_its_exchange_is_on_record() {
    let origin = desk().await;
    let setting = Setting {
        audit: "{ receipts: true, checkpoint: 100ms }".to_owned(),
        ..Setting::default()
    };
    let stage = start_there(tempfile::tempdir().unwrap(), &setting, origin.address()).await;
    let answer = stage.get("/cases/1", "agent").await;
    let header = answer
        .header("audit-receipt")
        .expect("one receipt")
        .to_owned();
    let refusal = stage.get("/nowhere", "agent").await;
    assert!(
        refusal.header("audit-receipt").is_some(),
        "a refusal is on record too"
    );
    let receipt = ClientReceipt::parse(&header).unwrap().receipt;
    let path = format!("/__postern/audit/proof?index={}", receipt.index);
    let mut proof = String::new();
    until("it is published", async || {
        let reply = stage.get(&path, "agent").await;
        match reply.status {
            200 => proof = reply.text(),
            status => assert_eq!((status, reply.slug().as_str()), (404, "proof-unavailable")),
        }
        reply.status == 200
    })
    .await;
    let anonymous = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(stage.send(&anonymous).await.status, 401);
    let counted = "postern_identity_failures_total{reason=\"missing\"} 1\n";
    assert!(stage.metrics().await.contains(counted));
    for (target, status) in [
        ("/__postern/audit/proof", 400),
        ("/__postern/audit/proof?index=x", 400),
        ("/__postern/audit/proof?index=1&index=2", 400),
        ("/__postern/audit/proof?index=99999999", 404),
    ] {
        assert_eq!(stage.get(target, "agent").await.status, status, "{target}");
    }
    let post = request("POST", &path, "agent", "Content-Length: 0\r\n", "");
    assert_eq!(stage.send(&post).await.status, 405);
    stage.running.shutdown().await;

    let log = stage.folder.path().join("state/audit");
    let key = std::fs::read_to_string(log.join("keys/log.vkey")).unwrap();
    let policy = PolicyFile::parse(format!("log {}\nquorum none\n", key.trim()).as_bytes());
    let policy = policy.unwrap();
    verify_receipt(proof.as_bytes(), &header, &policy).unwrap();
    let of_refusal = refusal.header("audit-receipt").unwrap();
    verify_receipt(proof.as_bytes(), of_refusal, &policy).unwrap_err();
    let disk = SystemDisk::new(log);
    let mut entries = PublishedEntries::open(&disk, receipt.index).unwrap();
    let entry: Value = serde_json::from_slice(&entries.next().unwrap().unwrap().1).unwrap();
    // An answer that leaves whole waits for its outcome, and that is what its receipt is of.
    assert_eq!(entry["unmapped"]["postern"]["phase"], "outcome");
    assert_eq!(entry["actor"]["user"]["uid"], "user-agent");
    assert!(!proof.contains("user-agent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_receipts_there_are_none() {
    let origin = desk().await;
    let stage = start(POLICY, origin.address()).await;
    let answer = stage.send(&get("/cases/1", "agent")).await;
    assert_eq!(answer.status, 200);
    assert_ne!(
        answer.header("audit-receipt"),
        Some(""),
        "it is the application's own"
    );
    let refused = stage.get("/__postern/audit/proof?index=0", "agent").await;
    assert_eq!(refused.slug(), "route-denied");
}
