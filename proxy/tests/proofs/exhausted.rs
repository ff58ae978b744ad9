//! No file descriptors left: whoever is served is served right or told that it cannot be, nothing is changed by
//! halves, and when some are free again everything is as before.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::client::{Client, Response};
use super::process::{Process, policy};
use super::{count, origin};

/// How many files it may open beside those that are open, and how many connections come.
const LEFT: u64 = 24;
const CROWD: usize = 120;
/// How many requests a client sends while there are none left.
const REQUESTS: usize = 40;
/// How often, and how long apart, somebody looks whether it has recovered.
const LOOKS: usize = 500;
const APART: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread")]
async fn recovers_when_there_are_descriptors_again_and_tells_nothing_meanwhile() {
    let times = count("POSTERN_EXHAUSTIONS", 2);
    let folder = tempfile::tempdir().unwrap();
    let lines = "audit: { checkpoint: 1s }\n";
    let origin = origin::start().await;
    let mut process = Process::start_as((folder, lines), origin, None, &policy("old")).await;
    let mut revision = "old".to_owned();
    for time in 1..=times {
        let mut client = Client::connect(process.data).await;
        assert_eq!(judged(&client.get("/cases/7").await, &[&revision]), 200);
        leave(&process, LEFT);
        let crowd = crowd(&process).await;
        let next = format!("new{time}");
        process.write_policy(&policy(&next));
        process.signal("-HUP");
        let (mut served, mut told) = (0, 0);
        for _ in 0..REQUESTS {
            // Whether the new policy could be read or not: it is one of the two.
            match judged(&client.get("/cases/7").await, &[&revision, &next]) {
                200 => served += 1,
                0 => client = Client::connect(process.data).await,
                _ => told += 1,
            }
            sleep(APART).await;
        }
        let open = open(&process);
        assert!(
            process.child.try_wait().unwrap().is_none(),
            "{}",
            process.log()
        );
        drop(crowd);
        let looks = recovered(&process, &[&revision, &next]).await;
        assert_eq!(process.reload(), 0, "{}", process.log());
        let fresh = Client::get_once(process.data, "/cases/8").await;
        assert_eq!(judged(&fresh, &[&next]), 200, "the policy that is there");
        println!(
            "exhausted: {time}: {open} open, {CROWD} came; of {REQUESTS} requests {served} were served and {told} refused; served again at look {looks}"
        );
        revision = next;
    }
    let verified = process.verified();
    assert!(verified.contains("integrity: ok"), "{verified}");
    drop(process.stopped());
}

/// How many files the process has open.
fn open(process: &Process) -> u64 {
    let open = fs::read_dir(format!("/proc/{}/fd", process.child.id())).unwrap();
    u64::try_from(open.count()).unwrap()
}

/// Lets the process open so many files more.
fn leave(process: &Process, more: u64) {
    let pid = Pid::from_raw(i32::try_from(process.child.id()).unwrap());
    let most = Rlimit {
        current: Some(open(process) + more),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(pid, Resource::Nofile, most).unwrap();
}

/// More connections than there are descriptors for, each with a request; of what they are told nothing may be
/// hidden data.
async fn crowd(process: &Process) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut stream = TcpStream::connect(process.data).await.unwrap();
        let request = "GET /slow/300 HTTP/1.1\r\nHost: desk.example\r\nX-Subject: bob\r\nX-Roles: agent\r\n\r\n";
        let _refused = stream.write_all(request.as_bytes()).await;
        crowd.push(stream);
    }
    for stream in &mut crowd {
        let mut bytes = vec![0; 4096];
        // Whoever waits to be accepted hears nothing.
        let heard = timeout(APART, stream.read(&mut bytes)).await;
        bytes.truncate(heard.ok().and_then(Result::ok).unwrap_or(0));
        assert!(!String::from_utf8_lossy(&bytes).contains(origin::CANARY));
    }
    crowd
}

/// Waits until a new connection is served again; how often it looked.
async fn recovered(process: &Process, constants: &[&str]) -> usize {
    for look in 1..=LOOKS {
        let answer = Client::get_once(process.data, "/cases/7").await;
        if judged(&answer, constants) == 200 {
            return look;
        }
        sleep(APART).await;
    }
    panic!("it did not recover: {}", process.log());
}

/// The status of an answer, which is right: redacted by one of these constants, a problem, or none at all (0).
fn judged(answer: &Response, constants: &[&str]) -> u16 {
    let body = String::from_utf8_lossy(&answer.body);
    assert!(!body.contains(origin::CANARY), "{body}");
    match answer.status {
        0 => {}
        200 => assert!(
            answer.complete && constants.iter().any(|constant| body.contains(constant)),
            "{body}"
        ),
        502..=504 => assert!(answer.complete, "{answer:?}"),
        other => panic!("{other}: {body}"),
    }
    answer.status
}
