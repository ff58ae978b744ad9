//! Promises about what outlasts what: ends, clocks, resets, and what operators are shown.

use std::time::Duration;

use super::{Store, key, promises, take};
use crate::quota::key::{Filter, QuotaKey};
use crate::quota::ledger::{AdmitMode, Subject};
use crate::quota::samples::terms;

promises![
    an_end_forgets_nothing,
    a_wall_clock_set_back_frees_nothing,
    time_goes_on_after_an_end,
    a_reset_begins_anew,
    what_was_leased_before_a_reset_is_void,
    lists_what_is_in_use,
    what_nobody_used_is_empty,
];

async fn an_end_forgets_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (units, people, terms) = (key("end"), key("end of people"), terms(10));
    let hashed_with = ledger.subject_key();
    let taken = take(&*ledger, &units, &terms, 10).await;
    let row: Vec<Subject> = (0..10).map(Subject::Known).collect();
    let admission = ledger
        .admit(&people, &terms, &row, AdmitMode::AllOrNothing)
        .await;
    assert_eq!(admission.unwrap().admitted, 10);
    store.end(ledger).await;

    let ledger = store.open().await;
    assert_eq!(ledger.subject_key(), hashed_with);
    assert_ne!(hashed_with, [0; 16]);
    assert_eq!(take(&*ledger, &units, &terms, 1).await.granted, 0);
    let look = |row: Vec<Subject>| {
        let (ledger, people) = (ledger.clone(), people.clone());
        async move {
            ledger
                .admit(&people, &terms, &row, AdmitMode::Look)
                .await
                .unwrap()
        }
    };
    assert_eq!(look(row).await.admitted, 10);
    assert_eq!(look(vec![Subject::Known(11)]).await.admitted, 0);
    ledger.give_back(&units, taken.mark, 1).await.unwrap();
    assert_eq!(
        take(&*ledger, &units, &terms, 1).await.granted,
        1,
        "the same life goes on"
    );
    store.end(ledger).await;
}

async fn a_wall_clock_set_back_frees_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("set back"), terms(10));
    let before = take(&*ledger, &key, &terms, 10).await;
    store.clock().step_back(terms.window * 40);
    assert_eq!(take(&*ledger, &key, &terms, 1).await.granted, 0);
    store.end(ledger).await;
    let ledger = store.open().await;
    let refused = take(&*ledger, &key, &terms, 1).await;
    assert_eq!((refused.granted, refused.used), (0, 10));
    assert!(
        refused.mark.bucket_end_ms >= before.mark.bucket_end_ms,
        "time went back"
    );
    // Whatever follows has the time that it had.
    store.clock().step_forward(terms.window * 40);
    store.end(ledger).await;
}

async fn time_goes_on_after_an_end(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("goes on"), terms(10));
    let taken = take(&*ledger, &key, &terms, 10).await;
    store.end(ledger).await;
    let ledger = store.open().await;
    store.clock().pass(terms.window + taken.good_for);
    assert_eq!(take(&*ledger, &key, &terms, 10).await.granted, 10);
    store.end(ledger).await;
}

async fn a_reset_begins_anew(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (units, people, terms) = (key("reset"), key("reset of people"), terms(2));
    take(&*ledger, &units, &terms, 2).await;
    let row = [Subject::Known(1), Subject::Known(2)];
    ledger
        .admit(&people, &terms, &row, AdmitMode::AllOrNothing)
        .await
        .unwrap();
    assert!(ledger.reset(&units).await.unwrap());
    assert!(ledger.reset(&people).await.unwrap());
    assert!(
        !ledger.reset(&units).await.unwrap(),
        "there is nothing left to forget"
    );
    assert_eq!(take(&*ledger, &units, &terms, 2).await.granted, 2);
    let others = [Subject::Known(3), Subject::Known(4)];
    let admission = ledger
        .admit(&people, &terms, &others, AdmitMode::AllOrNothing)
        .await;
    assert_eq!(admission.unwrap().used, 2);
    store.end(ledger).await;
}

async fn what_was_leased_before_a_reset_is_void(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("void"), terms(10));
    let before = take(&*ledger, &key, &terms, 5).await;
    ledger.reset(&key).await.unwrap();
    take(&*ledger, &key, &terms, 10).await;
    ledger.give_back(&key, before.mark, 5).await.unwrap();
    assert_eq!(ledger.usage(&key).await.unwrap().used, 10);
    store.end(ledger).await;
}

async fn lists_what_is_in_use(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(5);
    for (name, need) in [("list a", 1), ("list b", 2)] {
        take(&*ledger, &key(name), &terms, need).await;
    }
    take(&*ledger, &key("list c"), &terms, 0).await;
    let named = |who: &str| Filter {
        quota: None,
        who: Some(who.to_owned()),
    };
    let all = ledger.list(&Filter::default(), 1_000).await.unwrap();
    let keys: Vec<&QuotaKey> = all.iter().map(|entry| &entry.key).collect();
    assert!(keys.is_sorted() && keys.contains(&&key("list a")));
    assert!(!keys.contains(&&key("list c")), "nothing of it is in use");
    let one = ledger.list(&named("LIST B"), 10).await.unwrap();
    assert_eq!(one.len(), 1);
    let usage = one[0].usage;
    assert_eq!((usage.used, usage.window), (2, terms.window));
    assert!(usage.frees_after >= terms.window);
    assert_eq!(ledger.list(&Filter::default(), 1).await.unwrap().len(), 1);
    let other = Filter {
        quota: Some("other".to_owned()),
        who: None,
    };
    assert!(ledger.list(&other, 10).await.unwrap().is_empty());
    store.end(ledger).await;
}

async fn what_nobody_used_is_empty(store: &mut dyn Store) {
    let ledger = store.open().await;
    let usage = ledger.usage(&key("nobody at all")).await.unwrap();
    assert_eq!((usage.used, usage.frees_after), (0, Duration::ZERO));
    assert!(!ledger.reset(&key("nobody at all")).await.unwrap());
    store.end(ledger).await;
}
