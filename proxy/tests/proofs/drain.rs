//! SIGTERM with exchanges in flight: all of them finish, and the process is gone within `drain`.

use std::time::Duration;

use tokio::time::Instant;

use super::client::Client;
use super::{origin, process::Process};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_200_exchanges_in_flight() {
    let origin = origin::start().await;
    let mut process = Process::start(origin, None).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = Client::connect(process.data).await;
        client.send("/slow/3000").await;
        clients.push(client);
    }
    wait_for_in_flight(&process, 200).await;
    process.signal("-TERM");
    let begun = Instant::now();
    let mut finished = 0;
    for mut client in clients {
        let response = client.response().await;
        let whole = response.status == 200 && response.complete;
        finished += usize::from(whole && response.body.starts_with(b"{\"id\":3000"));
    }
    assert_eq!(finished, 200, "exchanges that finished: {}", process.log());
    let status = tokio::task::spawn_blocking(move || process.child.wait().unwrap())
        .await
        .unwrap();
    let elapsed = begun.elapsed();
    assert!(status.success(), "exit {status}");
    assert!(
        elapsed < Duration::from_secs(10),
        "gone after {elapsed:?}, drain is 10 s"
    );
    println!("drain: {finished}/200 finished, process gone {elapsed:?} after SIGTERM");
}

/// Waits until the gauge of running exchanges says that every request has arrived.
async fn wait_for_in_flight(process: &Process, expected: usize) {
    let mut client = Client::connect(process.admin).await;
    for _ in 0..200 {
        client.send_to("/metrics", &process.admin.to_string()).await;
        let text = String::from_utf8(client.response().await.body).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("postern_exchanges_in_flight"));
        let running = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        if running.is_some_and(|running| running >= expected as f64) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{expected} exchanges were never in flight at once");
}
