//! What the vault promises, against every store.

mod fingerprints;
mod proofs;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use postern_config::sessions::OnLimit;
use redb::{ReadableDatabase as _, ReadableTableMetadata as _};

use super::seals::Seals;
use super::*;
use crate::quota::server::Server;
use stage::{KEY, Stage, start};

#[tokio::test]
async fn a_session_opens_with_its_handle_and_with_no_other() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        let opened = stage.vault.open(begun.handle()).await.unwrap();
        assert_eq!(opened.jar(), b"sessionid=s3cr3t-of-the-application");
        assert_eq!(opened.record().holder.subject, "ann");
        let mut other = *begun.handle().bytes();
        other[31] ^= 1;
        let none = stage.vault.open(&Handle::new(other)).await.unwrap_err();
        assert_eq!(none, NoSession::Missing);
    }
}

#[tokio::test]
async fn it_survives_a_restart_of_postern_and_of_the_store() {
    let Stage {
        vault,
        store,
        clock,
        folder,
        server: _,
    } = Stage::embedded();
    let handle = vault.begin(start(None)).await.unwrap().0.handle().clone();
    drop((vault, store));
    let store = EmbeddedSessions::open(&folder.path().join("sessions"), 0).unwrap();
    let store = Arc::new(store) as Arc<dyn SessionStore>;
    let vault = Stage::vault(&store, &clock, ServerKeys::new(KEY));
    assert!(vault.open(&handle).await.is_ok());
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        if let Some(mut server) = stage.server {
            server.kill_and_restart();
            let store = SharedSessions::open(&server.url(), Duration::from_secs(10)).await;
            let store = Arc::new(store.unwrap()) as Arc<dyn SessionStore>;
            let vault = Stage::vault(&store, &stage.clock, ServerKeys::new(KEY));
            assert!(vault.open(begun.handle()).await.is_ok());
        }
    }
}

#[tokio::test]
async fn it_ends_when_idle_and_at_its_end_however_busy() {
    for stage in Stage::each().await {
        let idle = stage.begin().await;
        stage.clock.pass(15 * 60 - 1);
        assert!(stage.vault.open(idle.handle()).await.is_ok());
        stage.clock.pass(15 * 60);
        let none = stage.vault.open(idle.handle()).await.unwrap_err();
        assert_eq!(none, NoSession::Expired);
        let busy = stage.begin().await;
        for _ in 0..12 * 12 - 1 {
            stage.clock.pass(300);
            assert!(stage.vault.open(busy.handle()).await.is_ok());
        }
        stage.clock.pass(300);
        assert!(stage.vault.open(busy.handle()).await.is_err());
    }
}

#[tokio::test]
async fn a_new_handle_takes_the_place_of_the_old_one_after_a_moment() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        let old = begun.handle().clone();
        stage.clock.pass(3_600);
        let begun = stage.begin().await;
        assert!(!stage.vault.is_due(&begun));
        let first = begun.handle().clone();
        let rotated = stage.vault.rotate(begun).await.unwrap();
        assert!(stage.vault.open(&first).await.is_ok(), "on its way");
        stage.clock.pass(30);
        let none = stage.vault.open(&first).await.unwrap_err();
        assert_eq!(none, NoSession::Missing);
        let opened = stage.vault.open(rotated.handle()).await.unwrap();
        assert_eq!(opened.jar(), b"sessionid=s3cr3t-of-the-application");
        assert!(stage.vault.open(&old).await.is_err());
    }
}

#[tokio::test]
async fn of_many_new_handles_at_once_all_that_were_given_open_it() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        for _ in 0..6 {
            stage.clock.pass(600);
            stage.vault.open(begun.handle()).await.unwrap();
        }
        let mut opened = Vec::new();
        for _ in 0..4 {
            opened.push(stage.vault.open(begun.handle()).await.unwrap());
        }
        let rotating = opened
            .into_iter()
            .map(|session| async { stage.vault.rotate(session).await.unwrap() });
        let rotated = futures::future::join_all(rotating).await;
        for session in &rotated {
            assert!(stage.vault.open(session.handle()).await.is_ok());
        }
        let is_new = |session: &&OpenSession| session.handle() != begun.handle();
        assert_eq!(rotated.iter().filter(is_new).count(), 1);
    }
}

#[tokio::test]
async fn of_many_changes_at_once_none_is_lost() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        let adding = (0..40_u8).map(|n| {
            let (vault, handle) = (&stage.vault, begun.handle());
            async move {
                let session = vault.open(handle).await.unwrap();
                vault.change(session, |_, jar| jar.push(n)).await.unwrap();
            }
        });
        futures::future::join_all(adding).await;
        let opened = stage.vault.open(begun.handle()).await.unwrap();
        let mut added = opened.jar()[opened.jar().len() - 40..].to_vec();
        added.sort_unstable();
        assert_eq!(added, (0..40).collect::<Vec<u8>>());
    }
}

#[tokio::test]
async fn a_person_has_no_more_than_allowed() {
    for on_limit in [OnLimit::DenyNew, OnLimit::EvictOldest] {
        for stage in Stage::each().await {
            let limit = Some(Limit { max: 2, on_limit });
            let mut begun = Vec::new();
            for _ in 0..2 {
                stage.clock.pass(1);
                let (session, evicted) = stage.vault.begin(start(limit)).await.unwrap();
                assert!(evicted.is_empty());
                begun.push(session);
            }
            stage.clock.pass(1);
            let third = stage.vault.begin(start(limit)).await;
            match on_limit {
                OnLimit::DenyNew => assert_eq!(third.unwrap_err(), VaultError::Full),
                OnLimit::EvictOldest => {
                    let (_, evicted) = third.unwrap();
                    assert_eq!(evicted, [begun[0].record().sid.as_str()]);
                    assert!(stage.vault.open(begun[0].handle()).await.is_err());
                    assert!(stage.vault.open(begun[1].handle()).await.is_ok());
                }
            }
            // One that takes the place of theirs is not counted beside it.
            let mut again = start(limit);
            again.follows = Some(begun[1].record().sid.clone());
            let (_, evicted) = stage.vault.begin(again).await.unwrap();
            assert!(evicted.is_empty());
            // Somebody else is not concerned.
            let mut other = start(limit);
            other.holder.subject = "bob".to_owned();
            assert!(stage.vault.begin(other).await.is_ok());
        }
    }
}

#[tokio::test]
async fn what_was_left_unused_counts_no_more() {
    for on_limit in [OnLimit::DenyNew, OnLimit::EvictOldest] {
        for stage in Stage::each().await {
            let limit = Some(Limit { max: 2, on_limit });
            let (used, _) = stage.vault.begin(start(limit)).await.unwrap();
            stage.clock.pass(1);
            let (left, _) = stage.vault.begin(start(limit)).await.unwrap();
            stage.clock.pass(14 * 60);
            let used = stage.vault.open(used.handle()).await.unwrap();
            stage.clock.pass(2 * 60);
            let (_, evicted) = stage.vault.begin(start(limit)).await.unwrap();
            assert!(evicted.is_empty());
            assert!(stage.vault.open(used.handle()).await.is_ok());
            let none = stage.vault.open(left.handle()).await.unwrap_err();
            assert_eq!(none, NoSession::Expired);
        }
    }
}

#[tokio::test]
async fn a_file_forgets_what_a_person_has_left() {
    let stage = Stage::embedded();
    for _ in 0..40 {
        stage.begin().await;
        stage.clock.pass(12 * 3_600);
    }
    let path = stage.folder.path().join("sessions");
    let Stage {
        vault,
        store,
        folder: _folder,
        ..
    } = stage;
    drop((vault, store));
    let database = redb::Database::open(path).unwrap();
    let people = redb::TableDefinition::<(Digest, &str), u64>::new("people");
    let people = database.begin_read().unwrap().open_table(people).unwrap();
    assert!(people.len().unwrap() <= 2);
}

#[tokio::test]
async fn what_was_ended_opens_no_more_and_its_jar_is_gone() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        let sid = begun.record().sid.clone();
        let before = stage.vault.now();
        let ended = stage.vault.revoke(&sid, "admin").await.unwrap();
        assert!(matches!(ended, Some(Ended::Now(record)) if record.sid == sid));
        let again = stage.vault.revoke(&sid, "other").await.unwrap();
        assert_eq!(again, Some(Ended::Before));
        let none = stage.vault.open(begun.handle()).await.unwrap_err();
        assert_eq!(none, NoSession::Revoked);
        let ended = stage.vault.ended_since(before).await.unwrap();
        assert_eq!(ended, [sid.as_str()]);
        let listed = stage.vault.search(10, |_| true).await.unwrap().records;
        assert!(listed[0].jar.is_empty() && listed[0].jar_keys.is_empty());
        assert_eq!(stage.vault.revoke("no such", "admin").await.unwrap(), None);
        // Whoever held it before the end changes nothing any more.
        let late = stage.vault.change(begun, |_, jar| jar.push(1)).await;
        assert_eq!(late.unwrap_err(), VaultError::NoSession(NoSession::Revoked));
    }
}

#[tokio::test]
async fn a_copy_of_the_store_with_the_server_key_opens_no_jar() {
    let stage = Stage::embedded();
    let begun = stage.begin().await;
    let secret = b"s3cr3t-of-the-application";
    let file = std::fs::read(stage.folder.path().join("sessions")).unwrap();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(!holds(&file, secret) && !holds(&file, begun.handle().bytes()));
    assert!(!holds(&file, b"ann") && !holds(&file, b"agent"));
    // With the server key the record can be read; the jar cannot.
    let records = stage.vault.search(10, |_| true).await.unwrap().records;
    let record = &records[0];
    let text = serde_json::to_vec(record).unwrap();
    assert!(!holds(&text, secret));
    let seals = Seals::new(ServerKeys::new(KEY));
    let guess = Handle::new([0; 32]);
    assert!(seals.open_jar(record, &guess).is_err());
    assert!(seals.open_jar(record, begun.handle()).is_ok());
    // And a handle without the server key opens nothing either.
    let other = Stage::vault(&stage.store, &stage.clock, ServerKeys::new([8; 32]));
    let none = other.open(begun.handle()).await.unwrap_err();
    assert_eq!(none, NoSession::Forged);
}

#[tokio::test]
async fn an_older_server_key_still_opens_what_it_sealed() {
    for stage in Stage::each().await {
        let begun = stage.begin().await;
        let keys = ServerKeys::new([9; 32]).and_older(KEY);
        let vault = Stage::vault(&stage.store, &stage.clock, keys);
        let opened = vault.open(begun.handle()).await.unwrap();
        let changed = vault.change(opened, |_, jar| jar.push(b'!')).await.unwrap();
        assert!(
            vault
                .open(changed.handle())
                .await
                .unwrap()
                .jar()
                .ends_with(b"!")
        );
    }
}

#[tokio::test]
async fn what_somebody_changed_in_the_store_does_not_open() {
    for stage in Stage::each().await {
        let (ann, bob) = (stage.begin().await, stage.begin().await);
        let now = stage.vault.now();
        let of = |session: &OpenSession| session.record().sid.clone();
        let sealed = stage
            .store
            .read(&of(&bob), now)
            .await
            .unwrap()
            .unwrap()
            .sealed;
        // Another session's record, a changed byte, and nothing at all.
        for forged in [sealed, vec![1; 200], Vec::new()] {
            let ann = stage.begin().await;
            stage.tamper(&of(&ann), |_| forged).await;
            let none = stage.vault.open(ann.handle()).await.unwrap_err();
            assert_eq!(none, NoSession::Forged);
        }
        // Our own record, put back after a change.
        let old = stage
            .store
            .read(&of(&ann), now)
            .await
            .unwrap()
            .unwrap()
            .sealed;
        let handle = ann.handle().clone();
        stage.vault.change(ann, |_, jar| jar.push(1)).await.unwrap();
        stage.tamper(&of(&bob), |sealed| sealed).await;
        assert!(
            stage.vault.open(bob.handle()).await.is_err(),
            "a revision of ours, moved on"
        );
        let sid = stage
            .vault
            .open(&handle)
            .await
            .unwrap()
            .record()
            .sid
            .clone();
        stage.tamper(&sid, |_| old).await;
        assert_eq!(
            stage.vault.open(&handle).await.unwrap_err(),
            NoSession::Forged
        );
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_lets_nobody_in() {
    let Some(server) = Server::start() else {
        return;
    };
    let store = SharedSessions::open(&server.url(), Duration::from_millis(200)).await;
    let stage = Stage::on(
        Arc::new(store.unwrap()),
        Some(server),
        tempfile::tempdir().unwrap(),
    );
    let begun = stage.begin().await;
    let server = stage.server.as_ref().unwrap();
    server.pause();
    let none = stage.vault.open(begun.handle()).await.unwrap_err();
    assert!(matches!(none, NoSession::Store(_)), "{none}");
    server.resume();
    // What was asked meanwhile may still be on its way.
    while stage.vault.open(begun.handle()).await.is_err() {}
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_waited_for_beyond_the_deadline() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let store = SharedSessions::open(&server.url(), Duration::from_millis(100)).await;
    let store = store.unwrap();
    server.kill();
    // The first call finds the connection broken; the next ones come while it is made again, which is tried
    // for longer than a call may take.
    assert!(store.ended_since(0).await.is_err());
    for _again in 0..3 {
        let late = store.ended_since(0).await.unwrap_err();
        assert_eq!(late, StoreError::Timeout);
    }
}

#[tokio::test]
async fn what_one_replica_ends_is_over_for_another_at_once() {
    for stage in Stage::each().await {
        let other = Stage::vault(&stage.store, &stage.clock, ServerKeys::new(KEY));
        let begun = stage.begin().await;
        assert!(other.open(begun.handle()).await.is_ok());
        stage
            .vault
            .revoke(&begun.record().sid, "admin")
            .await
            .unwrap();
        let none = other.open(begun.handle()).await.unwrap_err();
        assert_eq!(none, NoSession::Revoked);
    }
}
