//! A proof is good once, on whichever replica.

use super::*;

#[tokio::test]
async fn a_proof_is_seen_once_until_its_time_is_over() {
    for stage in Stage::each().await {
        let now = stage.vault.now();
        let (store, times) = (&stage.store, (now, now + 65_000));
        for (proof, first) in [([1; 32], true), ([1; 32], false), ([2; 32], true)] {
            let is_first = store.is_first(&proof, times, now).await;
            assert_eq!(is_first.unwrap(), first);
        }
    }
}

#[tokio::test]
async fn what_was_made_before_the_process_began_counts_as_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedSessions::open(&folder.path().join("sessions"), 10_500).unwrap();
    for (made, first) in [(9_000, false), (10_000, true), (11_000, true)] {
        let proof = [u8::try_from(made / 1_000).unwrap(); 32];
        let is_first = store.is_first(&proof, (made, made + 65_000), 11_000).await;
        assert_eq!(is_first.unwrap(), first, "{made}");
    }
    // Past its time it is forgotten, and its own time refuses it.
    let again = store.is_first(&[11; 32], (11_000, 99_000), 76_000).await;
    assert!(again.unwrap());
}
