//! A panic in every phase of an exchange, by a clock that panics when it is looked at the Nth time: the process stays,
//! nobody else is disturbed, the exchange is on record as cut, its charges hold, its places are free, and no client sees
//! what it should not, or something cut that looks whole.

mod left;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::StatusCode;
use serde_json::Value;

use crate::origin::{Answer, Origin};
use crate::postern::{Client, Reply, Setting, Stage, get, request, start_with};
use crate::secure::{Authority, TLS, connect, h2_get, h2_send, http2};
use crate::trap::Trap;

use left::{Left, settled};

/// A desk with something to hide, counts and a limit that is not reached.
const POLICY: &str = "\
policy: v1
name: panics
mode: enforce
IDENTITY
labels: { pii: Personal data }
routes:
  case:
    match: ['GET /cases/{id}', 'POST /cases/{id}']
    label: { '$[*].ssn': pii }
    records: $[*]
    case: id
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
quotas:
  records: { unit: records, per: identity, window: 1h, limit: { agent: 10000000 } }
  asked: { unit: requests, per: identity, window: 1h, limit: { agent: 1000000 } }
";

/// More looks at the clock than these are not tried for one kind of exchange.
const LOOKS_MAX: usize = 120;
const SSN: &str = "912-04-7731";

/// One kind of exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An answer that is held whole.
    Small,
    /// An answer that is streamed.
    Large,
    /// A request with a body, which waits for its record.
    Write,
    /// A request that is refused.
    Refused,
    /// A request that is not sound.
    Malformed,
}

const KINDS: [Kind; 5] = [
    Kind::Small,
    Kind::Large,
    Kind::Write,
    Kind::Refused,
    Kind::Malformed,
];

impl Kind {
    /// How many records its answer holds.
    const fn records(self) -> usize {
        match self {
            Self::Small | Self::Write => 2,
            Self::Large => 6_000,
            Self::Refused | Self::Malformed => 0,
        }
    }

    fn request(self) -> String {
        match self {
            Self::Small => get("/cases/small", "agent"),
            Self::Large => get("/cases/large", "agent"),
            Self::Write => {
                let lines = "Content-Type: application/json\r\nContent-Length: 2\r\n";
                request("POST", "/cases/small", "agent", lines, "{}")
            }
            Self::Refused => get("/nowhere", "agent"),
            Self::Malformed => "GET /cases/small HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
        }
    }

    /// Judges what a client got; a complete answer is the right one.
    fn judge(self, looks: usize, reply: Option<&Reply>) -> bool {
        let Some(reply) = reply else {
            return false;
        };
        let text = reply.text();
        assert!(
            !text.contains(SSN) && !reply.head.contains(SSN),
            "{self:?} {looks}"
        );
        if !reply.complete {
            assert_eq!(reply.status, 200, "{self:?} {looks}: {text}");
            return false;
        }
        match self {
            Self::Small | Self::Large | Self::Write if reply.status == 200 => {
                let document: Value = serde_json::from_slice(&reply.body).unwrap();
                assert_eq!(
                    document.as_array().unwrap().len(),
                    self.records(),
                    "{self:?} {looks}"
                );
                true
            }
            Self::Refused => reply.status == 403,
            Self::Malformed => reply.status == 400,
            Self::Small | Self::Large | Self::Write => {
                assert!(reply.status >= 500, "{self:?} {looks}: {text}");
                false
            }
        }
    }
}

fn list(records: usize) -> String {
    let row = format!(r#"{{"id":1,"ssn":"{SSN}"}}"#);
    format!("[{}]", vec![row; records].join(","))
}

/// The desk; one answer is held until it is let go.
async fn desk() -> Origin {
    Origin::answering(|request| {
        let asks = |word: &[u8]| request.windows(word.len()).any(|window| window == word);
        let whole = |kind: Kind| Answer::json(&list(kind.records()));
        if asks(b"/cases/held") {
            whole(Kind::Large).held_at(200)
        } else if asks(b"/cases/large") {
            whole(Kind::Large)
        } else {
            whole(Kind::Small)
        }
    })
    .await
}

fn setting(trap: &Arc<Trap>, listen: &str) -> Setting {
    Setting {
        policy: POLICY.to_owned(),
        listen: listen.to_owned(),
        clock: Arc::clone(trap) as _,
        // The bystander's answer is held until everything else is over.
        patience: "10m",
        ..Setting::default()
    }
}

/// Where panics were, and how many of each.
type Places = BTreeMap<String, usize>;

fn note(places: &mut Places, looked: &[String]) {
    let place = looked.iter().take(2).cloned().collect::<Vec<_>>();
    let place = place.join(" in ");
    *places.entry(place).or_default() += 1;
}

/// What the clients of one stage were given, in answers that were whole.
#[derive(Debug, Default)]
struct Given {
    records: usize,
    requests: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_any_phase_costs_one_exchange_and_nothing_else() {
    let (origin, trap) = (desk().await, Arc::new(Trap::default()));
    let stage = start_with(&setting(&trap, "127.0.0.1:0"), origin.address()).await;
    trap.spare();
    let mut bystander = Client::connect(stage.address()).await;
    bystander
        .write(get("/cases/held", "agent").as_bytes())
        .await;
    origin.asked(1).await;
    let (mut places, mut given) = (Places::new(), Given::default());
    for kind in KINDS {
        for looks in 0..LOOKS_MAX {
            trap.set(looks);
            let mut client = Client::connect(stage.address()).await;
            client.write(kind.request().as_bytes()).await;
            let whole = kind.judge(looks, client.reply(false).await.as_ref());
            drop(client);
            quiet_but_for_one(&stage).await;
            given.requests += 1;
            given.records += if whole { kind.records() } else { 0 };
            match trap.take() {
                Some(looked) => note(&mut places, &looked),
                None => {
                    assert!(
                        whole,
                        "{kind:?} {looks}: nothing panicked, and it was not served"
                    );
                    break;
                }
            }
            assert!(
                looks + 1 < LOOKS_MAX,
                "{kind:?} looks at the clock for ever"
            );
        }
    }
    origin.let_go();
    let reply = bystander.reply(false).await.unwrap();
    assert!(
        Kind::Large.judge(0, Some(&reply)),
        "the bystander was disturbed"
    );
    given.records += Kind::Large.records();
    given.requests += 1;
    told("HTTP/1.1", &places, &given, &settled(stage, &origin).await);
    every_phase(&places);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_stream_leaves_the_other_streams_of_its_connection_alone() {
    let (origin, trap) = (desk().await, Arc::new(Trap::default()));
    let authority = Authority::new();
    let setting = Setting {
        files: authority.files(),
        ..setting(&trap, TLS)
    };
    let stage = start_with(&setting, origin.address()).await;
    trap.spare();
    let stream = connect(&stage, authority.client(b"h2", None))
        .await
        .unwrap();
    let mut client = http2(stream).await;
    let mut beside = client.clone();
    let bystander = tokio::spawn(async move { h2_send(&mut beside, h2_get("/cases/held")).await });
    origin.asked(1).await;
    let (mut places, mut given) = (Places::new(), Given::default());
    for (target, kind) in [("/cases/small", Kind::Small), ("/cases/large", Kind::Large)] {
        for looks in 0..LOOKS_MAX {
            trap.set(looks);
            let whole = whole_over_h2(&mut client, target, kind).await;
            quiet_but_for_one(&stage).await;
            given.requests += 1;
            given.records += if whole { kind.records() } else { 0 };
            match trap.take() {
                Some(looked) => note(&mut places, &looked),
                None => {
                    assert!(
                        whole,
                        "{kind:?} {looks}: nothing panicked, and it was not served"
                    );
                    break;
                }
            }
            assert!(
                looks + 1 < LOOKS_MAX,
                "{kind:?} looks at the clock for ever"
            );
        }
    }
    origin.let_go();
    let (status, body) = bystander.await.unwrap();
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(document.as_array().unwrap().len(), Kind::Large.records());
    given.records += Kind::Large.records();
    given.requests += 1;
    drop(client);
    told("HTTP/2", &places, &given, &settled(stage, &origin).await);
}

/// Whether a stream brought its whole answer. One that was reset did not.
async fn whole_over_h2(client: &mut SendRequest<Bytes>, target: &str, kind: Kind) -> bool {
    let mut ready = client
        .clone()
        .ready()
        .await
        .expect("the connection goes on");
    let (response, _) = ready.send_request(h2_get(target), true).unwrap();
    let Ok(response) = response.await else {
        return false;
    };
    let (head, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let Ok(data) = data else {
            assert!(!String::from_utf8_lossy(&body).contains(SSN));
            return false;
        };
        stream.flow_control().release_capacity(data.len()).unwrap();
        body.extend_from_slice(&data);
    }
    assert!(!String::from_utf8_lossy(&body).contains(SSN));
    if head.status != StatusCode::OK {
        assert!(head.status.is_server_error(), "{}", head.status);
        return false;
    }
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document.as_array().unwrap().len(), kind.records());
    true
}

/// Waits until only the bystander's exchange runs: places are given back.
async fn quiet_but_for_one(stage: &Stage) {
    let waiting = async {
        let one = "\npostern_exchanges_in_flight 1\n";
        while !stage.metrics().await.contains(one) {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await;
    waited.expect("what panicked is not counted as running any more");
}

/// Holds what was counted against what was given, and prints it.
fn told(version: &str, places: &Places, given: &Given, left: &Left) {
    let panics: usize = places.values().sum();
    let (records, asked) = (left.used["records"], left.used["asked"]);
    println!(
        "panics, {version}: {panics} in {} places, {} exchanges; whole answers held {} records, the ledger has {records} \
         and the log {}; on record: {:?}",
        places.len(),
        given.requests,
        given.records,
        left.charged,
        left.outcomes
    );
    for (place, times) in places {
        println!("    {times:>3} {place}");
    }
    assert!(
        records >= given.records as u64,
        "more left than was charged"
    );
    assert_eq!(
        records, left.charged,
        "the log has another sum than the ledger"
    );
    assert!(
        asked <= given.requests as u64,
        "an exchange was charged twice"
    );
    assert!(left.outcomes["cut"] > 0 && panics > 20);
}

/// The phases in which something has to have panicked, from the first line to the last record.
fn every_phase(places: &Places) {
    for phase in [
        "exchange::Exchange::begin",
        "quota::bank::Bank",
        "evidence::Evidence::hash",
        "ExchangeRecord::record",
        "telemetry::call::Call::begin",
        "forward::upstream",
        "forward::stopwatch::Stopwatch::time",
        "exchange::Exchange::end",
    ] {
        let there = places.keys().any(|place| place.contains(phase));
        assert!(there, "nothing panicked in {phase}: {places:?}");
    }
}
