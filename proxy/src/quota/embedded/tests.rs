//! What only the embedded store can show: one process, one file, and what becomes of both.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::clock::SystemClock;
use crate::quota::samples::{self, HandClock, folder};
use crate::quota::terms::{Per, Unit};

const CHILD: &str = "POSTERN_QUOTA_CHILD";
const LIMIT: u64 = 1_000_000;

fn key() -> QuotaKey {
    QuotaKey::new(
        &samples::quota(Unit::Records, Per::Identity),
        &samples::who("ana"),
    )
}

fn open(path: &Path) -> Result<EmbeddedLedger, OpenError> {
    EmbeddedLedger::open(path, HandClock::new())
}

#[tokio::test]
async fn a_second_process_is_told_that_the_file_is_in_use() {
    let folder = folder();
    let path = folder.path().join("quotas");
    let ledger = open(&path).unwrap();
    let refused = open(&path).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    ledger.close().await;
    let usage = ledger.usage(&key()).await;
    assert_eq!(usage, Err(StoreError::Unavailable), "it is closed");
    assert!(open(&path).is_ok());
}

#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path().join("quotas");
    drop(open(&path).unwrap());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn refuses_what_is_no_store() {
    let folder = folder();
    let path = folder.path().join("quotas");
    std::fs::write(&path, "quotas: none of this is a database\n".repeat(500)).unwrap();
    let refused = open(&path).unwrap_err();
    assert!(matches!(refused, OpenError::NotAStore { .. }), "{refused}");
    let refused = open(&folder.path().join("no such folder").join("quotas")).unwrap_err();
    assert!(matches!(refused, OpenError::File { .. }), "{refused}");
}

/// A file whose disk fails from a moment on.
#[derive(Debug)]
struct FailingDisk {
    disk: redb::backends::InMemoryBackend,
    failing: Arc<std::sync::atomic::AtomicBool>,
}

impl redb::StorageBackend for FailingDisk {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        if self.failing.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(std::io::Error::other("the disk is gone"));
        }
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.disk.write(offset, data)
    }
}

#[tokio::test]
async fn a_commit_that_fails_ends_all_trust() {
    let failing = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let disk = FailingDisk {
        disk: redb::backends::InMemoryBackend::new(),
        failing: Arc::clone(&failing),
    };
    let database = Database::builder().create_with_backend(disk).unwrap();
    let ledger = EmbeddedLedger::on(database, HandClock::new()).unwrap();
    let terms = samples::terms(10);
    assert!(ledger.take(&key(), &terms, Ask::exactly(1)).await.is_ok());
    failing.store(true, std::sync::atomic::Ordering::SeqCst);
    let failed = ledger.take(&key(), &terms, Ask::exactly(1)).await;
    assert_eq!(failed, Err(StoreError::Unavailable));
    failing.store(false, std::sync::atomic::Ordering::SeqCst);
    let after = ledger.take(&key(), &terms, Ask::exactly(1)).await;
    assert_eq!(
        after,
        Err(StoreError::Poisoned),
        "the disk is back; the trust is not"
    );
}

#[tokio::test]
async fn counts_that_are_over_are_swept_away() {
    let folder = folder();
    let clock = HandClock::new();
    let path = folder.path().join("quotas");
    let ledger = EmbeddedLedger::open(&path, clock.clone()).unwrap();
    let terms = samples::terms(10);
    let quota = samples::quota(Unit::Records, Per::Identity);
    let key = |name: &str| QuotaKey::new(&quota, &samples::who(name));
    let people = [Subject::Known(1), Subject::Known(2)];
    for number in 0..40 {
        let key = key(&number.to_string());
        let admitted = ledger
            .admit(&key, &terms, &people, AdmitMode::AllOrNothing)
            .await;
        assert_eq!(admitted.unwrap().admitted, 2);
    }
    clock.pass(terms.window * 3);
    for _ in 0..20 {
        ledger
            .take(&key("other"), &terms, Ask::exactly(0))
            .await
            .unwrap();
    }
    let rows = ledger.writer.ask(|pages| pages.rows()).await.unwrap();
    assert_eq!(rows, [1, 0, 0], "books, data subjects, and these by time");
}

/// Takes without end, and says each time how much was granted. It runs in a process of its own.
#[test]
fn child_that_takes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ledger = EmbeddedLedger::open(Path::new(&path), Arc::new(SystemClock)).unwrap();
        let mut out = std::io::stdout();
        loop {
            let asks = (0..8).map(|_| async {
                let (key, terms) = (key(), samples::terms(LIMIT));
                ledger
                    .take(&key, &terms, Ask::exactly(3))
                    .await
                    .unwrap()
                    .granted
            });
            let granted: u64 = futures::future::join_all(asks).await.iter().sum();
            writeln!(out, "granted {granted}").unwrap();
            out.flush().unwrap();
        }
    });
}

#[tokio::test]
async fn what_was_granted_survives_a_kill() {
    let folder = folder();
    let path = folder.path().join("quotas");
    let mut granted = 0;
    for kill_after in [40, 1, 15] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "quota::embedded::tests::child_that_takes_until_it_is_killed",
            ])
            .arg("--nocapture")
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("granted ")?.parse::<u64>().ok());
        granted += said.by_ref().take(kill_after).sum::<u64>();
        child.kill().unwrap();
        granted += said.sum::<u64>();
        child.wait().unwrap();
        let ledger = EmbeddedLedger::open(&path, Arc::new(SystemClock)).unwrap();
        let used = ledger.usage(&key()).await.unwrap().used;
        assert!(
            granted > 0 && used >= granted,
            "{used} counted, {granted} granted"
        );
        assert!(
            used <= granted + 24 * 3,
            "only what was in flight is charged beyond"
        );
        granted = used;
        ledger.close().await;
    }
}
