//! What counting, the audit log, telemetry and sessions cost: the same requests through two processes of the same
//! build, one that does it and one that does not, in turns.
//!
//! It prints ratios, of throughput and of processor time per request, as medians over the rounds with
//! their smallest and largest; it asserts only that every answer was whole, and that what was counted
//! was counted. A ratio means something in a release build on a calm machine:
//! `POSTERN_ROUNDS=20 cargo test --release -p postern-proxy --test proofs ratio -- --nocapture`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postern_proxy::clock::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::client::Client;
use super::process::Process;
use super::{count, origin};

/// How many clients ask at once, each on a connection of its own.
const CLIENTS: usize = 8;
/// How many requests each client sends per turn of one round: in the short slice, and otherwise.
const REQUESTS: (usize, usize) = (20, 1_500);

/// What is asked for, and how many records are in it.
const PATHS: [(&str, usize); 3] = [("/cases/1", 1), ("/page/50", 50), ("/page/500", 500)];

/// One turn: how long it took, and how long the process worked for it.
#[derive(Debug, Clone, Copy)]
struct Turn {
    elapsed: Duration,
    worked: Duration,
}

/// No audit log, so that only what is compared differs.
const NO_AUDIT: &str = "audit: off\n";

/// Nobody ever reaches these limits; each record, data subject and byte is charged all the same.
const QUOTAS: &str = "quotas:
  records: { unit: records, per: identity, window: 24h, limit: { agent: 1000000000000 } }
  subjects: { unit: subjects, per: identity, window: 24h, limit: { agent: 1000000 } }
";

/// Neighbours say who asks.
const BY_HEADER: &str = "{ from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }";
/// A login says who asks.
const BY_SESSION: &str = "{ from: session, login: { match: GET /login, success: { status: 200 }, user: { json: $.user } }, roles: { '*': agent }, without_a_role: deny }";
/// What ties a session to its holder is looked at with every request.
const SESSIONS: &str = "sessions: { bind: [context], required: { export: 0 } }\n";

fn policy(identity: &str, quotas: &str) -> String {
    format!(
        r#"policy: v1
name: ratio
identity: {identity}
labels:
  pii: Personal data
routes:
  cases:
    match: GET /cases/{{id}}
    label:
      $.customer.name: pii
      $.customer.email: pii
    subjects: $.id
  pages:
    match: GET /page/{{records}}
    label:
      $[*].customer.name: pii
      $[*].customer.email: pii
    records: $[*]
    subjects: $[*].id
  everything_else:
    match: ANY /{{path...}}
    deny: true
roles:
  agent:
    sees:
      pii: {{ redact: {{ with: "hidden" }} }}
{quotas}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_has_a_price_that_is_printed() {
    let origin = origin::start().await;
    let bare = start(origin, NO_AUDIT, "").await;
    let counted = start(origin, NO_AUDIT, QUOTAS).await;
    let charged = compare("counted against uncounted", &bare, &counted).await;
    let used = counted.quotas();
    // What is leased is charged as well, so the count is not exact while the process runs.
    let records = used["quotas"][0]["used"].as_u64().unwrap();
    assert!(records >= charged as u64, "{records} of {charged}");
    assert_eq!(used["quotas"][1]["used"], 500, "each data subject once");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_has_a_price_that_is_printed() {
    let origin = origin::start().await;
    let bare = start(origin, NO_AUDIT, "").await;
    let audited = start(origin, "", "").await;
    compare("audited against unaudited", &bare, &audited).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_has_a_price_that_is_printed() {
    let origin = origin::start().await;
    let bare = start(origin, NO_AUDIT, "").await;
    let (collector, posts) = collector().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(BY_HEADER, "");
    let traced = Process::start_under(&variables, (folder, NO_AUDIT), origin, None, &policy);
    let traced = traced.await;
    compare("traced and logged against not", &bare, &traced).await;
    drop(traced.stopped());
    assert!(posts.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_have_a_price_that_is_printed() {
    let origin = origin::start().await;
    let bare = start(origin, NO_AUDIT, "").await;
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(BY_SESSION, SESSIONS);
    let bound = Process::start_as((folder, NO_AUDIT), origin, None, &policy).await;
    let login = Client::get_once(bound.data, "/login").await;
    let cookie = login.header("set-cookie").unwrap();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let sides = [
        Side::of(&bare),
        Side {
            fields: &cookie,
            ..Side::of(&bound)
        },
    ];
    compare_sides("session-bound against stateless", sides).await;
    let stranger = Client::get_once(bound.data, PATHS[0].0).await;
    assert_eq!(stranger.status, 401, "without its handle nobody is let in");
}

/// A collector that takes everything and keeps nothing, and how often it was posted to.
async fn collector() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let posts = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&posts);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !ends(&request) {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let taken = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                let _sent = stream.write_all(taken).await;
            });
        }
    });
    (address, posts)
}

/// Whether a request with a length has come whole.
fn ends(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    request.len() >= end + 4 + length.map_or(0, |length| length.parse().unwrap())
}

async fn start(origin: SocketAddr, lines: &str, quotas: &str) -> Process {
    let folder = tempfile::tempdir().unwrap();
    Process::start_as((folder, lines), origin, None, &policy(BY_HEADER, quotas)).await
}

/// One of two processes, and the fields that its clients send.
#[derive(Clone, Copy)]
struct Side<'p> {
    process: &'p Process,
    fields: &'p str,
}

impl<'p> Side<'p> {
    fn of(process: &'p Process) -> Self {
        Self {
            process,
            fields: "",
        }
    }
}

async fn compare(what: &str, bare: &Process, other: &Process) -> usize {
    compare_sides(what, [Side::of(bare), Side::of(other)]).await
}

/// Asks for everything through both, in turns, and prints what the second costs beside the first. Says
/// how many records went through each.
async fn compare_sides(what: &str, [bare, other]: [Side<'_>; 2]) -> usize {
    let rounds = count("POSTERN_ROUNDS", 1);
    let requests = if rounds == 1 { REQUESTS.0 } else { REQUESTS.1 };
    let mut answered = 0;
    for (path, records) in PATHS {
        let requests = requests.div_ceil(1 + records / 50);
        let mut pairs = Vec::new();
        for round in 0..rounds {
            // Who goes first alternates.
            let (first, second) = match round % 2 {
                0 => (bare, other),
                _ => (other, bare),
            };
            let first = turn(first, path, requests).await;
            let second = turn(second, path, requests).await;
            answered += CLIENTS * requests * records;
            pairs.push(match round % 2 {
                0 => (first, second),
                _ => (second, first),
            });
        }
        let throughput = pairs
            .iter()
            .map(|(bare, other)| bare.elapsed.as_secs_f64() / other.elapsed.as_secs_f64());
        let work = pairs
            .iter()
            .map(|(bare, other)| other.worked.as_secs_f64() / bare.worked.as_secs_f64());
        println!(
            "{what}, {path}: throughput {}, processor time per request {}",
            spread(throughput.collect()),
            spread(work.collect())
        );
    }
    answered
}

/// All clients' requests through one process.
async fn turn(side: Side<'_>, path: &'static str, requests: usize) -> Turn {
    let Side { process, fields } = side;
    let before = process.worked();
    let began = SystemClock.monotonic();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let client = Client::connect(process.data).await.with(fields);
        clients.spawn(ask(client, path, requests));
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    Turn {
        elapsed: SystemClock.monotonic().saturating_duration_since(began),
        worked: process.worked().saturating_sub(before),
    }
}

async fn ask(mut client: Client, path: &str, requests: usize) {
    for _ in 0..requests {
        let response = client.get(path).await;
        assert!(response.status == 200 && response.complete, "{response:?}");
    }
}

/// `median (smallest to largest)`.
fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    format!("{middle:.2} ({least:.2} to {most:.2})")
}
