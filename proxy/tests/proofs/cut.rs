//! An upstream that dies at every byte of a 4 KiB answer: the client gets a 502 or a visibly cut
//! message, and never a hidden byte.

use super::client::Client;
use super::origin::{self, CANARY};
use super::process::Process;
use super::second_version::{Authority, Outcome, get};

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_is_visible_to_an_http1_client() {
    let process = Process::start(origin::start().await, None).await;
    let whole = Client::get_once(process.data, "/cut/4096").await;
    assert!(
        whole.complete && whole.status == 200,
        "the uncut answer must pass: {}",
        process.log()
    );
    assert!(!String::from_utf8_lossy(&whole.body).contains(CANARY));
    let (mut refused, mut cut) = (0, 0);
    for bytes in 0..4096 {
        let response = Client::get_once(process.data, &format!("/cut/{bytes}")).await;
        let text = String::from_utf8_lossy(&response.body).into_owned() + &response.head;
        assert!(
            !text.contains("victim"),
            "cut at {bytes}: a hidden value left"
        );
        match (response.status, response.complete) {
            (502, true) => refused += 1,
            (200, false) => cut += 1,
            other => panic!("cut at {bytes}: {other:?} looks like success"),
        }
    }
    println!("cut, HTTP/1.1: 4096 cuts, {refused} answered 502, {cut} visibly cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_is_visible_to_an_http2_client() {
    let authority = Authority::new();
    let (folder, tls) = authority.folder();
    let process = Process::start_in(folder, origin::start().await, Some(&tls)).await;
    let mut connection = authority.connect(process.data).await;
    let whole = get(&mut connection, "/cut/4096").await;
    assert!(
        matches!(whole, Outcome::Complete(200, _)),
        "{whole:?}: {}",
        process.log()
    );
    let (mut refused, mut reset) = (0, 0);
    for bytes in 0..4096 {
        match get(&mut connection, &format!("/cut/{bytes}")).await {
            Outcome::Complete(502, body) => {
                assert!(
                    !body.contains("victim"),
                    "cut at {bytes}: a hidden value left"
                );
                refused += 1;
            }
            Outcome::Reset(body) => {
                assert!(
                    !body.contains("victim"),
                    "cut at {bytes}: a hidden value left"
                );
                reset += 1;
            }
            Outcome::Complete(status, _) => panic!("cut at {bytes}: {status} looks like success"),
        }
    }
    println!("cut, HTTP/2: 4096 cuts, {refused} answered 502, {reset} reset");
}
