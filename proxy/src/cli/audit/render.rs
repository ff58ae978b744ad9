//! Events for people, and for systems that do not read OCSF.
//!
//! A rendering keeps who, what, when, how it ended and the exchange's id; the OCSF event stays the record.

use std::fmt::Write as _;

use serde_json::{Value, json};
use time::OffsetDateTime;

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
    match text(event, "/actor/user/uid") {
        "" => text(event, "/user/uid"),
        who => who,
    }
}

/// Why: the problem of an exchange, or the reason of anything else.
fn why(event: &Value) -> &str {
    match text(event, "/unmapped/postern/problem") {
        "" => text(event, "/unmapped/postern/reason"),
        problem => problem,
    }
}

/// The session that it is about.
fn session(event: &Value) -> &str {
    match text(event, "/actor/session/uid") {
        "" => text(event, "/session/uid"),
        session => session,
    }
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
        ("", text(event, "/unmapped/postern/rule").to_owned()),
        ("", why(event).to_owned()),
        ("masked ", counts(event, "/unmapped/postern/fields_masked")),
        ("charged ", counts(event, "/unmapped/postern/charged")),
        (
            "revision ",
            text(event, "/unmapped/postern/revision").to_owned(),
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

/// Elastic Common Schema 8.
pub(super) fn ecs(event: &Value) -> Value {
    json!({
        "@timestamp": time(event),
        "ecs": { "version": "8.17.0" },
        "event": ecs_event(event),
        "user": {
            "id": who(event),
            "domain": text(event, "/actor/user/domain"),
            "roles": event.pointer("/actor/user/groups"),
        },
        "source": { "ip": text(event, "/src_endpoint/ip") },
        "http": {
            "request": {
                "id": text(event, "/metadata/correlation_uid"),
                "method": text(event, "/api/operation"),
            },
            "response": {
                "status_code": number(event, "/api/response/code"),
                "body": { "bytes": number(event, "/unmapped/postern/bytes_out") },
            },
        },
        "rule": {
            "name": text(event, "/api/service/name"),
            "version": text(event, "/policy/version"),
        },
        "postern": event.pointer("/unmapped/postern"),
    })
}

/// ECS's own fields about the event.
fn ecs_event(event: &Value) -> Value {
    let outcome = match number(event, "/status_id") {
        1 => "success",
        2 => "failure",
        _ => "unknown",
    };
    let (kind, category) = match number(event, "/class_uid") {
        6003 | 4002 => ("event", "web"),
        2004 | 2006 => ("alert", "intrusion_detection"),
        3002 => ("event", "authentication"),
        3003 => ("event", "session"),
        _ => ("event", "configuration"),
    };
    json!({
        "id": text(event, "/metadata/uid"),
        "sequence": number(event, "/metadata/sequence"),
        "kind": kind,
        "category": [category],
        "action": self::kind(event),
        "outcome": outcome,
        "reason": why(event),
        "provider": "postern",
    })
}

/// ArcSight Common Event Format 0.
pub(super) fn cef(event: &Value) -> String {
    let kind = kind(event);
    let severity = match number(event, "/severity_id") {
        0 | 1 => 1,
        2 => 3,
        3 => 5,
        4 => 8,
        _ => 10,
    };
    let version = text(event, "/metadata/product/version");
    let mut line = format!(
        "CEF:0|Postern|Postern|{}|{}|{}|{severity}|",
        in_header(version),
        number(event, "/type_uid"),
        in_header(kind),
    );
    let fields = [
        ("rt", number(event, "/time").to_string()),
        (
            "externalId",
            text(event, "/metadata/correlation_uid").to_owned(),
        ),
        ("suser", who(event).to_owned()),
        ("src", text(event, "/src_endpoint/ip").to_owned()),
        ("requestMethod", text(event, "/api/operation").to_owned()),
        ("outcome", outcome(event).to_owned()),
        ("reason", why(event).to_owned()),
        ("out", shown(number(event, "/unmapped/postern/bytes_out"))),
        ("cs1Label", "route".to_owned()),
        ("cs1", text(event, "/api/service/name").to_owned()),
        ("cs2Label", "policyRevision".to_owned()),
        ("cs2", text(event, "/policy/version").to_owned()),
        ("cs3Label", "fieldsMasked".to_owned()),
        ("cs3", counts(event, "/unmapped/postern/fields_masked")),
        ("cn1Label", "sequence".to_owned()),
        ("cn1", number(event, "/metadata/sequence").to_string()),
    ];
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}={}", in_extension(value)))
        .collect();
    line.push_str(&fields.join(" "));
    line
}

fn in_header(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace(['\r', '\n'], " ")
}

fn in_extension(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('=', "\\=")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        json!({
            "class_uid": 6003, "activity_id": 2, "type_uid": 600_302, "severity_id": 2, "status_id": 2,
            "time": 1_795_953_600_123_u64,
            "metadata": { "uid": "u1", "sequence": 7, "correlation_uid": "ex1",
                "product": { "version": "0.1.0" } },
            "actor": { "user": { "uid": "ann=|\n\u{1b}[2J" } },
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
    fn cef_escapes_what_would_end_a_field() {
        assert_eq!(
            cef(&event()),
            "CEF:0|Postern|Postern|0.1.0|600302|exchange|3|rt=1795953600123 externalId=ex1 \
             suser=ann\\=|\\n\u{1b}[2J requestMethod=GET outcome=refused reason=route-denied cs1Label=route \
             cs1=case.read cs2Label=policyRevision cs3Label=fieldsMasked cn1Label=sequence cn1=7"
        );
    }

    #[test]
    fn ecs_has_the_fields_that_searches_start_from() {
        let ecs = ecs(&event());
        assert_eq!(ecs["@timestamp"], "2026-11-29T12:00:00.123Z");
        assert_eq!(ecs["event"]["outcome"], "failure");
        assert_eq!(ecs["http"]["response"]["status_code"], 403);
    }
}
