//! Promises about units: never more than the limit over any window, and exactly as many.

use std::time::Duration;

use super::{Store, key, key_of, promises, take};
use crate::quota::ledger::{Ask, Mark};
use crate::quota::samples::terms;
use crate::quota::terms::{LIMIT_MAX, PastLimit, Terms};

promises![
    grants_the_limit_and_not_one_more,
    grants_the_rest_only_when_asked,
    shrinks_what_is_spare_to_nothing,
    takes_back_what_was_not_spent,
    counts_until_the_end_of_a_bucket_is_a_window_ago,
    frees_bucket_by_bucket,
    counts_up_to_the_highest_limit,
    saturates_past_the_highest_limit,
    counts_past_a_limit_that_only_alerts,
    warns_once_per_window,
    tells_once_per_window_that_something_was_refused,
    a_limit_of_none_grants_nothing,
    grants_the_limit_to_many_at_once,
    keeps_apart_whom_a_colon_would_join,
    follows_a_window_that_changes,
];

async fn grants_the_limit_and_not_one_more(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("limit"), terms(10));
    assert_eq!(take(&*ledger, &key, &terms, 4).await.granted, 4);
    assert_eq!(
        take(&*ledger, &key, &terms, 7).await.granted,
        0,
        "more than is left"
    );
    let last = take(&*ledger, &key, &terms, 6).await;
    assert_eq!((last.granted, last.used), (6, 10));
    let over = take(&*ledger, &key, &terms, 1).await;
    assert_eq!((over.granted, over.used), (0, 10));
    assert!(over.reset_after >= terms.window && !over.news.warned);
    assert_eq!(take(&*ledger, &key, &terms, 0).await.granted, 0);
    store.end(ledger).await;
}

async fn grants_the_rest_only_when_asked(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("rest"), terms(10));
    take(&*ledger, &key, &terms, 7).await;
    let ask = |partial| Ask {
        need: 5,
        wish: 9,
        partial,
    };
    assert_eq!(
        ledger.take(&key, &terms, ask(false)).await.unwrap().granted,
        0
    );
    assert_eq!(
        ledger.take(&key, &terms, ask(true)).await.unwrap().granted,
        3
    );
    assert_eq!(
        ledger.take(&key, &terms, ask(true)).await.unwrap().granted,
        0
    );
    store.end(ledger).await;
}

async fn shrinks_what_is_spare_to_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("spare"), terms(100));
    let ask = Ask {
        need: 1,
        wish: 1_000,
        partial: false,
    };
    let (mut sum, mut grants) = (0, Vec::new());
    loop {
        let taken = ledger.take(&key, &terms, ask).await.unwrap();
        if taken.granted == 0 {
            break;
        }
        assert!(
            taken.granted - 1 <= (100 - sum - 1) / 2,
            "more than a half of the rest"
        );
        sum += taken.granted;
        assert_eq!(taken.used, sum);
        grants.push(taken.granted);
    }
    assert_eq!(sum, 100);
    assert!(grants[0] > 10, "{grants:?}");
    assert_eq!(grants.last(), Some(&1));
    store.end(ledger).await;
}

async fn takes_back_what_was_not_spent(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("back"), terms(10));
    let taken = take(&*ledger, &key, &terms, 10).await;
    ledger.give_back(&key, taken.mark, 4).await.unwrap();
    assert_eq!(ledger.usage(&key).await.unwrap().used, 6);
    assert_eq!(take(&*ledger, &key, &terms, 5).await.granted, 0);
    assert_eq!(take(&*ledger, &key, &terms, 4).await.granted, 4);
    let other = Mark {
        generation: taken.mark.generation + 1,
        ..taken.mark
    };
    ledger.give_back(&key, other, 4).await.unwrap();
    let gone = Mark {
        bucket_end_ms: 1,
        ..taken.mark
    };
    ledger.give_back(&key, gone, 4).await.unwrap();
    assert_eq!(
        ledger.usage(&key).await.unwrap().used,
        10,
        "nothing of those was charged"
    );
    ledger
        .give_back(&super::key("nobody"), taken.mark, 4)
        .await
        .unwrap();
    store.end(ledger).await;
}

async fn counts_until_the_end_of_a_bucket_is_a_window_ago(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("window"), terms(10));
    let taken = take(&*ledger, &key, &terms, 10).await;
    assert!(taken.good_for <= terms.window / 24 + Duration::from_millis(1));
    let free = taken.good_for + terms.window;
    store.clock().pass(free - Duration::from_millis(1));
    let refused = take(&*ledger, &key, &terms, 1).await;
    assert_eq!(
        (refused.granted, refused.reset_after),
        (0, Duration::from_millis(1))
    );
    store.clock().pass(Duration::from_millis(1));
    assert_eq!(ledger.usage(&key).await.unwrap().used, 0);
    assert_eq!(take(&*ledger, &key, &terms, 10).await.granted, 10);
    store.end(ledger).await;
}

async fn frees_bucket_by_bucket(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("buckets"), terms(24));
    let width = terms.window / 24;
    let first = take(&*ledger, &key, &terms, 1).await;
    // From here on, every step is one millisecond past the beginning of a bucket.
    store
        .clock()
        .pass(first.good_for + Duration::from_millis(1));
    for _ in 1..24 {
        assert_eq!(take(&*ledger, &key, &terms, 1).await.granted, 1);
        store.clock().pass(width);
    }
    let full = take(&*ledger, &key, &terms, 1).await;
    assert_eq!(
        (full.granted, full.used),
        (0, 24),
        "twenty-five buckets count"
    );
    for _ in 0..24 {
        store.clock().pass(width);
        assert_eq!(take(&*ledger, &key, &terms, 2).await.granted, 0);
        assert_eq!(take(&*ledger, &key, &terms, 1).await.granted, 1);
    }
    let three = take(&*ledger, &key, &terms, 3).await;
    let expected = width * 4 - Duration::from_millis(1);
    assert_eq!(
        (three.granted, three.reset_after),
        (0, expected),
        "the three oldest have to go"
    );
    store.end(ledger).await;
}

async fn counts_up_to_the_highest_limit(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("highest"), terms(LIMIT_MAX));
    let most = take(&*ledger, &key, &terms, LIMIT_MAX - 3).await;
    assert_eq!((most.granted, most.used), (LIMIT_MAX - 3, LIMIT_MAX - 3));
    assert_eq!(take(&*ledger, &key, &terms, 4).await.granted, 0);
    assert_eq!(take(&*ledger, &key, &terms, 2).await.used, LIMIT_MAX - 1);
    ledger
        .give_back(&key, most.mark, LIMIT_MAX - 10)
        .await
        .unwrap();
    assert_eq!(ledger.usage(&key).await.unwrap().used, 9);
    let ask = Ask {
        need: LIMIT_MAX,
        wish: LIMIT_MAX,
        partial: true,
    };
    let rest = ledger.take(&key, &terms, ask).await.unwrap();
    assert_eq!((rest.granted, rest.used), (LIMIT_MAX - 9, LIMIT_MAX));
    store.end(ledger).await;
}

async fn saturates_past_the_highest_limit(store: &mut dyn Store) {
    let ledger = store.open().await;
    let key = key("saturate");
    let refusing = terms(LIMIT_MAX);
    assert_eq!(take(&*ledger, &key, &refusing, u64::MAX).await.granted, 0);
    let counting = Terms {
        past_limit: PastLimit::Counted,
        ..refusing
    };
    for _ in 0..3 {
        take(&*ledger, &key, &counting, LIMIT_MAX).await;
    }
    assert_eq!(ledger.usage(&key).await.unwrap().used, LIMIT_MAX);
    assert_eq!(take(&*ledger, &key, &refusing, 1).await.granted, 0);
    store.end(ledger).await;
}

async fn counts_past_a_limit_that_only_alerts(store: &mut dyn Store) {
    let ledger = store.open().await;
    let key = key("alert");
    let terms = Terms {
        past_limit: PastLimit::Counted,
        ..terms(10)
    };
    let within = take(&*ledger, &key, &terms, 10).await;
    assert_eq!((within.granted, within.news.exceeded), (10, false));
    let past = take(&*ledger, &key, &terms, 5).await;
    assert_eq!((past.granted, past.used, past.news.exceeded), (5, 15, true));
    let again = take(&*ledger, &key, &terms, 5).await;
    assert_eq!(
        (again.used, again.news.exceeded),
        (20, false),
        "once per window"
    );
    store.clock().pass(terms.window);
    assert!(take(&*ledger, &key, &terms, 11).await.news.exceeded);
    store.end(ledger).await;
}

async fn tells_once_per_window_that_something_was_refused(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, terms) = (key("refused"), terms(10));
    let told = async |units| take(&*ledger, &key, &terms, units).await.news.exceeded;
    assert!(!told(10).await, "all of it may be used");
    assert!(told(1).await);
    assert!(!told(1).await && !told(0).await);
    store.clock().pass(terms.window + terms.window / 24);
    assert!(!told(9).await);
    assert!(told(2).await, "another window");
    store.end(ledger).await;
}

async fn warns_once_per_window(store: &mut dyn Store) {
    let ledger = store.open().await;
    let key = key("warn");
    let terms = Terms {
        warn_from: Some(8),
        ..terms(10)
    };
    assert!(!take(&*ledger, &key, &terms, 7).await.news.warned);
    assert!(
        take(&*ledger, &key, &terms, 1).await.news.warned,
        "exactly there"
    );
    assert!(!take(&*ledger, &key, &terms, 1).await.news.warned);
    assert!(!take(&*ledger, &key, &terms, 5).await.news.warned);
    store.clock().pass(terms.window * 2);
    assert!(
        !take(&*ledger, &key, &terms, 1).await.news.warned,
        "all of that is over"
    );
    assert!(take(&*ledger, &key, &terms, 9).await.news.warned);
    store.end(ledger).await;
}

async fn a_limit_of_none_grants_nothing(store: &mut dyn Store) {
    let ledger = store.open().await;
    let ask = Ask {
        need: 1,
        wish: 100,
        partial: true,
    };
    let taken = ledger.take(&key("none"), &terms(0), ask).await.unwrap();
    assert_eq!((taken.granted, taken.used), (0, 0));
    store.end(ledger).await;
}

async fn grants_the_limit_to_many_at_once(store: &mut dyn Store) {
    let ledger = store.open().await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move { take(&*ledger, &key("many"), &terms(40), 1).await.granted })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += task.await.unwrap();
    }
    assert_eq!(granted, 40);
    store.end(ledger).await;
}

async fn keeps_apart_whom_a_colon_would_join(store: &mut dyn Store) {
    let ledger = store.open().await;
    let terms = terms(1);
    for key in [
        key_of("a:b", "c"),
        key_of("a", "b:c"),
        key_of("a", "b\",\"c"),
    ] {
        assert_eq!(take(&*ledger, &key, &terms, 1).await.granted, 1);
    }
    store.end(ledger).await;
}

async fn follows_a_window_that_changes(store: &mut dyn Store) {
    let ledger = store.open().await;
    let (key, long) = (key("change"), terms(10));
    let short = Terms {
        window: Duration::from_secs(60),
        ..long
    };
    take(&*ledger, &key, &long, 6).await;
    assert_eq!(
        take(&*ledger, &key, &short, 5).await.granted,
        0,
        "it still counts"
    );
    assert_eq!(take(&*ledger, &key, &short, 4).await.granted, 4);
    assert_eq!(take(&*ledger, &key, &long, 1).await.granted, 0, "all of it");
    store.end(ledger).await;
}
