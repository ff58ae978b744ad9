//! An upstream that is half there: it takes connections and never answers, and it answers and never ends.

use std::collections::BTreeMap;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::answers::{Framing, Size, answer};
use super::origin::{Origin, policy};
use super::{Verdict, judge, on_record_once};
use crate::client::Client;
use crate::process::Process;

/// How many wait at once, of each kind.
const WAITING: usize = 16;

/// The upstream, with a patience that a test can wait for.
fn impatient(address: std::net::SocketAddr) -> String {
    format!("{{ url: \"http://{address}\", read_timeout: 400ms }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_never_answers_or_never_ends_is_a_time_out() {
    let origin = Origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let policy = policy();
    let between = ("", &*impatient(origin.address));
    let process = Process::start_between(between, &[], (folder, ""), &policy).await;
    let base = process.open_files_at_rest().await;
    let length = |size| answer(size, Framing::Chunked).len();
    let (small, long) = (length(Size::Small), length(Size::Long));
    let stuck = [
        ("small-0".to_owned(), Verdict::Told(504)),
        ("small-20".to_owned(), Verdict::Told(504)),
        (format!("small-{}", small / 2), Verdict::Told(504)),
        (format!("small-{}", small - 1), Verdict::Told(504)),
        (format!("long-{}", long / 2), Verdict::Told(504)),
        (format!("long-{}", long - 1), Verdict::Cut),
    ];
    let mut waiting = JoinSet::new();
    for (fault, expected) in stuck {
        for _ in 0..WAITING {
            let (fault, address) = (fault.clone(), process.data);
            waiting.spawn(async move {
                let response = Client::get_once(address, &format!("/stuck/{fault}")).await;
                let verdict = judge(&fault, &response);
                assert_eq!(verdict, expected, "{fault}");
                verdict
            });
        }
    }
    // Whoever asks for something else meanwhile is served.
    let mut served = 0;
    let mut client = Client::connect(process.data).await;
    while !waiting.is_empty() {
        let response = client.get("/cases/1").await;
        assert_eq!(judge("beside", &response), Verdict::Whole);
        served += 1;
        while let Some(ended) = waiting.try_join_next() {
            ended.unwrap();
        }
    }
    drop((client, origin));
    let open = process.lets_go_down_to(base).await;
    println!(
        "half-open: {} exchanges timed out, {served} others were served meanwhile; {open} files open, {base} before",
        6 * WAITING
    );
    on_record_once(process, 6 * WAITING + served);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_only_listens_is_a_time_out_and_takes_no_place_for_ever() {
    // The system takes the connections; nobody ever looks at them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let policy = policy();
    let between = ("", &*impatient(address));
    let process = Process::start_between(between, &[], (folder, ""), &policy).await;
    let base = process.open_files_at_rest().await;
    let mut waiting = JoinSet::new();
    for _ in 0..4 * WAITING {
        let data = process.data;
        waiting.spawn(async move { Client::get_once(data, "/cases/1").await });
    }
    let mut tally = BTreeMap::new();
    for response in waiting.join_all().await {
        *tally.entry(judge("only listens", &response)).or_insert(0) += 1;
    }
    assert_eq!(tally, BTreeMap::from([(Verdict::Told(504), 4 * WAITING)]));
    let origin = Origin::on(listener);
    let response = Client::get_once(process.data, "/cases/1").await;
    assert_eq!(judge("afterwards", &response), Verdict::Whole);
    drop(origin);
    process.lets_go_down_to(base).await;
    on_record_once(process, 4 * WAITING + 1);
}
