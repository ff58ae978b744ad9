//! Events for people, and for systems that do not read OCSF.
//!
//! A rendering keeps who, what, when, how it ended and the exchange's id; the OCSF event stays the record.

mod cef;
mod ecs;

use std::fmt::Write as _;

use serde_json::Value;
use time::OffsetDateTime;

pub(super) use cef::cef;
pub(super) use ecs::ecs;

fn text<'e>(event: &'e Value, pointer: &str) -> &'e str {
    event
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn number(event: &Value, pointer: &str) -> u64 {
    event
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// Who it is about: whoever asked, or whose session it is.
pub(super) fn who(event: &Value) -> &str {
    first(event, &["/actor/user/uid", "/user/uid"])
}

/// The first of these texts that says something.
fn first<'e>(event: &'e Value, pointers: &[&str]) -> &'e str {
    let mut texts = pointers.iter().map(|pointer| text(event, pointer));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// Why: the problem of an exchange, the operator's words, or the reason of anything else.
fn why(event: &Value) -> &str {
    let reasons = [
        "/unmapped/postern/problem",
        "/unmapped/postern/reason",
        "/unmapped/postern/admin/reason",
    ];
    first(event, &reasons)
}

/// The rule that has found something.
fn rule(event: &Value) -> &str {
    first(event, &["/finding_info/uid", "/unmapped/postern/rule"])
}

/// What a rule or an operator has done.
fn action(event: &Value) -> &str {
    let actions = ["/unmapped/postern/action", "/unmapped/postern/admin/action"];
    first(event, &actions)
}

/// The policy revision that an exchange was under, that has come into force, or that stays.
fn revision(event: &Value) -> &str {
    first(event, &["/policy/version", "/unmapped/postern/revision"])
}

/// To what an operator has done something; of a quota its name, and whose count it is.
fn subject(event: &Value) -> String {
    let join = |words: Vec<&str>| words.join(" ");
    if number(event, "/class_uid") == 2006 {
        let key = text(event, "/unmapped/postern/key");
        return serde_json::from_str(key).map_or_else(|_error| key.to_owned(), join);
    }
    let words = event.pointer("/unmapped/postern/admin/subject");
    let words = words.and_then(Value::as_array).into_iter().flatten();
    join(words.filter_map(Value::as_str).collect())
}

/// How much of a quota is used up.
fn usage(event: &Value) -> String {
    match event.pointer("/unmapped/postern/limit") {
        Some(limit) => format!("{} of {limit}", number(event, "/unmapped/postern/used")),
        None => String::new(),
    }
}

/// The session that it is about.
fn session(event: &Value) -> &str {
    first(event, &["/actor/session/uid", "/session/uid"])
}

/// What kind of event it is, in a word or two.
fn kind(event: &Value) -> &'static str {
    match (number(event, "/class_uid"), number(event, "/activity_id")) {
        (6003, _) => match text(event, "/unmapped/postern/phase") {
            "intent" => "intent",
            "outcome" => "outcome",
            _ => "exchange",
        },
        (4002, _) => "malformed",
        (2004 | 2006, _) => "finding",
        (3002, 1) => "logon",
        (3002, _) => "logoff",
        (3003, _) => "revocation",
        (3004, _) if text(event, "/entity/type") == "policy" => "policy",
        (3004, _) => "admin",
        (1008, 2) => "log-prune",
        (1008, 5) => "log-key",
        (1008, 6) => "log-start",
        (1008, 7) => "log-stop",
        (1008, 8) => "log-restart",
        (1008, _) => "heartbeat",
        (_, _) => "event",
    }
}

/// How it ended, in a word.
fn outcome(event: &Value) -> &str {
    match text(event, "/unmapped/postern/outcome") {
        "" if number(event, "/status_id") == 2 => "failed",
        outcome => outcome,
    }
}

/// One line for people.
pub(super) fn line(index: u64, event: &Value) -> String {
    let mut line = format!("{index:>8}  {}  {:<11}", time(event), kind(event));
    let parts = [
        ("", who(event).to_owned()),
        ("", text(event, "/api/operation").to_owned()),
        ("", text(event, "/api/service/name").to_owned()),
        ("", outcome(event).to_owned()),
        ("status ", shown(number(event, "/api/response/code"))),
        ("", rule(event).to_owned()),
        ("", action(event).to_owned()),
        ("", subject(event)),
        ("used ", usage(event)),
        ("", why(event).to_owned()),
        ("masked ", counts(event, "/unmapped/postern/fields_masked")),
        ("charged ", counts(event, "/unmapped/postern/charged")),
        (
            "cut ",
            shown(number(event, "/unmapped/postern/records_cut")),
        ),
        (
            "revision ",
            text(event, "/unmapped/postern/revision").to_owned(),
        ),
        (
            "before ",
            text(event, "/unmapped/postern/before").to_owned(),
        ),
        (
            "refused ",
            text(event, "/unmapped/postern/refused").to_owned(),
        ),
        ("session ", session(event).to_owned()),
        ("id ", text(event, "/metadata/correlation_uid").to_owned()),
    ];
    for (name, value) in parts.iter().filter(|(_, value)| !value.is_empty()) {
        // Nothing of a log that was handed over may steer a terminal.
        let value: String = value.chars().filter(|one| !one.is_control()).collect();
        write!(line, "  {name}{value}").unwrap_or_default();
    }
    line
}

fn shown(number: u64) -> String {
    match number {
        0 => String::new(),
        number => number.to_string(),
    }
}

/// `label=2,other=1`.
fn counts(event: &Value, pointer: &str) -> String {
    let counts = event.pointer(pointer).and_then(Value::as_object);
    let counts = counts.into_iter().flatten();
    let counts: Vec<String> = counts
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    counts.join(",")
}

/// RFC 3339, in UTC, with milliseconds.
fn time(event: &Value) -> String {
    let millis = number(event, "/time");
    let Ok(time) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000) else {
        return millis.to_string();
    };
    let month = u8::from(time.month());
    let ((year, day), (hour, minute, second, millis)) =
        ((time.year(), time.day()), time.to_hms_milli());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn event() -> Value {
        json!({
            "class_uid": 6003, "activity_id": 2, "type_uid": 600_302, "severity_id": 2, "status_id": 2,
            "time": 1_795_953_600_123_u64,
            "metadata": { "uid": "u1", "sequence": 7, "correlation_uid": "ex1",
                "product": { "version": "0.1.0" } },
            "actor": { "user": { "uid": "ann=|\n\u{1b}[2J",
                "groups": [{ "name": "agent" }, { "name": "lead" }] } },
            "api": { "operation": "GET", "service": { "name": "case.read" }, "response": { "code": 403 } },
            "unmapped": { "postern": { "outcome": "refused", "problem": "route-denied" } },
        })
    }

    #[test]
    fn a_line_tells_who_what_and_how_it_ended_and_steers_no_terminal() {
        assert_eq!(
            line(7, &event()),
            "       7  2026-11-29T12:00:00.123Z  exchange     ann=|[2J  GET  case.read  refused  status 403  \
             route-denied  id ex1"
        );
    }

    #[test]
    fn a_line_about_a_session_tells_whose_it_is_and_why() {
        let event = json!({
            "class_uid": 3003, "activity_id": 99, "time": 1_795_953_600_123_u64,
            "user": { "uid": "ann" }, "session": { "uid": "01K" },
            "unmapped": { "postern": { "reason": "admin" } },
        });
        assert_eq!(
            line(8, &event),
            "       8  2026-11-29T12:00:00.123Z  revocation   ann  admin  session 01K"
        );
    }

    #[test]
    fn a_line_about_a_finding_or_an_act_tells_the_rule_whose_count_and_why() {
        let time = "2026-11-29T12:00:00.123Z";
        let shown = |event: &Value| line(9, event);
        assert_eq!(
            shown(&finding()),
            format!(
                "       9  {time}  finding      X01  daily records identity idp ann  used 8 of 10"
            )
        );
        assert_eq!(
            shown(&act()),
            format!("       9  {time}  admin        quota-reset  daily ann  asked by the desk")
        );
        let mut refused = act();
        refused["entity"]["type"] = json!("policy");
        refused["status_id"] = json!(2);
        refused["unmapped"]["postern"] =
            json!({ "revision": "r1", "refused": "r2", "reason": "PN003 PN012" });
        assert_eq!(
            shown(&refused),
            format!("       9  {time}  policy       failed  PN003 PN012  revision r1  refused r2")
        );
        let mut cut = event();
        cut["unmapped"]["postern"] =
            json!({ "outcome": "allowed", "charged": { "records": 2 }, "records_cut": 3 });
        let cut = shown(&cut);
        assert!(cut.contains("  charged records=2  cut 3  id ex1"), "{cut}");
    }

    /// What a quota's rule has found.
    pub(super) fn finding() -> Value {
        let key = r#"["daily","records","identity","idp","ann"]"#;
        json!({
            "class_uid": 2006, "activity_id": 1, "type_uid": 200_601, "severity_id": 4,
            "time": 1_795_953_600_123_u64, "metadata": { "sequence": 0 },
            "finding_info": { "uid": "X01", "title": "a quota is nearly or wholly used up" },
            "unmapped": { "postern": { "key": key, "used": 8, "limit": 10 } },
        })
    }

    /// What an operator has done.
    pub(super) fn act() -> Value {
        let admin = json!({ "action": "quota-reset", "subject": ["daily", "ann"],
            "reason": "asked by the desk", "count": 0 });
        json!({
            "class_uid": 3004, "activity_id": 3, "type_uid": 300_403, "severity_id": 1, "status_id": 1,
            "time": 1_795_953_600_123_u64, "entity": { "type": "setting" },
            "unmapped": { "postern": { "admin": admin } },
        })
    }
}
