//! An upstream that ends or resets its connection after any byte of its answer.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::answers::{End, Fault, Framing, Size, answer, kinds, offsets};
use super::origin::{Origin, policy};
use super::{Tally, Verdict, add, judge, judge_h2, on_record_once};
use crate::client::Client;
use crate::count;
use crate::process::Process;
use crate::second_version::{Authority, Outcome, get};

/// How many clients break answers at once.
const CLIENTS: usize = 8;

/// Every fault of one kind, dealt out to the clients.
fn dealt(size: Size, framing: Framing, end: End) -> Vec<Vec<Fault>> {
    let length = answer(size, framing).len();
    let mut hands = vec![Vec::new(); CLIENTS];
    let offsets = offsets(size, length, count("POSTERN_OFFSETS", 24));
    for (number, at) in offsets.into_iter().enumerate() {
        hands[number % CLIENTS].push(Fault {
            size,
            framing,
            end,
            at,
        });
    }
    hands
}

/// What may become of an answer that broke: a small one is never begun.
fn check(fault: Fault, verdict: Verdict) {
    match (fault.size, verdict) {
        (_, Verdict::Told(_)) | (Size::Long, Verdict::Cut) => {}
        (_, Verdict::Whole) | (Size::Small, Verdict::Cut) => panic!("{fault:?}: {verdict:?}"),
    }
}

fn print(version: &str, kind: (Size, Framing, End), tally: &Tally) {
    let (size, framing, end) = kind;
    let all: usize = tally.values().sum();
    println!("broken, {version}: {size:?} {framing:?} {end:?}: {all} broken, {tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_anywhere_is_told_or_visibly_cut_over_http1() {
    let origin = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with(folder, origin.address, None, &policy()).await;
    let base = process.open_files_at_rest().await;
    let mut asked = 0;
    for (size, framing, end) in kinds() {
        let mut clients = JoinSet::new();
        for hand in dealt(size, framing, end) {
            clients.spawn(break_all(process.data, hand));
        }
        let mut tally = Tally::new();
        for (own, requests) in clients.join_all().await {
            asked += requests;
            for (verdict, times) in own {
                *tally.entry(verdict).or_default() += times;
            }
        }
        print("HTTP/1.1", (size, framing, end), &tally);
    }
    // Connections that are pooled go with the other side.
    drop(origin);
    let open = process.lets_go_down_to(base).await;
    println!("broken, HTTP/1.1: {asked} requests, {open} files open, {base} before");
    on_record_once(process, asked);
}

/// Breaks one answer after the other, and asks for a good one after each.
async fn break_all(address: std::net::SocketAddr, hand: Vec<Fault>) -> (Tally, usize) {
    let (mut tally, mut asked) = (Tally::new(), 0);
    let mut client = Client::connect(address).await;
    for fault in hand {
        let what = format!("{fault:?}");
        let response = client.get(&fault.path()).await;
        let verdict = judge(&what, &response);
        check(fault, verdict);
        add(&mut tally, verdict);
        if response.header("connection") == Some("close") || !response.complete {
            client = Client::connect(address).await;
        }
        let next = client.get("/cases/1").await;
        assert_eq!(judge(&what, &next), Verdict::Whole, "after {what}");
        asked += 2;
    }
    (tally, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_anywhere_is_told_or_reset_over_http2() {
    let origin = Origin::start().await;
    let authority = Arc::new(Authority::new());
    let (folder, tls) = authority.folder();
    let process = Process::start_with(folder, origin.address, Some(&tls), &policy()).await;
    let base = process.open_files_at_rest().await;
    let mut asked = 0;
    for (size, framing, end) in kinds() {
        let mut clients = JoinSet::new();
        for hand in dealt(size, framing, end) {
            let (authority, address) = (Arc::clone(&authority), process.data);
            clients.spawn(async move {
                // One connection through all of it: a stream that is reset concerns no other.
                let mut connection = authority.connect(address).await;
                let mut verdicts = Vec::new();
                for fault in hand {
                    let what = format!("{fault:?}");
                    let outcome = get(&mut connection, &fault.path()).await;
                    let verdict = judge_h2(&what, &outcome);
                    check(fault, verdict);
                    verdicts.push(verdict);
                    let next = get(&mut connection, "/cases/1").await;
                    assert!(matches!(next, Outcome::Complete(200, _)), "after {what}");
                    assert_eq!(judge_h2(&what, &next), Verdict::Whole);
                }
                verdicts
            });
        }
        let mut tally = Tally::new();
        for verdict in clients.join_all().await.into_iter().flatten() {
            add(&mut tally, verdict);
            asked += 2;
        }
        print("HTTP/2", (size, framing, end), &tally);
    }
    // Connections that are pooled go with the other side.
    drop(origin);
    let open = process.lets_go_down_to(base).await;
    println!("broken, HTTP/2: {asked} requests, {open} files open, {base} before");
    on_record_once(process, asked);
}
