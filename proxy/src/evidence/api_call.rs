//! The record of an exchange in OCSF's words: 6003 API Activity, or 4002 HTTP Activity when the request was
//! not sound. It is written straight from what is known, without a tree in between.
// PERF: proofs `ratio`, "audited against unaudited".

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::event::{Class, ExchangeEvent, Phase};

/// OCSF's `metadata`, without the `sequence` that the log knows.
#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    version: &'static str,
    uid: String,
    logged_time: u64,
    profiles: [&'static str; 1],
    product: Product,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

impl<'a> Metadata<'a> {
    /// Of an event that is written at `time`, in milliseconds since 1970.
    pub(super) const fn new(uid: String, time: u64, correlation_uid: Option<&'a str>) -> Self {
        Self {
            version: "1.8.0",
            uid,
            logged_time: time,
            profiles: ["security_control"],
            product: Product {
                name: "Postern",
                vendor_name: "Postern",
                version: env!("CARGO_PKG_VERSION"),
            },
            correlation_uid,
        }
    }
}

/// See the module's documentation.
#[derive(Debug, Serialize)]
pub(super) struct ApiCall<'a> {
    class_uid: u64,
    category_uid: u64,
    activity_id: u64,
    type_uid: u64,
    severity_id: u64,
    time: u64,
    action_id: u64,
    disposition_id: u64,
    status_id: u64,
    actor: Actor<'a>,
    api: Api<'a>,
    src_endpoint: Endpoint<'a>,
    policy: Policy<'a>,
    #[serde(serialize_with = "as_list")]
    resources: Option<Resource<'a>>,
    unmapped: Unmapped<'a>,
}

#[derive(Debug, Serialize)]
struct Actor<'a> {
    user: User<'a>,
}

#[derive(Debug, Serialize)]
struct User<'a> {
    uid: Option<&'a str>,
    domain: Option<&'a str>,
    org: Uid<'a>,
    groups: Groups<'a>,
}

#[derive(Debug, Serialize)]
struct Uid<'a> {
    uid: Option<&'a str>,
}

/// Roles, each an object with its name.
#[derive(Debug)]
struct Groups<'a>(&'a [String]);

#[derive(Debug, Serialize)]
struct Name<'a> {
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Api<'a> {
    operation: &'a str,
    service: Name<'a>,
    request: Uid<'a>,
    response: Response,
}

#[derive(Debug, Serialize)]
struct Response {
    code: u16,
}

#[derive(Debug, Serialize)]
struct Endpoint<'a> {
    ip: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Policy<'a> {
    version: &'a str,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    uid: &'a str,
}

#[derive(Debug, Serialize)]
struct Unmapped<'a> {
    postern: Details<'a>,
}

/// What OCSF has no words for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Intent { phase: &'static str },
    End(End<'a>),
}

#[derive(Debug, Serialize)]
struct End<'a> {
    outcome: &'a str,
    problem: Option<&'a str>,
    fields_masked: &'a BTreeMap<String, u64>,
    charged: &'a BTreeMap<String, u64>,
    records_cut: u64,
    bytes_out: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
}

impl<'a> ApiCall<'a> {
    /// What happened, at `time` in milliseconds since 1970.
    pub(super) fn new(event: &ExchangeEvent<'a>, time: u64) -> Self {
        let entry = event.entry;
        let class = event.class.uid();
        let activity = match event.class {
            Class::Call => activity_of(&entry.method),
            Class::Malformed => 99,
        };
        let (action, disposition) = judgement(event);
        Self {
            class_uid: class,
            category_uid: class / 1_000,
            activity_id: activity,
            type_uid: class * 100 + activity,
            severity_id: if action == REFUSED { 2 } else { 1 },
            time,
            action_id: action,
            disposition_id: disposition,
            status_id: status(event),
            actor: Actor {
                user: User {
                    uid: entry.subject.as_deref(),
                    domain: entry.issuer.as_deref(),
                    org: Uid {
                        uid: event.around.tenant.as_deref(),
                    },
                    groups: Groups(&entry.roles),
                },
            },
            api: Api {
                operation: &entry.method,
                service: Name {
                    name: entry.route.as_deref(),
                },
                request: Uid {
                    uid: Some(&entry.exchange_id),
                },
                response: Response { code: entry.status },
            },
            src_endpoint: Endpoint {
                ip: event.around.address.as_deref(),
            },
            policy: Policy {
                version: &entry.revision,
            },
            resources: event
                .around
                .case_hash
                .as_deref()
                .map(|uid| Resource { kind: "case", uid }),
            unmapped: Unmapped {
                postern: details(event),
            },
        }
    }
}

/// `action_id` of what was refused.
const REFUSED: u64 = 2;

/// OCSF's `action_id` and `disposition_id`.
fn judgement(event: &ExchangeEvent<'_>) -> (u64, u64) {
    let entry = event.entry;
    match (event.phase, entry.outcome.as_str()) {
        (Phase::Intent, _) => (1, 1),
        (_, "refused" | "withheld") => (REFUSED, 2),
        (_, "allowed") if entry.withheld.is_empty() && entry.records_cut == 0 => (1, 1),
        (_, "allowed") => (4, 11),
        (_, _) => (99, 99),
    }
}

/// OCSF's `status_id`: unknown, success or failure.
fn status(event: &ExchangeEvent<'_>) -> u64 {
    match (event.phase, event.entry.outcome.as_str()) {
        (Phase::Intent, _) => 0,
        (_, "allowed") => 1,
        (_, _) => 2,
    }
}

fn details<'a>(event: &ExchangeEvent<'a>) -> Details<'a> {
    let entry = event.entry;
    let phase = match event.phase {
        Phase::Intent => return Details::Intent { phase: "intent" },
        Phase::Outcome => Some("outcome"),
        Phase::Only => None,
    };
    Details::End(End {
        outcome: &entry.outcome,
        problem: entry.problem.as_deref(),
        fields_masked: &entry.withheld,
        charged: &entry.charged,
        records_cut: entry.records_cut,
        bytes_out: entry.bytes_out,
        duration_us: entry.duration_us,
        phase,
    })
}

/// OCSF's `activity_id` of an API call: create, read, update, delete or other.
fn activity_of(method: &str) -> u64 {
    match method {
        "POST" => 1,
        "GET" | "HEAD" | "OPTIONS" => 2,
        "PUT" | "PATCH" => 3,
        "DELETE" => 4,
        _ => 99,
    }
}

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|role| Name { name: Some(role) }))
    }
}

/// A list of one thing or none.
fn as_list<S: Serializer, T: Serialize>(
    thing: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(thing)
}
