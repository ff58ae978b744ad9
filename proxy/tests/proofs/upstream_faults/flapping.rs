//! An upstream that comes and goes: it serves, hangs up at once, resets at once, and does not listen, in turns.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Tally, Verdict, add, judge, on_record_once, origin};
use crate::client::Client;
use crate::count;
use crate::process::Process;

/// How many clients ask meanwhile.
const CLIENTS: usize = 8;

/// What it does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Serves,
    HangsUp,
    Resets,
    Refuses,
}

const MOODS: [Mood; 6] = [
    Mood::Serves,
    Mood::HangsUp,
    Mood::Serves,
    Mood::Resets,
    Mood::Serves,
    Mood::Refuses,
];

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_flaps_costs_answers_and_nothing_else() {
    let flaps = count("POSTERN_FLAPS", 60);
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap();
    drop(first);
    let (told, mood) = watch::channel(Mood::Serves);
    let flapping = tokio::spawn(flap(address, mood));
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with(folder, address, None, &origin::policy()).await;
    let base = process.open_files_at_rest().await;
    let (over, stop) = watch::channel(false);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask_until(process.data, stop.clone()));
    }
    for flap in 0..flaps {
        told.send_replace(MOODS[flap % MOODS.len()]);
        // Each mood lasts a moment: long enough for some requests, and for some to meet its end.
        tokio::time::sleep(Duration::from_millis(20 + (flap as u64 * 7) % 20)).await;
    }
    told.send_replace(Mood::Serves);
    over.send_replace(true);
    let mut tally = Tally::new();
    for own in clients.join_all().await {
        for (verdict, times) in own {
            *tally.entry(verdict).or_default() += times;
        }
    }
    let asked: usize = tally.values().sum();
    assert!(
        !tally.contains_key(&Verdict::Cut),
        "nothing this short is begun and cut: {tally:?}"
    );
    assert!(tally.len() >= 2, "it both served and failed: {tally:?}");
    let afterwards = settled(process.data).await;
    flapping.abort();
    let open = process.lets_go_down_to(base).await;
    println!(
        "flapping: {flaps} turns, {asked} requests, {tally:?}; {open} files open, {base} before"
    );
    on_record_once(process, asked + afterwards);
}

/// Asks until it listens again, and then nothing fails any more. How many requests that took.
async fn settled(address: SocketAddr) -> usize {
    let mut client = Client::connect(address).await;
    let (mut asked, mut whole) = (0, 0);
    while whole < 20 {
        let response = client.get("/cases/1").await;
        let verdict = judge("afterwards", &response);
        assert!(
            asked < 1_000 && (verdict == Verdict::Whole || whole == 0),
            "{verdict:?}"
        );
        whole += usize::from(verdict == Verdict::Whole);
        asked += 1;
        if response.header("connection") == Some("close") {
            client = Client::connect(address).await;
        }
    }
    asked
}

async fn ask_until(address: SocketAddr, stop: watch::Receiver<bool>) -> Tally {
    let mut tally = Tally::new();
    let mut client = Client::connect(address).await;
    while !*stop.borrow() {
        let response = client.get("/cases/1").await;
        add(&mut tally, judge("flapping", &response));
        if response.header("connection") == Some("close") {
            client = Client::connect(address).await;
        }
    }
    tally
}

/// Follows the mood until the end.
async fn flap(address: SocketAddr, mut mood: watch::Receiver<Mood>) {
    let mut serving = JoinSet::new();
    loop {
        let now = *mood.borrow_and_update();
        if now == Mood::Refuses {
            // Connections that are open go with it, as when a process ends.
            serving.shutdown().await;
            if mood.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = listening(address).await;
        while *mood.borrow() == now {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = mood.changed() => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            match now {
                Mood::Serves => {
                    serving.spawn(origin::serve(stream));
                }
                Mood::Resets => drop(stream.set_zero_linger()),
                Mood::HangsUp | Mood::Refuses => drop(stream),
            }
        }
        if mood.has_changed().is_err() {
            return;
        }
        if *mood.borrow() != Mood::Serves {
            serving.shutdown().await;
        }
    }
}

/// The address may still be taken for a moment.
async fn listening(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_taken) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}
