//! What counting costs while a lease is warm. It asserts nothing about time; it shows it:
//! `cargo test -p postern-proxy --lib --config profile.dev.package.postern-proxy.opt-level=3 quota::speed
//! -- --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::charging::Shortage;
use super::embedded::EmbeddedLedger;
use super::quotas::{QuotaOptions, Quotas};
use super::samples::{self, Findings, applied};
use super::terms::{LIMIT_MAX, OnExceed, Unit};
use crate::clock::{Clock as _, SystemClock};

/// For how long each row is measured.
const EACH: Duration = Duration::from_millis(300);

fn quotas(folder: &tempfile::TempDir) -> Quotas {
    let clock = Arc::new(SystemClock);
    let path = folder.path().join("quotas");
    let ledger = EmbeddedLedger::open(&path, clock.clone()).unwrap();
    let mut options = QuotaOptions::new(clock, Arc::new(Findings::default()));
    options.deadline = Duration::from_secs(20);
    Quotas::on(Arc::new(ledger), options)
}

/// The time that processors have spent on this process, in nanoseconds: what else the machine does is no
/// part of it. None where the system does not say.
fn processor_ns() -> Option<u128> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u128>().ok()?;
    }
    Some(sum)
}

/// Charges records one by one, for this many identities at once, and says how many went through.
async fn charge(quotas: &Quotas, identities: u64) -> (u64, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let total = Arc::new(AtomicU64::new(0));
    let began = SystemClock.monotonic();
    let tasks: Vec<_> = (0..identities)
        .map(|identity| {
            let quotas = quotas.clone();
            let (stop, total) = (Arc::clone(&stop), Arc::clone(&total));
            tokio::spawn(async move {
                let name = format!("identity {identity}");
                let set = [applied(Unit::Records, LIMIT_MAX, OnExceed::Deny)];
                let mut exchange = quotas.begin(&set, &samples::who(&name));
                let mut charged = 0;
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..1_000 {
                        exchange
                            .due(1, &[], Shortage::Refuse)
                            .await
                            .map(drop)
                            .unwrap();
                    }
                    charged += 1_000;
                    tokio::task::yield_now().await;
                }
                total.fetch_add(charged, Ordering::Relaxed);
            })
        })
        .collect();
    tokio::time::sleep(EACH).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    (
        total.load(Ordering::Relaxed),
        SystemClock.monotonic() - began,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_what_a_record_costs_while_a_lease_is_warm() {
    let folder = samples::folder();
    let quotas = quotas(&folder);
    for identities in [1, 2, 4, 8, 16, 32, 64] {
        // Once to warm the leases up, once to measure.
        charge(&quotas, identities).await;
        let before = processor_ns();
        let (charged, took) = charge(&quotas, identities).await;
        let spent_ns = processor_ns()
            .zip(before)
            .map(|(after, before)| after - before);
        let each_ns = spent_ns.unwrap_or(took.as_nanos()) / u128::from(charged);
        let per_second = u128::from(charged) * 1_000_000_000 / took.as_nanos();
        println!(
            "{identities:>3} identities: {each_ns} ns of a processor per record, {per_second} records/s"
        );
        assert!(charged > 0);
    }
}
