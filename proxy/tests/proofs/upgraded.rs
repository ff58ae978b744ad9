//! A new process takes the place of the old one under load: nobody is refused, no connection is reset, every
//! answer is whole, and the audit log is one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::TcpStream;

use super::client::Client;
use super::process::Process;
use super::{count, origin};

/// What the clients of one run saw.
#[derive(Default)]
struct Tally {
    whole: AtomicUsize,
    connections: AtomicUsize,
    refused: AtomicUsize,
    reset: AtomicUsize,
    odd: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_take_over_under_load_and_refuse_and_reset_nobody() {
    let upgrades = count("POSTERN_UPGRADES", 3);
    let origin = origin::start().await;
    let mut process = Process::start(origin, None).await;
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..16)
        .map(|number| {
            // Some keep their connection, and some take a new one for each request.
            let keeps = number % 4 != 0;
            tokio::spawn(load(
                process.data,
                keeps,
                Arc::clone(&tally),
                Arc::clone(&stop),
            ))
        })
        .collect();
    for upgrade in 1..=upgrades {
        let before = tally.whole.load(Ordering::Relaxed);
        while tally.whole.load(Ordering::Relaxed) < before + 50 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let old = process.child.id();
        process = process.upgraded().await;
        assert_ne!(process.child.id(), old, "upgrade {upgrade}");
    }
    let before = tally.whole.load(Ordering::Relaxed);
    while tally.whole.load(Ordering::Relaxed) < before + 50 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let counted = [
        &tally.whole,
        &tally.connections,
        &tally.refused,
        &tally.reset,
        &tally.odd,
    ];
    let [whole, connections, refused, reset, odd] =
        counted.map(|count| count.load(Ordering::Relaxed));
    println!(
        "upgrade: {upgrades} processes took over, {whole} whole answers on {connections} connections, {refused} refused, {reset} reset, {odd} odd answers"
    );
    assert_eq!((refused, reset, odd), (0, 0, 0), "{}", process.log());
    let verified = process.verified();
    assert!(verified.contains("integrity: ok"), "{verified}");
}

/// Asks until it is told to stop.
async fn load(address: SocketAddr, keeps: bool, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    let one_more = |counter: &AtomicUsize| {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    while !stop.load(Ordering::Relaxed) {
        let Ok(stream) = TcpStream::connect(address).await else {
            one_more(&tally.refused);
            continue;
        };
        one_more(&tally.connections);
        let mut client = Client::over(stream);
        while !stop.load(Ordering::Relaxed) {
            if client.try_send("/cases/1").await.is_err() {
                one_more(&tally.reset);
                break;
            }
            let answer = client.response().await;
            match (answer.status, answer.complete) {
                (200, true) => one_more(&tally.whole),
                (0, _) | (_, false) => one_more(&tally.reset),
                (_, true) => one_more(&tally.odd),
            }
            let closes = answer.header("connection") == Some("close");
            if !keeps || closes || !answer.complete {
                break;
            }
        }
    }
}
