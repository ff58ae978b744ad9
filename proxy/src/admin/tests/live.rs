//! The live view: what taps and `top` are told, and how long and how many taps stay.

use postern_audit::AuditEntry;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::*;
use crate::metrics::BodyCost;
use crate::tap::TAPS_MAX;

/// The body of a tap's answer, line by line.
struct Tapped {
    stream: BufReader<TcpStream>,
}

impl Tapped {
    /// Opens a tap and reads the head of its answer.
    async fn open(address: SocketAddr, token: &AdminToken, query: &str) -> (String, Self) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /tap{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            token.reveal()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut tapped = Self {
            stream: BufReader::new(stream),
        };
        let head = tapped.line().await;
        while !tapped.line().await.is_empty() {}
        (head, tapped)
    }

    /// The next line of the answer, chunk sizes included.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).await.unwrap();
        assert!(length > 0, "the answer has ended");
        line.trim_end().to_owned()
    }

    /// The next decision, or what is told instead.
    async fn told(&mut self) -> serde_json::Value {
        loop {
            let line = self.line().await;
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }
}

fn decision(outcome: &str, role: &str) -> AuditEntry {
    let mut entry = AuditEntry {
        route: Some("everything_else".to_owned()),
        outcome: outcome.to_owned(),
        roles: vec![role.to_owned()],
        ..AuditEntry::default()
    };
    entry.withheld.insert("secret".to_owned(), 2);
    entry
}

#[tokio::test]
async fn a_tap_shows_the_decisions_that_it_asks_for() {
    let admin = Admin::start(true);
    let address = admin.thread.address();
    let query = "?outcome=refused&role=agent&route=everything_else&label=secret";
    let (head, mut tapped) = Tapped::open(address, &admin.token, query).await;
    assert_eq!(head, "HTTP/1.1 200 OK");
    for (outcome, role) in [
        ("allowed", "agent"),
        ("refused", "boss"),
        ("refused", "agent"),
    ] {
        let entry = decision(outcome, role);
        admin.metrics.tap().tell(&entry, &SystemClock);
    }
    let told = tapped.told().await;
    assert_eq!(
        (&told["outcome"], &told["roles"][0]),
        (&"refused".into(), &"agent".into())
    );
    assert_eq!(told["withheld"]["secret"], 2);
    assert!(told["time"].as_u64().unwrap() > 1_700_000_000_000);

    let (status, body) = admin.ask_with_token("GET /tap?outcome=denied").await;
    assert!(status == 400 && body.contains("withheld"), "{body}");
    assert_eq!(admin.ask_with_token("GET /tap?subject=ann").await.0, 400);
}

#[tokio::test]
async fn taps_are_few_and_one_whose_client_left_makes_room() {
    let admin = Admin::start(true);
    let address = admin.thread.address();
    let mut taps = Vec::new();
    for _ in 0..TAPS_MAX {
        taps.push(Tapped::open(address, &admin.token, "").await);
    }
    let (head, mut refused) = Tapped::open(address, &admin.token, "").await;
    assert!(head.contains("503"), "{head}");
    let mut body = vec![0; 40];
    refused.stream.read_exact(&mut body).await.unwrap();
    assert!(String::from_utf8(body).unwrap().contains("8 taps are open"));

    taps.pop();
    let again = async {
        while !Tapped::open(address, &admin.token, "")
            .await
            .0
            .contains("200")
        {
            tokio::task::yield_now().await;
        }
    };
    let again = tokio::time::timeout(std::time::Duration::from_secs(30), again);
    again.await.expect("its place is free again");
}

/// Time stands still but where everybody waits; then it leaps to the next deadline.
#[tokio::test(start_paused = true)]
async fn a_tap_outlives_the_time_that_other_connections_have() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _plane) = state(folder.path(), &policy("one", HEADER), true);
    let (token, metrics) = (state.token.clone(), Arc::clone(&state.metrics));
    let listener = bind("127.0.0.1:0", None).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener, state, std::future::pending()));
    let (head, mut tapped) = Tapped::open(address, &token, "").await;
    assert!(head.contains("200"), "{head}");
    let hours = std::time::Duration::from_secs(7_200);
    let silent = tokio::time::timeout(hours, tapped.told()).await;
    assert!(silent.is_err(), "nothing was decided");
    metrics.tap().tell(&decision("cut", "agent"), &SystemClock);
    assert_eq!(tapped.told().await["outcome"], "cut");
    serving.abort();
}

#[tokio::test]
async fn top_is_told_the_totals_and_every_rule_of_the_policy() {
    let admin = Admin::start(true);
    let cost = BodyCost {
        bytes: 7,
        worked: std::time::Duration::from_micros(3),
    };
    admin
        .metrics
        .exchange_ended(&decision("allowed", "agent"), cost);
    let (status, body) = admin.ask_with_token("GET /top").await;
    assert_eq!(status, 200);
    let top: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(top["routes"]["everything_else"]["outcomes"]["allowed"], 1);
    assert_eq!(top["routes"]["everything_else"]["body_bytes"], 7);
    assert_eq!(top["rules"][0]["hits"], 2);
    assert_eq!(top["in_flight"], 7);
    assert_eq!(top["revision"].as_str().unwrap().len(), 12);
}
