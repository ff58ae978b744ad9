//! What an idle connection costs in memory: thousands that were served once and are kept, while somebody else is
//! served, and of which each is served again.
//!
//! Over TCP the price has a bound. Over TLS, with HTTP/1.1 or HTTP/2, it is printed.

use std::fmt::Display;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::client::{Client, Response};
use super::process::{Process, policy};
use super::second_version::{Authority, Outcome, get};
use super::{count, descriptors, origin};

/// What one idle connection over TCP may add to what the process holds.
const KIB_EACH: f64 = 20.0;
/// How many connections are opened at the same time.
const LANES: usize = 16;
/// Of so many connections one is over TLS: their clients cost this process more than Postern.
const TLS_SHARE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_costs_little() {
    let connections = descriptors::allowed(count("POSTERN_IDLE", 1_000));
    let process = start(tempfile::tempdir().unwrap(), None, connections).await;
    let address = process.data;
    let open = || async move {
        let mut client = Client::connect(address).await;
        check(&client.get("/cases/7").await);
        client
    };
    let (held, each) = hold(&process, "HTTP/1.1", connections, open).await;
    assert!(each <= KIB_EACH, "{each:.1} KiB: {}", process.log());
    check(&Client::get_once(address, "/cases/8").await);
    for mut client in held {
        check(&client.get("/cases/9").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_over_tls_costs_what_is_printed() {
    let connections = descriptors::allowed(count("POSTERN_IDLE", 1_000)) / TLS_SHARE;
    let authority = Arc::new(Authority::new());
    let (folder, tls) = authority.folder();
    let process = start(folder, Some(&tls), 2 * connections).await;
    let address = process.data;
    let open = || {
        let authority = Arc::clone(&authority);
        async move {
            let mut client = Client::over(authority.agreed_on(b"http/1.1", address).await);
            check(&client.get("/cases/7").await);
            client
        }
    };
    let (held, _each) = hold(&process, "HTTP/1.1 over TLS", connections, open).await;
    let open = || {
        let authority = Arc::clone(&authority);
        async move {
            let mut client = authority.connect(address).await;
            check_second(&get(&mut client, "/cases/7").await);
            client
        }
    };
    let (held_second, _each) = hold(&process, "HTTP/2 over TLS", connections, open).await;
    for mut client in held {
        check(&client.get("/cases/9").await);
    }
    for mut client in held_second {
        check_second(&get(&mut client, "/cases/9").await);
    }
}

async fn start(folder: tempfile::TempDir, tls: Option<&str>, connections: usize) -> Process {
    let lines = format!("limits: {{ connections: {} }}\n", connections + 100);
    let origin = origin::start().await;
    Process::start_as((folder, &lines), origin, tls, &policy("old")).await
}

/// Opens so many connections that are served once each, and prints what each added.
async fn hold<C, F>(
    process: &Process,
    what: impl Display,
    connections: usize,
    open: impl Fn() -> F,
) -> (Vec<C>, f64)
where
    C: Send + 'static,
    F: Future<Output = C> + Send + 'static,
{
    // What is allocated once, and what the busiest moment leaves behind, is not the connections'.
    drop(opened(LANES * 4, &open).await);
    let base = process.memory_kib("VmRSS");
    let held = opened(connections, &open).await;
    let with = process.memory_kib("VmRSS");
    let added = u32::try_from(with.saturating_sub(base)).unwrap();
    let each = f64::from(added) / f64::from(u32::try_from(connections).unwrap());
    println!(
        "idle: {connections} connections, {what}: {each:.1} KiB each; base {base} KiB, with them {with} KiB"
    );
    (held, each)
}

/// So many connections, some at a time.
async fn opened<C, F>(connections: usize, open: &impl Fn() -> F) -> Vec<C>
where
    C: Send + 'static,
    F: Future<Output = C> + Send + 'static,
{
    let (mut opening, mut held) = (JoinSet::new(), Vec::with_capacity(connections));
    while held.len() < connections {
        while opening.len() < LANES && held.len() + opening.len() < connections {
            opening.spawn(open());
        }
        held.extend(opening.join_next().await.map(Result::unwrap));
    }
    held
}

fn check(response: &Response) {
    let body = String::from_utf8_lossy(&response.body);
    assert!(response.status == 200 && response.complete, "{response:?}");
    assert!(
        body.contains("old") && !body.contains(origin::CANARY),
        "{body}"
    );
}

fn check_second(outcome: &Outcome) {
    let Outcome::Complete(200, body) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        body.contains("old") && !body.contains(origin::CANARY),
        "{body}"
    );
}
