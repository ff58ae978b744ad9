//! An independent answer to what a delivered document should be: parse, walk, compare.
//!
//! It applies where a plain reader can follow: policy `redact`, a successful or failed JSON answer
//! without codings that `serde_json` reads. Everything else is left to the canary scan.

use serde_json::Value;

use super::also::upstream_body;
use super::judge::Case;
use super::observed::Observed;

const MASKED: [&str; 4] = ["ssn", "email", "phone", "pan"];
const REMOVED: [&str; 3] = ["internal_notes", "session_token", "csrf"];

/// The delivered document is the upstream's with the protected members masked or gone.
pub(super) fn same_document(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let agent = case.entry.request.identity.as_deref() == Some("agent");
    let coded = observed.answer.field("content-encoding").is_some();
    if case.policy != "redact" || !agent || coded || observed.answer.body.is_empty() {
        return Ok(());
    }
    let Ok(mut wanted) = serde_json::from_slice::<Value>(upstream_body(case)) else {
        return Ok(());
    };
    let Ok(got) = serde_json::from_slice::<Value>(&observed.answer.body) else {
        return Ok(());
    };
    redact(&mut wanted);
    if wanted == got {
        Ok(())
    } else {
        Err("the document differs from the reference".to_owned())
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !REMOVED.contains(&name.as_str()));
            for (name, value) in members.iter_mut() {
                if MASKED.contains(&name.as_str()) {
                    *value = Value::from("[REDACTED]");
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_removes_at_every_depth() {
        let mut document =
            serde_json::json!({"ssn": {"x": 1}, "a": [{"email": "e", "csrf": "t", "n": 1}]});
        redact(&mut document);
        assert_eq!(
            document,
            serde_json::json!({"ssn": "[REDACTED]", "a": [{"email": "[REDACTED]", "n": 1}]})
        );
    }
}
