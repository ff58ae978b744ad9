//! What goes on record, as OCSF 1.8.0 events: labels, counts and names of rules, never a value, a header,
//! a query or a token (D15).
//!
//! Whoever asked is named; whom the data is about is a keyed hash.

use std::collections::BTreeSet;
use std::time::SystemTime;

use postern_audit::{AdminEntry, AuditEntry, NewEntry};
use serde::Serialize;
use serde_json::{Value, json};

use super::api_call::{ApiCall, Metadata};
use super::session_events;
use crate::clock::unix_millis;
use crate::exchange::random_hex;
use crate::one_line::one_line;
use crate::session::Holder;

/// Room for an event of an exchange, in bytes.
const FIELDS_BYTES_TYPICAL: usize = 1_024;
/// The longest reason, in characters.
const REASON_LENGTH_MAX: usize = 200;

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
    /// Somebody with the admin token looks on; nothing is changed.
    Admin(&'a AdminEntry),
    /// Somebody with the admin token is about to change something.
    AdminBegins(&'a AdminEntry),
    /// That has ended.
    AdminEnded {
        /// What it was, with how many things it changed.
        entry: &'a AdminEntry,
        /// All that was asked for was done.
        done: bool,
    },
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
        /// The revision of the one that was refused; empty when its file cannot be read.
        refused: &'a str,
        /// What was said of the one that was refused; see [`reason_of`].
        report: &'a str,
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
    /// A session begins, because somebody has logged in.
    SessionBegan {
        /// Its id.
        sid: &'a str,
        /// Who has logged in.
        who: &'a Holder,
    },
    /// A session has ended that was somebody's.
    SessionEnded {
        /// Its id.
        sid: &'a str,
        /// Whose it was.
        who: &'a Holder,
        /// Why: a fixed word, or the id of a rule.
        reason: &'a str,
    },
    /// A session is about to be ended, because somebody or a rule decided so.
    SessionRevoked {
        /// Its id.
        sid: &'a str,
        /// Whose it is.
        who: &'a Holder,
        /// Who decided: a fixed word, or the id of a rule.
        by: &'a str,
    },
    /// A rule has noticed a session in other hands.
    HijackFinding {
        /// The rule's id.
        rule: &'a str,
        /// The word of what it does.
        action: &'a str,
        /// The session, if it is known, and whose it is.
        of: Option<(&'a str, &'a Holder)>,
        /// What it has noticed: a fixed word.
        reason: &'a str,
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

impl ExchangeEvent<'_> {
    fn exchange_id(&self) -> &str {
        &self.entry.exchange_id
    }

    /// What no other event has: an exchange has at most one record of each phase.
    fn uid(&self) -> String {
        let phase = match self.phase {
            Phase::Intent => "intent",
            Phase::Outcome | Phase::Only => "end",
        };
        format!("{}-{phase}", self.entry.exchange_id)
    }
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
        let time = unix_millis(now);
        let fields = match self {
            Self::Exchange(exchange) => {
                let metadata = Metadata::new(exchange.uid(), time, Some(exchange.exchange_id()));
                fields_of(&metadata, &ApiCall::new(exchange, time))
            }
            Self::Act(act) => {
                let metadata = Metadata::new(random_hex(), time, None);
                fields_of(&metadata, &act.body(time))
            }
        };
        match fields {
            // The index is known when the entry is written; it stands first, so that nothing is searched for.
            Ok(fields) => {
                let fields = one_line(fields).into_bytes();
                NewEntry::numbered(br#"{"metadata":{"sequence":"#.to_vec(), fields)
            }
            Err(error) => {
                tracing::error!(%error, "an event cannot be written as JSON");
                // SECURITY: the log refuses an empty entry, and what is not on record does not happen.
                NewEntry::new(Vec::new())
            }
        }
    }
}

/// The fields of the metadata after its first, and of the event after its metadata.
fn fields_of(metadata: &Metadata<'_>, body: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = Vec::with_capacity(FIELDS_BYTES_TYPICAL);
    append(&mut text, metadata)?;
    append(&mut text, body)?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// Writes an object so that it goes on with the one that is open: a comma in place of its first brace.
fn append(text: &mut Vec<u8>, object: &impl Serialize) -> Result<(), serde_json::Error> {
    let start = text.len();
    serde_json::to_writer(&mut *text, object)?;
    if let Some(brace) = text.get_mut(start) {
        *brace = b',';
    }
    Ok(())
}

impl Act<'_> {
    fn body(&self, time: u64) -> Value {
        match self {
            Self::Admin(entry) => entity(time, (3, 1), "setting", &json!({ "admin": entry })),
            Self::AdminBegins(entry) => {
                let details = json!({ "admin": entry, "phase": "intent" });
                entity(time, (3, 0), "setting", &details)
            }
            Self::AdminEnded { entry, done } => {
                let details = json!({ "admin": entry, "phase": "outcome" });
                entity(time, (3, if *done { 1 } else { 2 }), "setting", &details)
            }
            Self::PolicyLoaded { revision, before } => {
                let details = json!({ "revision": revision, "before": before });
                entity(time, (3, 1), "policy", &details)
            }
            Self::PolicyRefused {
                revision,
                refused,
                report,
            } => {
                let mut details = json!({ "revision": revision, "reason": reason_of(report) });
                if let Some(details) = details.as_object_mut().filter(|_| !refused.is_empty()) {
                    details.insert("refused".to_owned(), json!(refused));
                }
                entity(time, (3, 2), "policy", &details)
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
            Self::SessionBegan { sid, who } => session_events::logon(time, sid, who),
            Self::SessionEnded { sid, who, reason } => {
                session_events::logoff(time, (sid, who), reason)
            }
            Self::SessionRevoked { sid, who, by } => session_events::revoked(time, (sid, who), by),
            Self::HijackFinding {
                rule,
                action,
                of,
                reason,
            } => session_events::finding(time, (rule, action), *of, reason),
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

/// Why a policy was refused, in a few words. Of what is wrong within the file only the codes: a report quotes the
/// author, and nobody can tell what that is. Of anything else the first line of the report.
fn reason_of(report: &str) -> String {
    let code = |line: &str| Some(line.strip_prefix("error[")?.split_once(']')?.0.to_owned());
    let codes: BTreeSet<String> = report.lines().filter_map(code).collect();
    let reason = match codes.is_empty() {
        true => {
            let first = report.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
        false => codes.into_iter().collect::<Vec<_>>().join(" "),
    };
    reason.chars().take(REASON_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_policy_says_why_and_quotes_nobody() {
        let report = "error[PN012]: `hunter2` is no key here\n --> p.yaml:1:1\n  |\n1 | error[PN099]\n\n\
            error[PN003]: no\nlint[PN101]: l\n\nerror[PN012]: `x` is no key here\n\n3 errors\n";
        assert_eq!(reason_of(report), "PN003 PN012");
        let report = "error: cannot read `p.yaml`: there is no such file\nmore\n";
        let reason = "cannot read `p.yaml`: there is no such file";
        assert_eq!(reason_of(report), reason);
        let details = |refused| {
            let revision = "r1";
            let refused = Act::PolicyRefused {
                revision,
                refused,
                report,
            };
            refused.body(7)["unmapped"]["postern"].clone()
        };
        let unread = json!({ "revision": "r1", "reason": reason });
        assert_eq!(details(""), unread);
        let read = json!({ "revision": "r1", "refused": "r2", "reason": reason });
        assert_eq!(details("r2"), read);
        assert_eq!(reason_of(&"é".repeat(900)).chars().count(), 200);
        assert_eq!(reason_of(""), "");
    }
}
