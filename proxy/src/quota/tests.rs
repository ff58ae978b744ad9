//! What an exchange is promised, on the embedded store.

mod outage;

use std::sync::Arc;
use std::time::Duration;

use super::charging::{DueSubject, QuotaError, Shortage};
use super::embedded::EmbeddedLedger;
use super::key::{Filter, QuotaKey, Who};
use super::ledger::Subject;
use super::quotas::{QuotaOptions, Quotas};
use super::samples::{self, Findings, HandClock, applied, who};
use super::terms::{Applied, OnExceed, Per, Quota, Unit};

use Shortage::{Cut, Refuse};

struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
    findings: Arc<Findings>,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: samples::folder(),
            clock: HandClock::new(),
            findings: Arc::default(),
        }
    }

    fn open(&self) -> Quotas {
        let path = self.folder.path().join("quotas");
        let ledger = EmbeddedLedger::open(&path, self.clock.clone()).unwrap();
        let mut options = QuotaOptions::new(self.clock.clone(), self.findings.clone());
        options.deadline = Duration::from_secs(20);
        Quotas::on(Arc::new(ledger), options)
    }
}

fn per_tenant(unit: Unit, limit: u64, on_exceed: OnExceed) -> Applied {
    let name = format!("{} of all", unit.word());
    let quota = Quota {
        name,
        on_exceed,
        ..samples::quota(unit, Per::Tenant)
    };
    Applied {
        quota: Arc::new(quota),
        limit,
    }
}

fn people(hashes: impl IntoIterator<Item = u64>) -> Vec<DueSubject> {
    let known = |(record, hash)| DueSubject {
        record: Some(record),
        subject: Subject::Known(hash),
    };
    (0..).zip(hashes).map(known).collect()
}

async fn used(quotas: &Quotas, applied: &Applied, subject: &str) -> u64 {
    let key = QuotaKey::new(&applied.quota, &who(subject));
    quotas.usage(&key).await.unwrap().used
}

#[tokio::test]
async fn single_reads_and_one_export_drain_the_same_quota() {
    let bench = Bench::new();
    let quotas = bench.open();
    let records = applied(Unit::Records, 600, OnExceed::Deny);
    for _ in 0..300 {
        let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
        exchange.requests(true).await.map(drop).unwrap();
        assert_eq!(exchange.due(1, &[], Refuse).await.unwrap().units, 1);
    }
    let mut export = quotas.begin(std::slice::from_ref(&records), &who("Ana"));
    assert!(export.due(301, &[], Refuse).await.is_err());
    assert_eq!(export.due(300, &[], Refuse).await.unwrap().units, 300);
    let mut next = quotas.begin(std::slice::from_ref(&records), &who("ANA"));
    let Err(QuotaError::Exceeded(exceeded)) = next.requests(true).await else {
        panic!("nothing is left");
    };
    assert_eq!((exceeded.used, exceeded.applied.limit), (600, 600));
    assert!(exceeded.reset_after >= Duration::from_secs(3_600));
    let mut other = quotas.begin(&[records], &who("bob"));
    assert!(other.due(600, &[], Refuse).await.is_ok());
}

#[tokio::test]
async fn one_person_fetched_three_hundred_times_costs_one() {
    let bench = Bench::new();
    let quotas = bench.open();
    let subjects = applied(Unit::Subjects, 2, OnExceed::Deny);
    for _ in 0..300 {
        let mut exchange = quotas.begin(std::slice::from_ref(&subjects), &who("ana"));
        exchange
            .due(1, &people([7]), Refuse)
            .await
            .map(drop)
            .unwrap();
    }
    assert_eq!(used(&quotas, &subjects, "ana").await, 1);
    let mut exchange = quotas.begin(&[subjects], &who("ana"));
    assert!(exchange.due(3, &people([7, 8, 9]), Refuse).await.is_err());
    assert!(exchange.due(2, &people([7, 8]), Refuse).await.is_ok());
}

#[tokio::test]
async fn all_quotas_are_charged_or_none() {
    let bench = Bench::new();
    let quotas = bench.open();
    let own = applied(Unit::Records, 100, OnExceed::Deny);
    let all = per_tenant(Unit::Records, 30, OnExceed::Deny);
    let seen = applied(Unit::Subjects, 100, OnExceed::Deny);
    let seen_by_all = per_tenant(Unit::Subjects, 5, OnExceed::Deny);
    let set = [own.clone(), all.clone(), seen.clone(), seen_by_all];
    let mut exchange = quotas.begin(&set, &who("ana"));
    assert!(exchange.due(31, &[], Refuse).await.is_err());
    assert!(exchange.due(20, &people(0..6), Refuse).await.is_err());
    quotas.drain().await;
    for applied in [&own, &all, &seen] {
        assert_eq!(
            used(&quotas, applied, "ana").await,
            0,
            "{}",
            applied.quota.name
        );
    }
    assert!(exchange.due(20, &people(0..5), Refuse).await.is_ok());
    exchange.undo().await;
    exchange.undo().await;
    quotas.drain().await;
    assert_eq!(used(&quotas, &own, "ana").await, 0);
    assert_eq!(used(&quotas, &all, "ana").await, 0);
}

#[tokio::test]
async fn refused_bytes_take_back_the_records_in_them_and_none_that_left_before() {
    let bench = Bench::new();
    let quotas = bench.open();
    let records = applied(Unit::Records, 100, OnExceed::Deny);
    let bytes = applied(Unit::Bytes, 250, OnExceed::Deny);
    let set = [records.clone(), bytes.clone()];
    let mut exchange = quotas.begin(&set, &who("ana"));
    exchange.due(3, &[], Refuse).await.map(drop).unwrap();
    exchange.bytes(200).await.map(drop).unwrap();
    exchange.due(2, &[], Refuse).await.map(drop).unwrap();
    let Err(QuotaError::Exceeded(exceeded)) = exchange.bytes(100).await else {
        panic!("fifty are left");
    };
    assert_eq!((exceeded.left, exceeded.needed), (50, 100));
    exchange.undo().await;
    quotas.drain().await;
    assert_eq!(used(&quotas, &records, "ana").await, 3);
    assert_eq!(used(&quotas, &bytes, "ana").await, 200);
    exchange.due(1, &[], Refuse).await.map(drop).unwrap();
    for _ in 0..2 {
        exchange.bytes(20).await.map(drop).unwrap();
    }
    assert!(exchange.bytes(20).await.is_err());
    exchange.undo().await;
    quotas.drain().await;
    assert_eq!(used(&quotas, &records, "ana").await, 4, "it left before");
    assert_eq!(used(&quotas, &bytes, "ana").await, 240, "so did these");
}

#[tokio::test]
async fn says_what_subjects_cost_and_not_how_often_they_are_named() {
    let bench = Bench::new();
    let quotas = bench.open();
    let subjects = applied(Unit::Subjects, 9, OnExceed::Deny);
    let mut exchange = quotas.begin(&[subjects], &who("ana"));
    for (hashes, cost) in [(vec![1, 2, 1], 2), (vec![1, 2], 0), (vec![2, 3], 1)] {
        let due = people(hashes);
        let granted = exchange.due(3, &due, Refuse).await.unwrap();
        assert_eq!(granted.subjects, cost);
    }
}

#[tokio::test]
async fn cuts_to_the_longest_run_that_all_allow() {
    let bench = Bench::new();
    let quotas = bench.open();
    let own = applied(Unit::Records, 40, OnExceed::Truncate);
    let seen = applied(Unit::Subjects, 10, OnExceed::Truncate);
    let all = per_tenant(Unit::Records, 25, OnExceed::Deny);
    let set = [all.clone(), own.clone(), seen.clone()];
    let mut exchange = quotas.begin(&set, &who("ana"));
    let granted = exchange
        .due(20, &people((0..12).chain(0..8)), Cut)
        .await
        .unwrap();
    assert_eq!(granted.units, 10, "the eleventh names one too many");
    assert_eq!(granted.cut.unwrap().applied, seen);
    let granted = exchange.due(16, &people(0..10), Cut).await;
    assert!(granted.is_err(), "15 are left of a quota that does not cut");
    assert_eq!(
        exchange.due(15, &people(0..10), Cut).await.unwrap().units,
        15
    );
    quotas.drain().await;
    for applied in [&own, &all] {
        assert_eq!(used(&quotas, applied, "ana").await, 25);
    }
    let mut alone = quotas.begin(std::slice::from_ref(&own), &who("ana"));
    let granted = alone.due(20, &[], Cut).await.unwrap();
    assert_eq!((granted.units, granted.cut.unwrap().applied), (15, own));
    let granted = alone.due(20, &[], Cut).await.unwrap();
    assert_eq!(granted.units, 0);
}

#[tokio::test]
async fn an_alert_never_refuses_and_is_told_once() {
    let bench = Bench::new();
    let quotas = bench.open();
    let mut records = applied(Unit::Records, 10, OnExceed::Alert);
    let quota = Quota {
        warn_at: Some(80),
        ..(*records.quota).clone()
    };
    records.quota = Arc::new(quota);
    let mut exchange = quotas.begin(&[records], &who("ana"));
    exchange.due(7, &[], Refuse).await.map(drop).unwrap();
    assert!(bench.findings.take().is_empty());
    exchange.due(2, &[], Refuse).await.map(drop).unwrap();
    assert_eq!(bench.findings.take(), ["warned"]);
    for _ in 0..5 {
        exchange.requests(true).await.map(drop).unwrap();
        exchange.due(9, &[], Refuse).await.map(drop).unwrap();
    }
    assert_eq!(bench.findings.take(), ["exceeded"]);
}

#[tokio::test]
async fn a_lease_does_not_outlive_its_bucket() {
    let bench = Bench::new();
    let quotas = bench.open();
    let records = applied(Unit::Records, 1_000, OnExceed::Deny);
    let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
    let granted = exchange.due(1, &[], Refuse).await.unwrap();
    assert_eq!(used(&quotas, &records, "ana").await, 51, "fifty are leased");
    let end = granted.leave_before.unwrap();
    assert!(exchange.has_time(granted.leave_before));
    bench.clock.pass(Duration::from_secs(3_600 / 24));
    assert!(!exchange.has_time(granted.leave_before));
    let granted = exchange.due(1, &[], Refuse).await.unwrap();
    assert!(granted.leave_before.unwrap() > end);
    assert_eq!(
        used(&quotas, &records, "ana").await,
        52,
        "the old lease was returned"
    );
    quotas.drain().await;
    assert_eq!(used(&quotas, &records, "ana").await, 2);
}

#[tokio::test]
async fn what_a_strict_role_may_not_spend_a_wide_one_did_not_lease_for_it() {
    let bench = Bench::new();
    let quotas = bench.open();
    let wide = applied(Unit::Records, 1_000, OnExceed::Deny);
    let strict = Applied {
        limit: 20,
        ..wide.clone()
    };
    let mut lead = quotas.begin(&[wide], &who("ana"));
    lead.due(19, &[], Refuse).await.map(drop).unwrap();
    let mut agent = quotas.begin(&[strict], &who("ana"));
    assert!(
        agent.due(2, &[], Refuse).await.is_err(),
        "one is left, and fifty are leased"
    );
}

#[tokio::test]
async fn a_restart_refills_nothing() {
    let bench = Bench::new();
    let records = applied(Unit::Records, 10, OnExceed::Deny);
    let mut granted = 0;
    for _ in 0..12 {
        let quotas = bench.open();
        let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
        granted += exchange
            .due(1, &[], Refuse)
            .await
            .map_or(0, |granted| granted.units);
        // No drain: the process is gone.
        quotas.shared_ledger().close().await;
    }
    assert_eq!(granted, 10);
}

#[tokio::test]
async fn operators_see_and_reset_what_is_in_use() {
    let bench = Bench::new();
    let quotas = bench.open();
    let records = applied(Unit::Records, 40, OnExceed::Deny);
    let set = [
        records.clone(),
        per_tenant(Unit::Bytes, 4_000, OnExceed::Deny),
    ];
    let someone = Who {
        tenant: Some("north"),
        ..who("ana")
    };
    let mut exchange = quotas.begin(&set, &someone);
    exchange.due(40, &[], Refuse).await.map(drop).unwrap();
    exchange.bytes(100).await.map(drop).unwrap();
    let ana = Filter {
        quota: None,
        who: Some("ANA".to_owned()),
    };
    let mine = quotas.list(&ana).await.unwrap();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0].usage.used, 40);
    assert_eq!(quotas.list(&Filter::default()).await.unwrap().len(), 2);
    let standing = exchange.standing();
    assert_eq!((standing[0].remaining, standing[1].remaining), (0, 3_900));
    assert!(exchange.due(1, &[], Refuse).await.is_err());
    assert!(quotas.reset(&mine[0].key).await.unwrap());
    assert!(exchange.due(40, &[], Refuse).await.is_ok());
    assert!(exchange.due(1, &[], Refuse).await.is_err());
}

#[tokio::test]
async fn clients_that_go_away_lose_nothing_of_what_was_granted() {
    let bench = Bench::new();
    let quotas = bench.open();
    let records = applied(Unit::Records, 10, OnExceed::Deny);
    for _ in 0..50 {
        let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
        tokio::select! {
            biased;
            granted = exchange.due(5, &[], Refuse) => panic!("nobody waited for {granted:?}"),
            () = std::future::ready(()) => {}
        }
    }
    // The ledger answers one after the other; the last is behind all of them.
    let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
    assert!(exchange.due(10, &[], Refuse).await.is_ok());
}

#[tokio::test]
async fn what_stays_is_looked_at_again_where_records_are_in_each_other() {
    let bench = Bench::new();
    let quotas = bench.open();
    let subjects = applied(Unit::Subjects, 1, OnExceed::Truncate);
    let mut exchange = quotas.begin(&[subjects], &who("ana"));
    let named = |record, hash| DueSubject {
        record: Some(record),
        subject: Subject::Known(hash),
    };
    // A record inside of the second names somebody before that one does.
    let due = [named(0, 7), named(2, 8), named(1, 9)];
    let granted = exchange.due(3, &due, Cut).await.unwrap();
    assert_eq!(granted.units, 1);
}
