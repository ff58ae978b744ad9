//! Tunnels between streams in memory, under a clock that jumps.

use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use postern_config::{Policy, Revision};
use postern_filters::{CompiledPolicy, EngineLimits, Identity, PseudonymKeys};

const POLICY: &str = "\
policy: v1
name: test
mode: enforce
identity: { from: jwt, issuer: https://idp.example, audience: a, keys: \"file:k\", subject: $.sub, \
    roles: \"$.groups[*]\", without_a_role: deny }
labels: { pii: Personal data }
routes:
  case: { match: GET /case, label: { $.ssn: pii } }
  socket: { match: GET /socket, allow: [websocket] }
  closed: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: {} }
";

fn pipeline_of(route: &str) -> Option<BodyPipeline> {
    let policy = Policy::parse("policy.yaml", POLICY)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    let revision = Revision::of_closure(&[]);
    let compiled = CompiledPolicy::compile(policy, revision, limits, keys).unwrap();
    let identity = Identity {
        groups: vec!["agent".to_owned()],
        ..Identity::default()
    };
    compiled.plan(route, &identity).unwrap().tunnel()
}

/// A running tunnel: the client's end, the upstream's end, and how it ended with what was counted.
fn tunnel(
    early_up: &str,
    early_down: &str,
) -> (DuplexStream, DuplexStream, JoinHandle<(End, usize)>) {
    let (client, near) = duplex(1024);
    let (upstream, far) = duplex(1024);
    let side = |stream, early: &str| Side {
        stream,
        early: Bytes::from(early.to_owned()),
    };
    let (near, far) = (side(near, early_up), side(far, early_down));
    let running = tokio::spawn(async move {
        let mut sent = 0;
        let pipeline = pipeline_of("socket").unwrap();
        let end = carry(near, far, (pipeline, None), |bytes| sent += bytes).await;
        (end, sent)
    });
    (client, upstream, running)
}

async fn take(stream: &mut DuplexStream, bytes: usize) -> String {
    let mut taken = vec![0; bytes];
    stream.read_exact(&mut taken).await.unwrap();
    String::from_utf8(taken).unwrap()
}

#[test]
fn only_a_route_that_allows_it_has_a_pipeline_for_it() {
    assert!(pipeline_of("socket").is_some());
    assert!(pipeline_of("case").is_none());
}

#[tokio::test(start_paused = true)]
async fn carries_what_came_early_first() {
    let (mut client, mut upstream, running) = tunnel("early up, ", "early down, ");
    client.write_all(b"then more").await.unwrap();
    upstream.write_all(b"then more").await.unwrap();
    assert_eq!(take(&mut upstream, 19).await, "early up, then more");
    assert_eq!(take(&mut client, 21).await, "early down, then more");
    drop(upstream);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0, "told so");
    drop(client);
    assert_eq!(running.await.unwrap(), (End::Closed, 21));
}

#[tokio::test(start_paused = true)]
async fn hands_over_what_is_under_way_when_the_client_closes_its_side() {
    let (mut client, mut upstream, running) = tunnel("", "");
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    let mut all = String::new();
    upstream.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "bye");
    upstream.write_all(b"bye too").await.unwrap();
    assert_eq!(take(&mut client, 7).await, "bye too");
    // The upstream does not close; the tunnel ends nevertheless.
    assert_eq!(running.await.unwrap(), (End::Closed, 7));
}

#[tokio::test(start_paused = true)]
async fn goes_on_while_something_is_said_and_ends_in_silence() {
    let (mut client, mut upstream, running) = tunnel("", "");
    let nearly = IDLE_TIME_MAX.checked_sub(Duration::from_secs(1)).unwrap();
    for _ in 0..3 {
        tokio::time::sleep(nearly).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(take(&mut upstream, 1).await, "x");
        tokio::time::sleep(nearly).await;
        upstream.write_all(b"y").await.unwrap();
        assert_eq!(take(&mut client, 1).await, "y");
    }
    let silent_from = tokio::time::Instant::now();
    assert_eq!(running.await.unwrap(), (End::Silent, 3));
    assert_eq!(silent_from.elapsed().as_secs(), IDLE_TIME_MAX.as_secs());
}

#[tokio::test(start_paused = true)]
async fn lets_go_of_a_client_that_takes_nothing() {
    let (client, mut upstream, running) = tunnel("", "");
    upstream.write_all(&[b'x'; 1024]).await.unwrap();
    let flood = tokio::spawn(async move { upstream.write_all(&[b'x'; 1 << 20]).await });
    let started = tokio::time::Instant::now();
    let (end, sent) = running.await.unwrap();
    assert_eq!(end, End::Broken);
    assert!(sent <= 1024 && started.elapsed() <= WRITE_TIME_MAX + LINGER_TIME_MAX);
    assert!(flood.await.unwrap().is_err());
    drop(client);
}
