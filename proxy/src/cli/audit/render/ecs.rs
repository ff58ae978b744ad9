//! Elastic Common Schema 8.

use serde_json::{Map, Value, json};

use super::{first, kind, number, revision, rule, text, time, who, why};

/// An event in ECS's words. What is not known is left out: its fields have types, which no empty text has.
pub(in crate::cli::audit) fn ecs(event: &Value) -> Value {
    let rule_name = match rule(event) {
        "" => text(event, "/api/service/name"),
        rule => rule,
    };
    let status = event.pointer("/api/response/code");
    let fields = json!({
        "@timestamp": time(event),
        "ecs": { "version": "8.17.0" },
        "event": of_event(event),
        "user": {
            "id": who(event),
            "domain": first(event, &["/actor/user/domain", "/user/domain"]),
            "roles": roles(event),
        },
        "source": { "ip": text(event, "/src_endpoint/ip") },
        "http": {
            "request": {
                "id": text(event, "/metadata/correlation_uid"),
                "method": text(event, "/api/operation"),
            },
            "response": {
                "status_code": status.filter(|status| **status != 0),
                "body": { "bytes": event.pointer("/unmapped/postern/bytes_out") },
            },
        },
        "rule": {
            "id": rule(event),
            "name": rule_name,
            "version": revision(event),
        },
    });
    let mut fields = filled(fields).unwrap_or_default();
    if let (Some(fields), Some(own)) = (fields.as_object_mut(), event.pointer("/unmapped/postern"))
    {
        fields.insert("postern".to_owned(), own.clone());
    }
    fields
}

/// The names of whoever's roles counted.
fn roles(event: &Value) -> Vec<&str> {
    let groups = ["/actor/user/groups", "/user/groups"];
    let groups = groups
        .iter()
        .filter_map(|groups| event.pointer(groups)?.as_array());
    groups.flatten().map(|role| text(role, "/name")).collect()
}

/// ECS's own fields about the event.
fn of_event(event: &Value) -> Value {
    let outcome = match number(event, "/status_id") {
        1 => "success",
        2 => "failure",
        _ => "unknown",
    };
    let (category_kind, category) = match number(event, "/class_uid") {
        6003 | 4002 => ("event", "web"),
        2004 | 2006 => ("alert", "intrusion_detection"),
        3002 => ("event", "authentication"),
        3003 => ("event", "session"),
        _ => ("event", "configuration"),
    };
    json!({
        "id": text(event, "/metadata/uid"),
        "sequence": event.pointer("/metadata/sequence"),
        "kind": category_kind,
        "category": [category],
        "action": kind(event),
        "outcome": outcome,
        "reason": why(event),
        "provider": "postern",
    })
}

/// The same without what says nothing; nothing when nothing is left.
fn filled(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) => Some(value),
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(filled).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(members) => {
            let members = members.into_iter();
            let members: Map<String, Value> = members
                .filter_map(|(name, value)| Some((name, filled(value)?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{act, event, finding};
    use super::*;

    #[test]
    fn ecs_has_the_fields_that_searches_start_from() {
        let ecs = ecs(&event());
        assert_eq!(ecs["@timestamp"], "2026-11-29T12:00:00.123Z");
        assert_eq!(ecs["event"]["outcome"], "failure");
        assert_eq!(ecs["http"]["response"]["status_code"], 403);
        assert_eq!(ecs["user"]["roles"], json!(["agent", "lead"]));
        assert_eq!(ecs["rule"], json!({ "name": "case.read" }));
    }

    #[test]
    fn ecs_tells_the_rule_of_a_finding_and_why_an_operator_acted() {
        let ecs_of = ecs(&finding());
        assert_eq!(ecs_of["rule"], json!({ "id": "X01", "name": "X01" }));
        assert_eq!(ecs_of["postern"]["limit"], 10);
        let ecs_of = ecs(&act());
        assert_eq!(ecs_of["event"]["reason"], "asked by the desk");
        assert_eq!(ecs_of["postern"]["admin"]["action"], "quota-reset");
    }

    #[test]
    fn ecs_leaves_out_what_nothing_is_known_of() {
        let mut intent = event();
        intent["api"]["response"]["code"] = json!(0);
        intent["actor"]["user"]["groups"] = json!([]);
        intent["unmapped"]["postern"] = json!({ "phase": "intent" });
        let ecs_of = ecs(&intent);
        assert_eq!(ecs_of["http"]["response"], Value::Null);
        assert_eq!(ecs_of["user"]["roles"], Value::Null);
        let start = json!({ "class_uid": 1008, "activity_id": 6, "time": 0,
            "metadata": { "uid": "u0", "sequence": 0 } });
        assert_eq!(
            ecs(&start),
            json!({
                "@timestamp": "1970-01-01T00:00:00.000Z",
                "ecs": { "version": "8.17.0" },
                "event": {
                    "id": "u0", "sequence": 0, "kind": "event", "category": ["configuration"],
                    "action": "log-start", "outcome": "unknown", "provider": "postern",
                },
            })
        );
    }
}
