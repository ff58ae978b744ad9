//! HTTP/2 under attack, and HTTP/1.1 (`first_version`): while somebody floods one connection after the other, a
//! client that behaves gets every answer, whole and redacted.
//!
//! It prints what that client waits, beside what it waits in peace, and asserts no time. The waits mean
//! something in a release build on a calm machine. A window of nothing has 800 large answers prepared at once, and
//! whoever asks meanwhile waits behind that work: the longest waits under it are those of the first requests. To run it:
//! `POSTERN_FRAMES=200000 cargo test --release -p postern-proxy --test proofs attacked -- --nocapture`.

mod attacks;
mod first_version;

use std::sync::Arc;

use tokio::time::Instant;

use super::process::Process;
use super::second_version::{Authority, Outcome, get};
use super::waits::Waits;
use super::{count, origin};

use attacks::{ALL, Attack, Done};

/// How many requests the client sends at least, in peace and during each attack.
const REQUESTS_MIN: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_behaves_is_served_through_every_attack() {
    let frames = count("POSTERN_FRAMES", 2_000);
    let authority = Arc::new(Authority::new());
    let (folder, tls) = authority.folder();
    let process = Process::start_in(folder, origin::start().await, Some(&tls)).await;
    let calm = ask(&authority, &process, || true).await;
    println!("attacked: in peace: {calm}");
    for attack in ALL {
        let (waits, done) = under(attack, frames, &authority, &process).await;
        println!(
            "attacked: {attack}: {waits}; {} turns on {} connections, {} of them ended with an error",
            done.frames, done.connections, done.ended
        );
        assert!(done.frames >= frames.min(attack.frames_max()), "{attack}");
    }
    let after = ask(&authority, &process, || true).await;
    println!(
        "attacked: in peace again: {after}; peak {} KiB",
        process.memory_kib("VmHWM")
    );
}

/// The client's waits while one attack runs, and what the attack did.
async fn under(
    attack: Attack,
    frames: usize,
    authority: &Arc<Authority>,
    process: &Process,
) -> (Waits, Done) {
    let (told, over) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(attack.run(Arc::clone(authority), process.data, frames, over));
    let waits = if attack.holds() {
        ask(authority, process, || true).await
    } else {
        ask(authority, process, || running.is_finished()).await
    };
    told.send_replace(true);
    (waits, running.await.unwrap())
}

/// Asks on a new connection until it is enough; every answer has to be right.
async fn ask(authority: &Authority, process: &Process, enough: impl Fn() -> bool) -> Waits {
    let mut client = authority.connect(process.data).await;
    let mut waits = Vec::new();
    while waits.len() < REQUESTS_MIN || !enough() {
        let begun = Instant::now();
        let outcome = get(&mut client, "/cases/7").await;
        waits.push(begun.elapsed());
        let Outcome::Complete(200, body) = &outcome else {
            panic!("{outcome:?}: {}", process.log());
        };
        let name = r#""customer":{"name":"old","email":"old"}"#;
        assert!(
            body.contains(name) && !body.contains(origin::CANARY),
            "{body}"
        );
    }
    Waits::of(waits)
}
