//! Three times as many requests as there is room for: what is too much is told so at once, everything else is
//! answered and redacted, and afterwards it is as before.
//!
//! The load is open: requests are due at a rate, whatever becomes of those before. It prints what was served in each
//! second in peace and under overload, and asserts no time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::client::{Client, Response};
use super::process::{Process, policy};
use super::waits::Waits;
use super::{count, origin};

/// How many exchanges may run at once, and how long the application takes for each: together they are what can be
/// served in a second.
const EXCHANGES: usize = 8;
const MILLISECONDS: usize = 100;
const CAPACITY: usize = EXCHANGES * 1_000 / MILLISECONDS;

/// What became of a load.
#[derive(Default)]
struct Tally {
    served: Vec<Duration>,
    shed: Vec<Duration>,
}

#[tokio::test(flavor = "multi_thread")]
async fn three_times_the_capacity_is_shed_and_the_rest_is_served() {
    let seconds = count("POSTERN_OVERLOAD_SECONDS", 3);
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("limits: {{ exchanges: {EXCHANGES} }}\n");
    let origin = origin::start().await;
    let process = Process::start_as((folder, &lines), origin, None, &policy("old")).await;
    let calm = load(process.data, CAPACITY / 2, seconds).await;
    tell("half of the capacity", &calm, seconds);
    let base = process.memory_kib("VmRSS");
    let over = load(process.data, CAPACITY * 3, seconds).await;
    tell("three times the capacity", &over, seconds);
    assert!(!over.shed.is_empty() && !over.served.is_empty());
    let peak = process.memory_kib("VmHWM");
    println!("overload: base {base} KiB, peak {peak} KiB");
    let mut client = Client::connect(process.data).await;
    for _ in 0..50 {
        assert_eq!(judged(&client.get("/cases/7").await), 200, "afterwards");
    }
    let again = load(process.data, CAPACITY / 2, seconds).await;
    tell("half of the capacity again", &again, seconds);
}

fn tell(what: &str, tally: &Tally, seconds: usize) {
    let (served, shed) = (tally.served.len(), tally.shed.len());
    let goodput = served / seconds;
    println!(
        "overload: {what} for {seconds} s: {goodput} served a second of {CAPACITY}; served {}; shed {shed}: {}",
        Waits::of(tally.served.clone()),
        Waits::of(tally.shed.clone()),
    );
    assert!(served > 0, "{what}: nothing was served");
}

/// Sends so many requests in each second, each when it is due, over connections that are used again.
async fn load(address: SocketAddr, rate: usize, seconds: usize) -> Tally {
    let idle = Arc::new(Mutex::new(Vec::<Client>::new()));
    let mut due = interval(Duration::from_secs(1) / u32::try_from(rate).unwrap());
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asking = JoinSet::new();
    for _ in 0..rate * seconds {
        let due = due.tick().await;
        let idle = Arc::clone(&idle);
        asking.spawn(async move {
            let used = idle.lock().unwrap().pop();
            let mut client = match used {
                Some(client) => client,
                None => Client::connect(address).await,
            };
            let status = judged(&client.get(&format!("/slow/{MILLISECONDS}")).await);
            idle.lock().unwrap().push(client);
            (status, Instant::now() - due)
        });
    }
    let mut tally = Tally::default();
    for (status, waited) in asking.join_all().await {
        match status {
            200 => tally.served.push(waited),
            _ => tally.shed.push(waited),
        }
    }
    tally
}

/// The status of an answer, which is right: 200 and redacted, or 503 that says so and when to come back.
fn judged(answer: &Response) -> u16 {
    let body = String::from_utf8_lossy(&answer.body);
    assert!(answer.complete, "{answer:?}");
    assert!(!body.contains(origin::CANARY), "{body}");
    match answer.status {
        200 => assert!(
            body.contains(r#""customer":{"name":"old","email":"old"}"#),
            "{body}"
        ),
        503 => {
            assert!(body.contains("overloaded"), "{body}");
            assert!(answer.header("retry-after").is_some(), "{}", answer.head);
        }
        other => panic!("{other}: {body}"),
    }
    answer.status
}
