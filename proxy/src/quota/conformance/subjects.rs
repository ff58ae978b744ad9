//! Promises about data subjects: distinct ones, exactly, over every window.

use std::time::Duration;

use super::{Store, key, promises};
use crate::quota::ledger::{Admission, AdmitMode, Ledger, Subject};
use crate::quota::samples::terms;
use crate::quota::terms::{PastLimit, Terms};

promises![
    whoever_counts_already_costs_nothing,
    whoever_is_nameless_costs_one_each_time,
    admits_all_or_none,
    admits_in_order_as_far_as_it_goes,
    looking_charges_nothing,
    counts_from_the_last_time,
    keeps_no_more_than_four_times_the_limit,
    hashes_of_any_value_are_apart,
    warns_of_subjects,
    tells_once_per_window_that_subjects_were_refused,
];

async fn admit(
    ledger: &dyn Ledger,
    name: &str,
    terms: &Terms,
    subjects: &[Subject],
    mode: AdmitMode,
) -> Admission {
    ledger
        .admit(&key(name), terms, subjects, mode)
        .await
        .unwrap()
}

fn known(hashes: impl IntoIterator<Item = u64>) -> Vec<Subject> {
    hashes.into_iter().map(Subject::Known).collect()
}

use AdmitMode::{AllOrNothing, Look, Prefix};

async fn whoever_counts_already_costs_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(3);
    for round in 0..300 {
        let admission = admit(&*ledger, "same", &terms, &known([7]), AllOrNothing).await;
        assert_eq!((admission.admitted, admission.used), (1, 1));
        assert_eq!(admission.cost, u64::from(round == 0));
    }
    let more = admit(&*ledger, "same", &terms, &known([8, 7, 8, 9]), AllOrNothing).await;
    assert_eq!(
        (more.admitted, more.used, more.cost),
        (4, 3, 2),
        "a name twice in one call costs once"
    );
    assert_eq!(ledger.usage(&key("same")).await.unwrap().used, 3);
    store.end(ledger).await;
}

async fn whoever_is_nameless_costs_one_each_time(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(3);
    let two = [Subject::Nameless, Subject::Nameless];
    assert_eq!(
        admit(&*ledger, "nameless", &terms, &two, AllOrNothing)
            .await
            .used,
        2
    );
    let refused = admit(&*ledger, "nameless", &terms, &two, AllOrNothing).await;
    assert_eq!((refused.admitted, refused.used), (0, 2));
    assert!(refused.reset_after > Duration::ZERO);
    assert_eq!(
        admit(&*ledger, "nameless", &terms, &two, Prefix)
            .await
            .admitted,
        1
    );
    store.end(ledger).await;
}

async fn admits_all_or_none(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(3);
    let refused = admit(&*ledger, "all", &terms, &known(0..4), AllOrNothing).await;
    assert_eq!((refused.admitted, refused.used), (0, 0));
    assert_eq!(
        admit(&*ledger, "all", &terms, &known(0..3), AllOrNothing)
            .await
            .admitted,
        3
    );
    assert_eq!(
        admit(&*ledger, "all", &terms, &known(1..4), AllOrNothing)
            .await
            .admitted,
        0
    );
    assert_eq!(
        admit(&*ledger, "all", &terms, &known(0..3), AllOrNothing)
            .await
            .admitted,
        3
    );
    assert_eq!(
        admit(&*ledger, "all", &terms, &[], AllOrNothing)
            .await
            .admitted,
        0
    );
    store.end(ledger).await;
}

async fn admits_in_order_as_far_as_it_goes(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(3);
    let row = [
        Subject::Known(1),
        Subject::Nameless,
        Subject::Known(1),
        Subject::Known(2),
        Subject::Known(1),
        Subject::Known(3),
        Subject::Known(2),
    ];
    let admission = admit(&*ledger, "prefix", &terms, &row, Prefix).await;
    assert_eq!(
        (admission.admitted, admission.used),
        (5, 3),
        "up to the first that is too many"
    );
    store.end(ledger).await;
}

async fn looking_charges_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = Terms {
        warn_from: Some(1),
        ..terms(3)
    };
    let seen = admit(&*ledger, "look", &terms, &known(0..9), Look).await;
    assert_eq!((seen.admitted, seen.used, seen.news.warned), (3, 0, false));
    admit(&*ledger, "look", &terms, &known(0..2), AllOrNothing).await;
    let row = known([0, 5, 1, 6]);
    assert_eq!(
        admit(&*ledger, "look", &terms, &row, Look).await.admitted,
        3
    );
    assert_eq!(ledger.usage(&key("look")).await.unwrap().used, 2);
    store.end(ledger).await;
}

async fn counts_from_the_last_time(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(2);
    admit(&*ledger, "last", &terms, &known([1, 2]), AllOrNothing).await;
    store.clock().pass(terms.window / 2);
    let again = admit(&*ledger, "last", &terms, &known([2]), AllOrNothing).await;
    store.clock().pass(terms.window / 2 + terms.window / 24);
    let now = admit(&*ledger, "last", &terms, &known([3, 2]), AllOrNothing).await;
    assert_eq!(
        (now.admitted, now.used),
        (2, 2),
        "the first has gone, the second has not"
    );
    assert!(again.reset_after > Duration::ZERO);
    store
        .clock()
        .pass(now.good_for + terms.window - Duration::from_millis(1));
    let still = admit(&*ledger, "last", &terms, &known([4]), AllOrNothing).await;
    assert_eq!(
        (still.admitted, still.reset_after),
        (0, Duration::from_millis(1))
    );
    store.clock().pass(Duration::from_millis(1));
    assert_eq!(
        admit(&*ledger, "last", &terms, &known([4]), AllOrNothing)
            .await
            .used,
        1
    );
    store.end(ledger).await;
}

async fn keeps_no_more_than_four_times_the_limit(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = Terms {
        past_limit: PastLimit::Counted,
        ..terms(3)
    };
    let many = admit(&*ledger, "bound", &terms, &known(0..20), AllOrNothing).await;
    assert_eq!(
        (many.admitted, many.used, many.news.exceeded),
        (20, 20, true)
    );
    let kept = admit(&*ledger, "bound", &terms, &known(0..12), AllOrNothing).await;
    assert_eq!(kept.used, 20, "twelve are known");
    let lost = admit(&*ledger, "bound", &terms, &known(12..20), AllOrNothing).await;
    assert_eq!(
        (lost.admitted, lost.used),
        (8, 28),
        "the others count anew, never less"
    );
    store.end(ledger).await;
}

async fn hashes_of_any_value_are_apart(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(9);
    let odd = [
        0,
        1,
        255,
        256,
        u64::MAX,
        u64::MAX - 1,
        0x0d0a_0d0a_0000_2c22,
    ];
    for _ in 0..2 {
        let admission = admit(&*ledger, "hashes", &terms, &known(odd), AllOrNothing).await;
        assert_eq!((admission.admitted, admission.used), (7, 7));
    }
    store.end(ledger).await;
}

async fn warns_of_subjects(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = Terms {
        warn_from: Some(2),
        ..terms(3)
    };
    assert!(
        !admit(&*ledger, "warned", &terms, &known([1]), Prefix)
            .await
            .news
            .warned
    );
    assert!(
        admit(&*ledger, "warned", &terms, &known([2]), Prefix)
            .await
            .news
            .warned
    );
    assert!(
        !admit(&*ledger, "warned", &terms, &known([3]), Prefix)
            .await
            .news
            .warned
    );
    store.end(ledger).await;
}

async fn tells_once_per_window_that_subjects_were_refused(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(2);
    for (name, mode) in [("one", AllOrNothing), ("some", Prefix), ("looked", Look)] {
        let told = async |hashes: std::ops::Range<u64>| {
            let admission = admit(&*ledger, name, &terms, &known(hashes), mode).await;
            admission.news.exceeded
        };
        assert!(!told(0..2).await, "{name}");
        assert!(told(0..3).await, "{name}");
        assert!(!told(0..3).await, "{name}");
        store.clock().pass(terms.window + terms.window / 24);
        assert!(told(0..4).await, "{name}");
    }
    store.end(ledger).await;
}
