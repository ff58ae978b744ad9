//! What is counted of bodies, and what is cut from them, through whole policies and against independent
//! readings: nothing leaves before it is due, and every cut is a valid body.

mod counts;
mod cuts;
mod parts;
mod slow_count;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use postern_filters::{Admitted, BodyError, Counted, ExchangePlan, MeteredBody, SubjectKey, Who};

use crate::formats::Route;
use crate::generated::Random;
use slow_count::Count;

const KEY: SubjectKey = SubjectKey::new(*b"a key of tests..");

/// What is charged, and when that is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ledger {
    /// Never.
    Unlimited,
    /// After so many records the rest is cut.
    CutAt(u64),
    /// After so many records the exchange ends.
    EndAt(u64),
}

/// What left, and what was charged for it.
#[derive(Debug, Default)]
struct Relayed {
    left: Vec<u8>,
    charged: Count,
    hashes: BTreeSet<u64>,
    cut: u64,
    ended_early: bool,
}

/// A plan under which everything is counted.
fn counted(route: &Route, truncates: bool) -> ExchangePlan {
    route.plan().counting(Counted {
        records: true,
        subjects: true,
        bytes: true,
        truncates,
    })
}

/// A successful answer of this type.
fn answer(plan: &ExchangePlan, media: &'static str) -> MeteredBody {
    let mut head = HeaderMap::new();
    head.insert("content-type", HeaderValue::from_static(media));
    let plan = plan.respond_metered(&Method::GET, StatusCode::OK, &head, KEY);
    plan.unwrap().body.unwrap()
}

/// Relays a body that comes in these pieces; not every piece is followed by a release.
fn relay(
    mut body: MeteredBody,
    pieces: &[&[u8]],
    ledger: Ledger,
    random: &mut Random,
) -> Result<Relayed, BodyError> {
    let mut relayed = Relayed::default();
    for piece in pieces {
        body.push(Bytes::copy_from_slice(piece))?;
        if random.chance(80) && !relayed.release(&mut body, ledger)? {
            return Ok(relayed);
        }
    }
    body.finish()?;
    assert!(!body.due().incomplete);
    relayed.release(&mut body, ledger)?;
    relayed.cut = body.cut_records();
    Ok(relayed)
}

impl Relayed {
    /// Charges what is due and lets it leave. Says whether the exchange goes on.
    fn release(&mut self, body: &mut MeteredBody, ledger: Ledger) -> Result<bool, BodyError> {
        let due = body.due();
        if due.incomplete {
            let waits = body.release(Admitted::All)?.into_bytes();
            assert!(waits.is_empty(), "something left before it was known what");
            return Ok(true);
        }
        let charged = self.charged.records;
        let records = due.records;
        let admitted = match ledger {
            Ledger::CutAt(most) if charged + records > most => Admitted::Records(most - charged),
            Ledger::EndAt(most) if charged + records > most => {
                self.ended_early = true;
                return Ok(false);
            }
            Ledger::Unlimited | Ledger::CutAt(_) | Ledger::EndAt(_) => Admitted::All,
        };
        let may_leave = |record: Option<u64>| match (admitted, record) {
            (Admitted::Records(most), Some(record)) => record < most,
            (Admitted::Records(_) | Admitted::All, _) => true,
        };
        for subject in due.subjects.iter().filter(|s| may_leave(s.record)) {
            assert!(subject.record.is_none_or(|record| record < records));
            match subject.who {
                Who::Known(hash) => {
                    self.hashes.insert(hash);
                }
                Who::Nameless => self.charged.nameless += 1,
            }
        }
        self.charged.records += match admitted {
            Admitted::All => records,
            Admitted::Records(most) => most,
        };
        self.charged.known = self.hashes.len();
        let redacted = body.release(admitted)?;
        self.left.extend_from_slice(&redacted.into_bytes());
        Ok(true)
    }
}

/// A selector as a YAML scalar of printable ASCII.
fn quoted(selector: &str) -> String {
    let character = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    let inner: String = selector.chars().map(character).collect();
    format!("\"{inner}\"")
}

/// The keys of a route that counts by these selectors.
fn counting_keys(records: &[String], subjects: &[String]) -> String {
    let mut keys = String::new();
    for (key, selectors) in [("records", records), ("subjects", subjects)] {
        if !selectors.is_empty() {
            let list: Vec<String> = selectors.iter().map(|s| quoted(s)).collect();
            keys.push_str(&format!("{key}: [{}]\n", list.join(", ")));
        }
    }
    keys
}
