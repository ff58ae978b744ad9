//! Everything at once, for as long as wanted: people of several roles log in, read, export, log out and hang up, the
//! application breaks its answers, and the policy is replaced every few hundred milliseconds, by good ones and by bad ones,
//! with sessions, quotas and the audit log on.
//!
//! It prints how often each answer came, and the slopes of memory and open files. It asserts that nothing hidden left,
//! that no answer was of two policies, that nothing is open at the end, and a bound on the growth of memory.

mod desk;
mod people;
mod slopes;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::process::Process;
use super::{audited, count};
use people::{Person, Tally};
use slopes::Slopes;

/// How many people work at once.
const PEOPLE: usize = 12;
/// How often the policy is replaced.
const RELOAD_EVERY: Duration = Duration::from_millis(300);
/// What the memory may grow by between the end of the warm-up and the end. A record of a kilobyte that each exchange left
/// behind would be this after 65,536 exchanges, of which an hour has many times more; the allocator's and the store's
/// caches, which fill up and stay, are less.
const GROWTH_MAX_KIB: f64 = 65_536.0;

/// The host that clients name, as sessions need it.
const HOST: &str = "hosts: [desk.example]";

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_desk_leaks_neither_data_nor_memory_nor_files() {
    let seconds = count("POSTERN_SOAK_SECONDS", 25);
    let origin = desk::Desk::start().await;
    let folder = tempfile::tempdir().unwrap();
    let policy = desk::policy("old");
    let process = Process::start_listening(HOST, &[], (folder, ""), origin.address, &policy).await;
    let base = process.open_files_at_rest().await;
    let process = Arc::new(process);
    let stop = Arc::new(AtomicBool::new(false));
    let mut people = JoinSet::new();
    for number in 0..PEOPLE {
        let person = Person::of(number, process.data);
        people.spawn(person.work(Arc::clone(&stop)));
    }
    let reloading = tokio::spawn(reload(Arc::clone(&process), Arc::clone(&stop)));
    let slopes = watch(&process, Duration::from_secs(seconds as u64)).await;
    stop.store(true, Ordering::SeqCst);
    let mut tally = Tally::default();
    for own in people.join_all().await {
        tally.add_all(own);
    }
    let [loaded, refused] = reloading.await.unwrap();
    let process = Arc::into_inner(process).expect("nobody else holds it");
    // Connections that are pooled go with the other side.
    drop(origin);
    let open = process.lets_go_down_to(base).await;
    println!(
        "soak: {seconds} s, {} answers, {loaded} policies loaded, {refused} refused",
        tally.answers()
    );
    println!("{tally}");
    println!("{slopes}, {open} files open at the end, {base} before");
    assert!(loaded > 0 && refused > 0 && tally.answers() > 0);
    tally.judge(&process.log());
    assert!(
        slopes.grown_kib() <= GROWTH_MAX_KIB,
        "the memory grew by {} KiB",
        slopes.grown_kib()
    );
    on_record(process);
}

/// Looks at memory and open files twice a second until the time is over.
async fn watch(process: &Process, time: Duration) -> Slopes {
    let (begun, mut slopes) = (Instant::now(), Slopes::default());
    while begun.elapsed() < time {
        let (memory, files) = (process.memory_kib("VmRSS"), process.open_files().await);
        slopes.note(begun.elapsed(), memory, files);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    slopes
}

/// Replaces the policy until it is time to stop: a good one, then one that is refused. How many of each there were.
async fn reload(process: Arc<Process>, stop: Arc<AtomicBool>) -> [usize; 2] {
    let bad = bad_policies();
    let mut turns = [0, 0];
    while !stop.load(Ordering::SeqCst) {
        let turn = turns[0] + turns[1];
        let good = turn % 3 != 2;
        match good {
            true => process.write_policy(&desk::policy(if turn % 2 == 0 { "new" } else { "old" })),
            false => process.write_policy(&bad[turn % bad.len()]),
        }
        let asking = Arc::clone(&process);
        let code = tokio::task::spawn_blocking(move || asking.reload()).await;
        assert_eq!(code.unwrap() == 0, good, "turn {turn}: {}", process.log());
        turns[usize::from(!good)] += 1;
        tokio::time::sleep(RELOAD_EVERY).await;
    }
    turns
}

/// The committed bad policies.
fn bad_policies() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/policy/bad");
    let files = fs::read_dir(folder).unwrap();
    let mut texts: Vec<String> = files
        .filter_map(|file| fs::read_to_string(file.unwrap().path()).ok())
        .collect();
    texts.sort();
    texts
}

/// The log is whole, and each exchange that it announces ended once.
fn on_record(process: Process) {
    let verified = process.verified();
    assert!(verified.contains("integrity: ok"), "{verified}");
    let folder = process.stopped();
    let mut ends = std::collections::BTreeMap::<String, usize>::new();
    audited::each_entry(&folder.path().join("state/audit"), |entry| {
        if entry["class_uid"] == 6003 {
            let id = entry["metadata"]["correlation_uid"]
                .as_str()
                .unwrap()
                .to_owned();
            let is_end = entry["unmapped"]["postern"]["phase"] != "intent";
            *ends.entry(id).or_default() += usize::from(is_end);
        }
    });
    assert!(
        ends.values().all(|times| *times == 1),
        "not one end for each"
    );
    println!(
        "soak: {} exchanges on record, each of them once",
        ends.len()
    );
}
