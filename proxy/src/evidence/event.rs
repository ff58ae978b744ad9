//! What goes on record, as OCSF 1.8.0 events: labels, counts and names of rules, never a value, a header,
//! a query or a token (D15).
//!
//! Whoever asked is named; whom the data is about is a keyed hash.

use std::time::{SystemTime, UNIX_EPOCH};

use postern_audit::{AdminEntry, AuditEntry, NewEntry};
use serde_json::{Value, json};

use crate::exchange::random_hex;
use crate::one_line::one_line;

/// An OCSF class of exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// 6003 API Activity: a request that could be read.
    Call,
    /// 4002 HTTP Activity: one that is not sound.
    Malformed,
}

impl Class {
    /// OCSF's `class_uid`.
    pub(super) const fn uid(self) -> u64 {
        match self {
            Self::Call => 6003,
            Self::Malformed => 4002,
        }
    }
}

/// Which of an exchange's records it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is about to happen.
    Intent,
    /// It was announced, and has ended.
    Outcome,
    /// It is the only record.
    Only,
}

/// What is known of an exchange beside its [`AuditEntry`].
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// The client's address.
    pub(super) address: Option<String>,
    /// The identity's tenant.
    pub(super) tenant: Option<String>,
    /// The keyed hash of the case that the path names.
    pub(super) case_hash: Option<String>,
}

/// Something that an operator did, or that Postern did on its own.
#[derive(Debug)]
pub(crate) enum Act<'a> {
    /// Somebody with the admin token changed something.
    Admin(&'a AdminEntry),
    /// A policy comes into force.
    PolicyLoaded {
        /// Its revision.
        revision: &'a str,
        /// The one before; empty at the start.
        before: &'a str,
    },
    /// A policy did not come into force.
    PolicyRefused {
        /// The revision that stays.
        revision: &'a str,
    },
    /// A quota is nearly or wholly used up.
    QuotaFinding {
        /// The rule.
        rule: &'a str,
        /// The quota and whose count it is.
        key: &'a str,
        /// The usage.
        used: u64,
        /// The limit.
        limit: u64,
    },
}

/// One record.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// Of an exchange.
    Exchange(ExchangeEvent<'a>),
    /// Of anything else.
    Act(Act<'a>),
}

/// One record of an exchange.
#[derive(Debug)]
pub(crate) struct ExchangeEvent<'a> {
    pub(super) class: Class,
    pub(super) phase: Phase,
    pub(super) entry: &'a AuditEntry,
    pub(super) around: &'a Surroundings,
}

impl Event<'_> {
    /// Whether it is left out, and what it stands for refused, while the disk has little room.
    pub(super) fn may_be_shed(&self) -> bool {
        match self {
            Self::Exchange(exchange) => exchange.phase == Phase::Intent,
            Self::Act(_) => false,
        }
    }

    /// The entry of the log.
    pub(super) fn entry(&self, now: SystemTime) -> NewEntry {
        let time = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (body, correlation) = match self {
            Self::Exchange(exchange) => (exchange.body(time), Some(&exchange.entry.exchange_id)),
            Self::Act(act) => (act.body(time), None),
        };
        let mut metadata = json!({
            "version": "1.8.0",
            "uid": random_hex::<16>(),
            "logged_time": time,
            "profiles": ["security_control"],
            "product": {
                "name": "Postern",
                "vendor_name": "Postern",
                "version": env!("CARGO_PKG_VERSION"),
            },
        });
        if let (Some(correlation), Some(metadata)) = (correlation, metadata.as_object_mut()) {
            metadata.insert("correlation_uid".to_owned(), json!(correlation));
        }
        // The index is known when the entry is written; it stands first, so that nothing is searched for.
        let rest = |value: &Value| one_line(value.to_string()).split_off(1);
        let after = format!(",{},{}", rest(&metadata), rest(&body));
        NewEntry::numbered(br#"{"metadata":{"sequence":"#.to_vec(), after.into_bytes())
    }
}

impl ExchangeEvent<'_> {
    fn body(&self, time: u64) -> Value {
        let entry = self.entry;
        let activity = match self.class {
            Class::Call => activity_of(&entry.method),
            Class::Malformed => 99,
        };
        let (action, disposition) = self.judgement();
        let refused = action == 2;
        let groups: Vec<Value> = entry
            .roles
            .iter()
            .map(|role| json!({ "name": role }))
            .collect();
        let resources: Vec<Value> = self
            .around
            .case_hash
            .iter()
            .map(|hash| json!({ "type": "case", "uid": hash }))
            .collect();
        json!({
            "class_uid": self.class.uid(),
            "category_uid": self.class.uid() / 1_000,
            "activity_id": activity,
            "type_uid": self.class.uid() * 100 + activity,
            "severity_id": if refused { 2 } else { 1 },
            "time": time,
            "action_id": action,
            "disposition_id": disposition,
            "status_id": self.status(),
            "actor": { "user": {
                "uid": entry.subject,
                "domain": entry.issuer,
                "org": { "uid": self.around.tenant },
                "groups": groups,
            } },
            "api": {
                "operation": entry.method,
                "service": { "name": entry.route },
                "request": { "uid": entry.exchange_id },
                "response": { "code": entry.status },
            },
            "src_endpoint": { "ip": self.around.address },
            "policy": { "version": entry.revision },
            "resources": resources,
            "unmapped": { "postern": self.details() },
        })
    }

    /// OCSF's `action_id` and `disposition_id`.
    fn judgement(&self) -> (u64, u64) {
        match (self.phase, self.entry.outcome.as_str()) {
            (Phase::Intent, _) => (1, 1),
            (_, "refused" | "withheld") => (2, 2),
            (_, "allowed") if self.entry.withheld.is_empty() && self.entry.records_cut == 0 => {
                (1, 1)
            }
            (_, "allowed") => (4, 11),
            (_, _) => (99, 99),
        }
    }

    /// OCSF's `status_id`: unknown, success or failure.
    fn status(&self) -> u64 {
        match (self.phase, self.entry.outcome.as_str()) {
            (Phase::Intent, _) => 0,
            (_, "allowed") => 1,
            (_, _) => 2,
        }
    }

    fn details(&self) -> Value {
        let entry = self.entry;
        let phase = match self.phase {
            Phase::Intent => return json!({ "phase": "intent" }),
            Phase::Outcome => Some("outcome"),
            Phase::Only => None,
        };
        let mut details = json!({
            "outcome": entry.outcome,
            "problem": entry.problem,
            "fields_masked": entry.withheld,
            "charged": entry.charged,
            "records_cut": entry.records_cut,
            "bytes_out": entry.bytes_out,
            "duration_us": entry.duration_us,
        });
        if let (Some(phase), Some(details)) = (phase, details.as_object_mut()) {
            details.insert("phase".to_owned(), json!(phase));
        }
        details
    }
}

impl Act<'_> {
    fn body(&self, time: u64) -> Value {
        match self {
            Self::Admin(entry) => entity(time, (3, 1), "setting", &json!({ "admin": entry })),
            Self::PolicyLoaded { revision, before } => {
                let details = json!({ "revision": revision, "before": before });
                entity(time, (3, 1), "policy", &details)
            }
            Self::PolicyRefused { revision } => {
                entity(time, (3, 2), "policy", &json!({ "revision": revision }))
            }
            Self::QuotaFinding {
                rule,
                key,
                used,
                limit,
            } => json!({
                "class_uid": 2006,
                "category_uid": 2,
                "activity_id": 1,
                "type_uid": 200_601,
                "severity_id": 4,
                "is_alert": true,
                "time": time,
                "finding_info": { "uid": rule, "title": "a quota is nearly or wholly used up" },
                "unmapped": { "postern": { "key": key, "used": used, "limit": limit } },
            }),
        }
    }
}

/// 3004 Entity Management: `what` was changed, or was not.
fn entity(time: u64, (activity, status): (u64, u64), what: &str, details: &Value) -> Value {
    json!({
        "class_uid": 3004,
        "category_uid": 3,
        "activity_id": activity,
        "type_uid": 300_400 + activity,
        "severity_id": 1,
        "status_id": status,
        "time": time,
        "entity": { "type": what },
        "unmapped": { "postern": details },
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
