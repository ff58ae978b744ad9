//! Whose something is that somebody brings from outside.

use zeroize::Zeroizing;

use super::*;

const SECRET: &[u8] = b"s3cr3t-of-the-application";
const OTHER: &[u8] = b"an0ther-of-the-application";

/// A session of somebody that holds these.
async fn holding(stage: &Stage, subject: &str, values: &[&[u8]]) -> OpenSession {
    following(stage, subject, values, None).await
}

async fn following(
    stage: &Stage,
    subject: &str,
    values: &[&[u8]],
    follows: Option<&OpenSession>,
) -> OpenSession {
    let mut start = start(None);
    start.holder.subject = subject.to_owned();
    start.fingerprints = stage.vault.fingerprints(values.iter().copied());
    start.follows = follows.map(|session| session.record().sid.clone());
    stage.vault.begin(start).await.unwrap().0
}

/// Whose a value is.
async fn owner(vault: &Vault, value: &[u8]) -> Option<String> {
    let values = [b"brought-by-chance".to_vec(), value.to_vec()].map(Zeroizing::new);
    let mut found = vault.holders(&values).await.unwrap();
    assert!(found.len() <= 1);
    let (held, record) = found.pop()?;
    assert_eq!(held, value);
    Some(record.holder.subject)
}

#[tokio::test]
async fn what_a_session_holds_leads_to_it_until_it_ends() {
    for stage in Stage::each().await {
        let ann = holding(&stage, "ann", &[SECRET]).await;
        assert_eq!(owner(&stage.vault, SECRET).await.as_deref(), Some("ann"));
        assert_eq!(owner(&stage.vault, OTHER).await, None);
        // Added by a change, in the same step.
        let added = stage.vault.fingerprints([OTHER]);
        let ann = stage.vault.keep(ann, &added, |_, jar| jar.push(1)).await;
        assert_eq!(owner(&stage.vault, OTHER).await.as_deref(), Some("ann"));
        let sid = ann.unwrap().record().sid.clone();
        stage.vault.revoke(&sid, "H09").await.unwrap();
        assert_eq!(owner(&stage.vault, SECRET).await, None);
        // Whoever gets the same later has it alone.
        holding(&stage, "bob", &[SECRET]).await;
        assert_eq!(owner(&stage.vault, SECRET).await.as_deref(), Some("bob"));
        stage.clock.pass(15 * 60);
        assert_eq!(owner(&stage.vault, SECRET).await, None, "idle");
    }
}

#[tokio::test]
async fn a_change_that_came_too_late_adds_nothing() {
    for stage in Stage::each().await {
        let ann = holding(&stage, "ann", &[]).await;
        let sid = ann.record().sid.clone();
        stage.vault.revoke(&sid, "admin").await.unwrap();
        let added = stage.vault.fingerprints([SECRET]);
        let late = stage.vault.keep(ann, &added, |_, jar| jar.push(1)).await;
        assert!(late.is_err());
        let now = stage.vault.now();
        assert_eq!(stage.store.holders(&added, now).await.unwrap(), [None]);
    }
}

#[tokio::test]
async fn what_two_sessions_hold_is_neithers_secret() {
    for stage in Stage::each().await {
        let ann = holding(&stage, "ann", &[SECRET, OTHER]).await;
        let bob = holding(&stage, "bob", &[SECRET]).await;
        assert_eq!(owner(&stage.vault, SECRET).await, None);
        assert_eq!(owner(&stage.vault, OTHER).await.as_deref(), Some("ann"));
        for session in [ann, bob] {
            let sid = session.record().sid.clone();
            stage.vault.revoke(&sid, "admin").await.unwrap();
        }
        holding(&stage, "cleo", &[SECRET]).await;
        assert_eq!(owner(&stage.vault, SECRET).await, None, "it never was one");
        // Until both are past their time.
        stage.clock.pass(12 * 3_600);
        holding(&stage, "dora", &[SECRET]).await;
        assert_eq!(owner(&stage.vault, SECRET).await.as_deref(), Some("dora"));
    }
}

#[tokio::test]
async fn a_session_that_takes_the_place_of_another_takes_over_what_it_holds() {
    for stage in Stage::each().await {
        let first = holding(&stage, "ann", &[SECRET]).await;
        let second = following(&stage, "boss", &[SECRET], Some(&first)).await;
        assert_eq!(owner(&stage.vault, SECRET).await.as_deref(), Some("boss"));
        let sid = first.record().sid.clone();
        stage.vault.revoke(&sid, "replaced").await.unwrap();
        assert_eq!(owner(&stage.vault, SECRET).await.as_deref(), Some("boss"));
        drop(second);
    }
}

#[tokio::test]
async fn one_that_gives_way_to_another_is_no_longer_led_to() {
    for stage in Stage::each().await {
        holding(&stage, "ann", &[SECRET]).await;
        stage.clock.pass(1);
        let mut next = start(Some(Limit {
            max: 1,
            on_limit: OnLimit::EvictOldest,
        }));
        next.fingerprints = stage.vault.fingerprints([OTHER]);
        let (_, evicted) = stage.vault.begin(next).await.unwrap();
        assert_eq!(evicted.len(), 1);
        let of = stage.vault.fingerprints([SECRET, OTHER]);
        let found = stage.store.holders(&of, stage.vault.now()).await.unwrap();
        assert!(found[0].is_none() && found[1].is_some());
    }
}

#[tokio::test]
async fn what_is_past_its_time_is_swept_with_its_session() {
    let stage = Stage::embedded();
    holding(&stage, "ann", &[SECRET]).await;
    let of = stage.vault.fingerprints([SECRET]);
    let began = stage.vault.now();
    let led = |now| stage.store.holders(&of, now);
    assert!(led(began).await.unwrap()[0].is_some());
    stage.clock.pass(12 * 3_600);
    assert_eq!(led(stage.vault.now()).await.unwrap(), [None]);
    // It is still written, and gone once the next session was made.
    assert!(led(began).await.unwrap()[0].is_some());
    stage.begin().await;
    assert_eq!(led(began).await.unwrap(), [None]);
}

#[tokio::test]
async fn a_fingerprint_of_an_older_server_key_still_leads() {
    for stage in Stage::each().await {
        holding(&stage, "ann", &[SECRET]).await;
        let keys = ServerKeys::new([9; 32]).and_older(KEY);
        let vault = Stage::vault(&stage.store, &stage.clock, keys);
        assert_eq!(owner(&vault, SECRET).await.as_deref(), Some("ann"));
        let stranger = Stage::vault(&stage.store, &stage.clock, ServerKeys::new([9; 32]));
        assert_eq!(owner(&stranger, SECRET).await, None);
    }
}

#[tokio::test]
async fn a_session_is_taught_without_its_handle_and_keeps_its_jar() {
    for stage in Stage::each().await {
        let ann = holding(&stage, "ann", &[]).await;
        let sid = ann.record().sid.clone();
        let lesson = Lesson {
            step_up: true,
            ..Lesson::default()
        };
        stage.vault.teach(&sid, &lesson).await.unwrap();
        let opened = stage.vault.open(ann.handle()).await.unwrap();
        assert!(opened.record().binding.must_step_up);
        assert_eq!((opened.revision(), opened.jar()), (2, ann.jar()));
        // Nothing is written that is there already.
        stage.vault.teach(&sid, &lesson).await.unwrap();
        assert_eq!(stage.vault.open(ann.handle()).await.unwrap().revision(), 2);
        stage.vault.revoke(&sid, "admin").await.unwrap();
        stage
            .vault
            .teach(
                &sid,
                &Lesson {
                    downgrade: true,
                    ..lesson
                },
            )
            .await
            .unwrap();
        stage
            .vault
            .teach("no such", &Lesson::default())
            .await
            .unwrap();
    }
}
