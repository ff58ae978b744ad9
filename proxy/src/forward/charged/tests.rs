//! What an answer costs that cannot leave for another reason than its body.

use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use postern_filters::{Identity, RequestFacts, Verdict};

use super::*;
use crate::clock::{Clock as _, SystemClock};
use crate::evidence::Evidence;
use crate::identity::Recognised;
use crate::load::samples::{HEADER, load, write};
use crate::metering::{Charged, QuotaKeeper};
use crate::metrics::Metrics;
use crate::policy_store::Snapshot;
use crate::quota::StoreAddress;

const REST: &str = "
labels: { secret: Secrets }
routes:
  list: { match: GET /cases, label: { '$[*].secret': secret }, records: '$[*]' }
  everything_else: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { secret: remove } }
quotas:
  day: { unit: records, per: identity, window: 1h, limit: { '*': 3 } }
  size: { unit: bytes, per: identity, window: 1h, limit: { '*': 300 } }
";
const ANSWER: &[u8] = b"[{\"id\":1},{\"id\":2},{\"id\":3}]";

struct Desk {
    snapshot: Snapshot,
    keeper: QuotaKeeper,
    who: Recognised,
}

impl Desk {
    fn new(folder: &Path) -> Self {
        let text = format!("policy: v1\nname: desk\nidentity: {HEADER}{REST}");
        let loaded = load(&write(folder, "policy.yaml", &text)).unwrap();
        let clock = Arc::new(SystemClock);
        let keeper = QuotaKeeper::new(
            StoreAddress::Embedded(folder.join("quotas.redb")),
            Arc::clone(&clock) as _,
            Arc::new(Metrics::new().unwrap()),
            Evidence::off(Arc::clone(&clock) as _),
        );
        let identity = Identity {
            subject: "ann".to_owned(),
            groups: vec!["agent".to_owned()],
            ..Identity::default()
        };
        Self {
            snapshot: loaded.snapshot(clock, None).unwrap(),
            keeper,
            who: Recognised {
                identity,
                credential: None,
            },
        }
    }

    fn plan(&self) -> ExchangePlan {
        let facts = RequestFacts {
            method: "GET",
            path: "/cases",
            query: None,
            headers: &HeaderMap::new(),
            upgrade: false,
            has_body: false,
            identity: &self.who.identity,
        };
        match self.snapshot.compiled.decide(&facts) {
            Verdict::Allow(plan) => *plan,
            Verdict::Deny(reason) => panic!("{reason:?}"),
        }
    }

    /// Whether an answer leaves whose tokens are kept so, and what it was charged.
    async fn answer(&self, kept: Result<(), Problem>) -> (Result<usize, Halt>, Charged) {
        let now = SystemClock.wall();
        let plan = self.plan();
        let meter = Meter::begin(&self.keeper, &plan, &self.who, now).await;
        let meter = meter.unwrap().unwrap();
        let plan = plan.counting(meter.counted());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let received = (StatusCode::OK, &headers);
        let planned = ChargedBody::plan(&plan, Some(meter), &Method::GET, received);
        let mut body = planned.unwrap().body.unwrap();
        let mut watch = Stopwatch::new(&SystemClock);
        let chunk = Bytes::from_static(ANSWER);
        let pushed = body.push(chunk, true, &mut watch, async { Ok(()) }).await;
        assert_eq!(length(pushed.unwrap()), 0, "it is held whole");
        let left = body.finish(&mut watch, async { Ok(kept?) }).await;
        let (meter, _cut) = body.meter().unwrap();
        (left.map(length), meter.charged())
    }
}

fn length(redacted: Redacted) -> usize {
    redacted.into_bytes().len()
}

#[tokio::test]
async fn an_answer_whose_tokens_cannot_be_kept_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::new(folder.path());
    for _ in 0..3 {
        let (left, charged) = desk.answer(Err(Problem::StoreUnavailable)).await;
        assert!(matches!(left, Err(Halt::Refuse(Problem::StoreUnavailable))));
        assert_eq!(charged, Charged::default());
    }
    // The limit is three records.
    let (left, charged) = desk.answer(Ok(())).await;
    assert_eq!(left.ok(), Some(ANSWER.len()));
    assert_eq!((charged.records, charged.bytes), (3, 28));
}
