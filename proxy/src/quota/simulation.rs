//! Random lives of a ledger, judged by a checker that knows nothing of it.
//!
//! Up to eight clients fetch pages through three replicas while replicas are killed between reserve
//! and emit, the store pauses and restarts, and clocks step and stand still. Whatever happens:
//!
//! * what was delivered within any sliding window is within the limit,
//! * what was charged is at least what was delivered,
//! * and at most that and what was in flight when something ended badly.
//!
//! `POSTERN_RUNS` says how many lives per store, `POSTERN_SEED` where they begin:
//! `POSTERN_RUNS=10000 cargo test -p postern-proxy --lib quota::simulation -- --nocapture`.
//! Plans follow from the seed; how tasks interleave does not.

mod checker;
mod client;
mod dice;
mod mishap;
mod mortal;
mod world;

use std::sync::Arc;

use super::samples::folder;
use super::server::Server;
use checker::Totals;
use client::Client;
use dice::Dice;
use world::{Backing, World};

/// How many lives each store has when nothing else is said.
const RUNS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many lives one store is kept in the same place: a server that restarts reads all of its log.
const RUNS_PER_PLACE: u64 = 100;

/// Lives that many lives on a store, and says what came of them.
async fn live(store: &str, place: impl Fn() -> Backing) {
    let runs = number("POSTERN_RUNS").unwrap_or(RUNS);
    let seed = number("POSTERN_SEED").unwrap_or_else(dice::any_seed);
    println!("{store}: {runs} runs from seed {seed}");
    let mut totals = Totals::default();
    let mut backing = place();
    for run in 0..runs {
        if run % RUNS_PER_PLACE == RUNS_PER_PLACE - 1 {
            backing = place();
        }
        let mut dice = Dice::new(seed.wrapping_add(run));
        let world = World::begin(&backing, &mut dice).await;
        let clients = dice.between(1, world::CLIENTS_MAX);
        let tasks: Vec<_> = (0..clients)
            .map(|_| tokio::spawn(Client::new(Arc::clone(&world), dice.fork()).live()))
            .collect();
        for task in tasks {
            let ended = task.await;
            assert!(
                ended.is_ok(),
                "a client failed; POSTERN_SEED={}",
                seed.wrapping_add(run)
            );
        }
        let judged = world.end().await;
        match judged {
            Ok(delivered) => totals.add(&delivered),
            Err(offence) => panic!(
                "{offence}; POSTERN_SEED={} POSTERN_RUNS=1",
                seed.wrapping_add(run)
            ),
        }
    }
    println!("{store}: {runs} runs, {totals}");
    assert!(
        totals.is_lively(),
        "nothing happened in these lives: {totals}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_never_grants_too_much() {
    live("embedded", || Backing::Folder(folder())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shared_store_never_grants_too_much() {
    if Server::start().is_none() {
        return;
    }
    let place = || {
        let server = Server::start().expect("there was one before");
        Backing::Server(Arc::new(tokio::sync::Mutex::new(server)))
    };
    live("shared", place).await;
}
