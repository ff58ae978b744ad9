//! What only the shared store can show: a server that pauses, restarts and keeps its own time.

use super::*;
use crate::clock::SystemClock;
use crate::quota::conformance::{OnServer, PATIENCE};
use crate::quota::quotas::{QuotaOptions, Quotas};
use crate::quota::samples::{self, Findings};
use crate::quota::server::Server;
use crate::quota::terms::{Applied, IfStoreIsDown, OnExceed, Quota, Unit};

fn key(name: &str) -> QuotaKey {
    let applied = samples::applied(Unit::Records, 9, OnExceed::Deny);
    QuotaKey::new(&applied.quota, &samples::who(name))
}

#[tokio::test]
async fn an_address_that_nobody_answers_is_named_without_its_password() {
    for url in ["http://host", "redis", "", "redis://[::1"] {
        let refused = SharedLedger::open(url, PATIENCE).await.unwrap_err();
        assert!(matches!(refused, OpenError::Address), "{refused}");
    }
    let url = "redis://me:secret@127.0.0.1:1/0";
    let refused = SharedLedger::open(url, Duration::from_millis(50))
        .await
        .unwrap_err();
    let text = format!("{refused} {refused:?}");
    assert!(
        text.contains("127.0.0.1:1") && !text.contains("secret"),
        "{text}"
    );
}

#[tokio::test]
async fn keeps_the_time_of_the_server_and_lets_go_of_what_is_over() {
    let Some(server) = Server::start() else {
        return;
    };
    let ledger = SharedLedger::open(&server.url(), PATIENCE).await.unwrap();
    let terms = Terms {
        window: Duration::from_secs(1),
        ..samples::terms(5)
    };
    let taken = ledger
        .take(&key("own time"), &terms, Ask::exactly(5))
        .await
        .unwrap();
    assert_eq!(taken.granted, 5);
    assert_eq!(
        ledger
            .take(&key("own time"), &terms, Ask::exactly(1))
            .await
            .unwrap()
            .granted,
        0
    );
    let mut manager = ledger.connection.manager.clone();
    let (count, _) = keys_of(&key("own time"));
    let expires_ms: i64 = manager.pttl(&count).await.unwrap();
    assert!((1..=1_250).contains(&expires_ms), "{expires_ms}");
    tokio::time::sleep(taken.reset_after.max(taken.good_for + terms.window)).await;
    assert!(!manager.exists::<_, bool>(&count).await.unwrap());
    assert_eq!(
        ledger
            .take(&key("own time"), &terms, Ask::exactly(5))
            .await
            .unwrap()
            .granted,
        5
    );
}

#[tokio::test]
async fn a_list_leaves_no_count_in_use_out_for_those_of_which_nothing_is() {
    let Some(server) = Server::start() else {
        return;
    };
    let ledger = SharedLedger::open(&server.url(), PATIENCE).await.unwrap();
    let terms = samples::terms(9);
    // More than one page of them.
    for number in 0..1_500 {
        let key = key(&format!("number {number}"));
        let taken = ledger.take(&key, &terms, Ask::exactly(1)).await.unwrap();
        if number % 150 != 0 {
            ledger.give_back(&key, taken.mark, 1).await.unwrap();
        }
    }
    let listed = ledger.list(&Filter::default(), 10).await.unwrap();
    assert_eq!(listed.len(), 10);
}

#[tokio::test]
async fn knows_how_many_replicas_live() {
    let Some(store) = OnServer::start() else {
        return;
    };
    let url = store.server.url();
    let one = SharedLedger::open(&url, PATIENCE).await.unwrap();
    let two = SharedLedger::open(&url, PATIENCE).await.unwrap();
    assert_eq!(two.connection.replicas.load(Ordering::Relaxed), 2);
    assert_eq!(one.subject_key(), two.subject_key());
    let ask = Ask {
        need: 0,
        wish: 100,
        partial: true,
    };
    let taken = two
        .take(&key("two"), &samples::terms(100), ask)
        .await
        .unwrap();
    assert_eq!(taken.granted, 25, "a quarter for one of two");
    one.close().await;
    two.connection.beat().await.unwrap();
    assert_eq!(two.connection.replicas.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn goes_on_after_a_restart_that_forgot_the_scripts() {
    let Some(mut store) = OnServer::start() else {
        return;
    };
    let ledger = SharedLedger::open(&store.server.url(), PATIENCE)
        .await
        .unwrap();
    let terms = samples::terms(10);
    assert_eq!(
        ledger
            .take(&key("scripts"), &terms, Ask::exactly(4))
            .await
            .unwrap()
            .used,
        4
    );
    store.server.kill_and_restart();
    let mut used = None;
    for _ in 0..50 {
        match ledger.take(&key("scripts"), &terms, Ask::exactly(1)).await {
            Ok(taken) => {
                used = Some(taken.used);
                break;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    assert_eq!(used, Some(5));
}

async fn quotas(server: &Server, findings: &Arc<Findings>) -> Quotas {
    let ledger = SharedLedger::open(&server.url(), PATIENCE).await.unwrap();
    let mut options = QuotaOptions::new(Arc::new(SystemClock), findings.clone());
    options.deadline = Duration::from_millis(200);
    Quotas::on(Arc::new(ledger), options)
}

fn applied(if_store_is_down: IfStoreIsDown) -> Applied {
    let applied = samples::applied(Unit::Records, 2_000, OnExceed::Deny);
    let name = format!("{if_store_is_down:?}");
    let quota = Quota {
        name,
        if_store_is_down,
        ..(*applied.quota).clone()
    };
    Applied {
        quota: Arc::new(quota),
        ..applied
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_what_the_policy_says() {
    use crate::quota::charging::Shortage::Refuse;
    let Some(server) = Server::start() else {
        return;
    };
    let findings = Arc::new(Findings::default());
    let quotas = quotas(&server, &findings).await;
    let begin = |rule| quotas.begin(&[applied(rule)], &samples::who("ana"));
    let mut denied = begin(IfStoreIsDown::Deny);
    let mut shared = begin(IfStoreIsDown::LocalShare);
    // Each leases a twentieth of 2,000, and one unit.
    for charging in [&mut denied, &mut shared] {
        assert_eq!(charging.due(1, &[], Refuse).await.unwrap().units, 1);
    }
    server.pause();
    assert!(
        denied.due(10, &[], Refuse).await.is_ok(),
        "nobody has noticed yet"
    );
    assert!(
        shared.due(101, &[], Refuse).await.is_err(),
        "that is more than is leased"
    );
    assert!(quotas.is_down());
    assert!(
        denied.due(1, &[], Refuse).await.is_err(),
        "what is leased is not spent"
    );
    assert_eq!(
        shared.due(10, &[], Refuse).await.unwrap().units,
        10,
        "what is leased is spent"
    );
    assert!(shared.due(95, &[], Refuse).await.is_err());
    server.resume();
    for _ in 0..100 {
        if denied.due(1, &[], Refuse).await.is_ok() {
            break;
        }
    }
    assert!(denied.due(50, &[], Refuse).await.is_ok());
    assert!(!quotas.is_down());
    assert_eq!(findings.take(), ["down", "back"]);
}
