//! Reloads on real files: turn by turn, and through the task with its watch.

mod recorded;

use std::os::unix::fs::symlink;
use std::path::Path;

use postern_audit::{KeyKind, Signer};
use postern_config::Revision;
use tempfile::TempDir;

use super::*;
use crate::clock::SystemClock;
use crate::evidence::Evidence;
use crate::load::samples::{HEADER, KEY_FILE, key_set, limits, load, policy, write};

struct Running {
    folder: TempDir,
    store: Arc<PolicyStore>,
}

impl Running {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            store: Arc::new(PolicyStore::deny_all()),
        }
    }

    fn write(&self, text: &str) -> PathBuf {
        write(self.folder.path(), "policy.yaml", text)
    }

    fn options(&self) -> ReloadOptions {
        ReloadOptions {
            policy: self.folder.path().join("policy.yaml"),
            keys: PseudonymKeys::for_offline_use(),
            limits: limits(),
            signers: None,
            tls: None,
            clock: Arc::new(SystemClock),
            evidence: Evidence::off(Arc::new(SystemClock)),
        }
    }

    fn cycle(&self) -> Cycle {
        let mut cycle = Cycle::new(self.options(), Arc::clone(&self.store));
        cycle.load().unwrap();
        cycle
    }

    fn revision(&self) -> Option<Revision> {
        let revision = self.store.status().revision;
        assert_eq!(
            revision.as_ref(),
            Some(self.store.snapshot().compiled.revision())
        );
        revision
    }

    fn name(&self) -> String {
        self.store
            .snapshot()
            .compiled
            .policy()
            .unwrap()
            .name
            .clone()
    }
}

fn is_refused(outcome: &ReloadOutcome) -> bool {
    matches!(outcome, ReloadOutcome::Refused { .. })
}

#[test]
fn acts_only_when_the_contents_change() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let mut cycle = running.cycle();
    let before = running.store.snapshot();
    assert_eq!(cycle.turn(), ReloadOutcome::Unchanged);
    running.write(&policy("one", HEADER));
    assert_eq!(
        cycle.turn(),
        ReloadOutcome::Unchanged,
        "written again, the same"
    );
    assert!(Arc::ptr_eq(&before, &running.store.snapshot()));

    running.write(&policy("two", HEADER));
    let ReloadOutcome::Loaded { revision } = cycle.turn() else {
        panic!("not loaded");
    };
    assert_eq!(
        Some(revision),
        running.revision().map(|revision| revision.short())
    );
    assert_eq!(running.name(), "two");
    assert_eq!(running.store.status().reloads_ok, 2);
}

#[test]
fn a_half_written_policy_changes_nothing() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let mut cycle = running.cycle();
    let next = policy("two", HEADER);
    let lines: Vec<&str> = next.split_inclusive('\n').collect();
    for count in 0..lines.len() {
        let beginning = lines[..count].concat();
        running.write(&beginning);
        assert!(is_refused(&cycle.turn()), "{beginning:?}");
        assert_eq!(running.name(), "one");
    }
    running.write(&next);
    assert!(!is_refused(&cycle.turn()));
    assert_eq!(running.name(), "two");
    assert_eq!(running.store.status().last_error, None);
}

#[test]
fn a_refusal_is_counted_once_and_ends_when_the_files_are_good_again() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let mut cycle = running.cycle();
    running.write("policy: v1\nnonsense: true\n");
    for _ in 0..5 {
        assert!(is_refused(&cycle.turn()));
    }
    let status = running.store.status();
    assert_eq!((status.reloads_ok, status.reloads_failed), (1, 1));
    assert!(status.last_error.unwrap().contains("nonsense"));

    running.write(&policy("one", HEADER));
    assert_eq!(cycle.turn(), ReloadOutcome::Unchanged);
    assert_eq!(running.store.status().last_error, None);
}

#[test]
fn other_files_that_are_wrong_in_the_same_way_count_again() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let mut cycle = running.cycle();
    for (wrong, count) in [("two", 1), ("three", 2)] {
        running.write(&policy(wrong, HEADER).replace("policy: v1", "policy: v2"));
        for _ in 0..2 {
            assert!(is_refused(&cycle.turn()));
            assert_eq!(running.store.status().reloads_failed, count, "{wrong}");
        }
    }
    running.write(&policy("four", KEY_FILE));
    for (keys, count) in [("{\"keys\":[]}", 3), ("{\"keys\":[ ]}", 4)] {
        write(running.folder.path(), "jwks.json", keys);
        for _ in 0..2 {
            assert!(is_refused(&cycle.turn()));
            assert_eq!(running.store.status().reloads_failed, count, "{keys}");
        }
    }
}

#[test]
fn a_note_that_no_longer_signs_the_policy_in_force_is_refused() {
    let running = Running::new();
    let path = running.write(&policy("one", HEADER));
    let [signer, other] =
        [7, 8].map(|seed| Signer::from_seed("desk", KeyKind::Log, &[seed; 32]).unwrap());
    let loaded = load(&path).unwrap();
    let next = write(running.folder.path(), "next.yaml", &policy("two", HEADER));
    let next = load(&next).unwrap();
    let note = |by: &Signer, version, of| {
        let note = crate::policy_signature::sign(by, version, of);
        write(running.folder.path(), "policy.yaml.note", &note);
    };
    let sign = |by, version| note(by, version, &loaded);
    sign(&signer, 7);
    let options = ReloadOptions {
        signers: Some(PolicySigners::only(&signer, running.folder.path())),
        ..running.options()
    };
    let mut cycle = Cycle::new(options, Arc::clone(&running.store));
    cycle.load().unwrap();
    assert_eq!(cycle.turn(), ReloadOutcome::Unchanged);

    sign(&other, 8);
    assert!(is_refused(&cycle.turn()));
    let status = running.store.status();
    assert_eq!(status.reloads_failed, 1);
    assert!(status.last_error.unwrap().contains("no known key"));
    assert_eq!(running.name(), "one", "what is in force stays");

    sign(&signer, 8);
    assert_eq!(cycle.turn(), ReloadOutcome::Unchanged);
    assert_eq!(running.store.status().last_error, None);
    sign(&signer, 7);
    assert!(is_refused(&cycle.turn()), "the newer version was in force");
    note(&signer, 8, &next);
    assert!(
        is_refused(&cycle.turn()),
        "as which another one was in force"
    );
    note(&signer, 9, &next);
    assert_eq!(
        cycle.turn(),
        ReloadOutcome::Unchanged,
        "the note comes before its policy"
    );
    running.write(&policy("two", HEADER));
    assert!(!is_refused(&cycle.turn()));
    assert_eq!(running.name(), "two");
}

#[test]
fn a_policy_that_is_gone_or_too_large_leaves_the_last_good_one() {
    let running = Running::new();
    let path = running.write(&policy("one", HEADER));
    let mut cycle = running.cycle();
    std::fs::remove_file(&path).unwrap();
    assert!(is_refused(&cycle.turn()));
    running.write(&format!(
        "{}# {}\n",
        policy("two", HEADER),
        "x".repeat(1 << 20)
    ));
    assert!(is_refused(&cycle.turn()));
    let rules: String = (0..20_000).map(|n| format!("  label{n}: x\n")).collect();
    running.write(&policy("two", HEADER).replace("{ secret: Secrets }", &format!("\n{rules}")));
    assert!(is_refused(&cycle.turn()));
    assert_eq!(running.name(), "one");
}

#[test]
fn a_new_key_file_is_a_new_revision_and_a_bad_one_is_refused() {
    let running = Running::new();
    running.write(&policy("one", KEY_FILE));
    write(running.folder.path(), "jwks.json", &key_set());
    let mut cycle = running.cycle();
    let first = running.revision();
    for bad in ["", "{\"keys\":[]}"] {
        write(running.folder.path(), "jwks.json", bad);
        assert!(is_refused(&cycle.turn()));
        assert_eq!(running.revision(), first);
    }
    std::fs::remove_file(running.folder.path().join("jwks.json")).unwrap();
    assert!(
        is_refused(&cycle.turn()),
        "without keys nobody could be recognised"
    );
    write(
        running.folder.path(),
        "jwks.json",
        &format!("{}\n", key_set()),
    );
    assert!(!is_refused(&cycle.turn()));
    assert_ne!(running.revision(), first);
}

#[tokio::test]
async fn a_bad_first_policy_is_fatal() {
    let running = Running::new();
    running.write("policy: v2\n");
    let started = PolicyReloader::start(running.options(), Arc::clone(&running.store));
    assert!(matches!(started, Err(LoadError::Policy(_))));
    assert!(!running.store.is_loaded());
    assert!(running.store.snapshot().compiled.policy().is_none());
}

#[tokio::test]
async fn every_caller_is_told_and_the_change_is_loaded_once() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    running.write(&policy("two", HEADER));
    let calls = (0..100).map(|_| reloader.reload_now());
    let outcomes = futures::future::join_all(calls).await;
    let loaded = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, ReloadOutcome::Loaded { .. }))
        .count();
    // The watch may have been first.
    assert!(loaded <= 1);
    assert!(!outcomes.iter().any(is_refused));
    assert_eq!(running.store.status().reloads_ok, 2);
    assert_eq!(running.name(), "two");
}

/// Waits until the watch has brought a policy of this name into force: well before the periodic look,
/// so that it is the watch that is shown.
async fn watched(running: &Running, name: &str) {
    let mut changes = running.store.changes();
    let arrival = changes.wait_for(|()| running.name() == name);
    let arrived = tokio::time::timeout(LOOK_EVERY / 2, arrival).await;
    assert!(arrived.is_ok(), "`{name}` did not come into force");
}

#[tokio::test]
async fn a_rename_over_the_policy_is_noticed() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let _reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    for name in ["two", "three"] {
        running.write(&policy(name, HEADER));
        watched(&running, name).await;
    }
}

/// Lays a version out the way Kubernetes does, and swaps it in by renaming a symbolic link.
fn swap_in(volume: &Path, version: &str) {
    let folder = volume.join(format!("..{version}"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("policy.yaml"), policy(version, HEADER)).unwrap();
    symlink(format!("..{version}"), volume.join("..data_tmp")).unwrap();
    std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
}

#[tokio::test]
async fn a_config_map_swap_is_noticed() {
    let running = Running::new();
    let volume = running.folder.path();
    swap_in(volume, "one");
    symlink("..data/policy.yaml", volume.join("policy.yaml")).unwrap();
    let _reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    assert_eq!(running.name(), "one");
    for (old, new) in [("one", "two"), ("two", "three")] {
        swap_in(volume, new);
        watched(&running, new).await;
        std::fs::remove_dir_all(volume.join(format!("..{old}"))).unwrap();
    }
    assert_eq!(running.store.status().reloads_failed, 0);
}

#[tokio::test]
async fn a_change_where_a_link_leads_is_noticed() {
    let running = Running::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = write(elsewhere.path(), "policy.yaml", &policy("one", HEADER));
    symlink(target, running.folder.path().join("policy.yaml")).unwrap();
    let _reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    for name in ["two", "three"] {
        write(elsewhere.path(), "policy.yaml", &policy(name, HEADER));
        watched(&running, name).await;
    }
}

#[tokio::test]
async fn a_changed_key_file_elsewhere_is_noticed() {
    let running = Running::new();
    let keys = tempfile::tempdir().unwrap();
    let path = write(keys.path(), "jwks.json", &key_set());
    let reference = format!("file:{}", path.display());
    running.write(&policy("one", KEY_FILE).replace("file:jwks.json", &reference));
    let _reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    let mut changes = running.store.changes();
    // The first may be noticed by the look that the task begins with, the second only by the watch.
    for spaces in [" ", "  "] {
        write(keys.path(), "jwks.json", &format!("{}{spaces}", key_set()));
        let on_disk = load(&running.options().policy).unwrap().revision;
        let arrival =
            changes.wait_for(|()| running.store.status().revision.as_ref() == Some(&on_disk));
        let arrived = tokio::time::timeout(LOOK_EVERY / 2, arrival).await;
        assert!(arrived.is_ok(), "the new keys did not come into force");
    }
}

#[tokio::test]
async fn a_key_file_that_is_repaired_where_it_lies_is_noticed() {
    let running = Running::new();
    running.write(&policy("one", HEADER));
    let _reloader = PolicyReloader::start(running.options(), Arc::clone(&running.store)).unwrap();
    let keys = running.folder.path().join("jwks.json");
    std::fs::write(&keys, "{").unwrap();
    running.write(&policy("two", KEY_FILE));
    let mut left = 200;
    while running.store.status().reloads_failed == 0 && left > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        left -= 1;
    }
    // Whatever was announced has been looked at by now.
    tokio::time::sleep(SETTLE * 4).await;
    std::fs::write(&keys, key_set()).unwrap();
    watched(&running, "two").await;
}
