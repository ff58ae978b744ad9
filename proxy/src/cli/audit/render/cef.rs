//! ArcSight Common Event Format 0.

use serde_json::Value;

use super::{
    action, counts, kind, number, outcome, revision, rule, session, shown, subject, text, who, why,
};

/// An event as one line of CEF. What is not known is left out.
pub(in crate::cli::audit) fn cef(event: &Value) -> String {
    let severity = match number(event, "/severity_id") {
        0 | 1 => 1,
        2 => 3,
        3 => 5,
        4 => 8,
        _ => 10,
    };
    let version = text(event, "/metadata/product/version");
    let named = named(event);
    let named = named.iter().filter(|(_, value)| !value.is_empty());
    let named = named.map(|(name, value)| format!("{name}={}", in_extension(value)));
    let labelled = labelled(event);
    let labelled = labelled.iter().filter(|(_, _, value)| !value.is_empty());
    let labelled = labelled
        .map(|(name, label, value)| format!("{name}Label={label} {name}={}", in_extension(value)));
    let fields: Vec<String> = named.chain(labelled).collect();
    format!(
        "CEF:0|Postern|Postern|{}|{}|{}|{severity}|{}",
        in_header(version),
        number(event, "/type_uid"),
        in_header(kind(event)),
        fields.join(" ")
    )
}

/// What CEF has a field for.
fn named(event: &Value) -> [(&'static str, String); 9] {
    [
        ("rt", number(event, "/time").to_string()),
        (
            "externalId",
            text(event, "/metadata/correlation_uid").to_owned(),
        ),
        ("suser", who(event).to_owned()),
        ("src", text(event, "/src_endpoint/ip").to_owned()),
        ("requestMethod", text(event, "/api/operation").to_owned()),
        ("act", action(event).to_owned()),
        ("outcome", outcome(event).to_owned()),
        ("reason", why(event).to_owned()),
        ("out", shown(number(event, "/unmapped/postern/bytes_out"))),
    ]
}

/// What it has only so many places for, each with a label.
fn labelled(event: &Value) -> [(&'static str, &'static str, String); 9] {
    let about = match subject(event) {
        none if none.is_empty() => ("cs6", "session", session(event).to_owned()),
        subject => ("cs6", "subject", subject),
    };
    let (counted, against) = match event.pointer("/unmapped/postern/limit") {
        Some(_) => (("used", "used"), ("limit", "/unmapped/postern/limit")),
        None => (
            ("recordsCut", "records_cut"),
            ("statusCode", "/api/response/code"),
        ),
    };
    let own = |name: &str| format!("/unmapped/postern/{name}");
    [
        ("cs1", "route", text(event, "/api/service/name").to_owned()),
        ("cs2", "policyRevision", revision(event).to_owned()),
        ("cs3", "fieldsMasked", counts(event, &own("fields_masked"))),
        ("cs4", "charged", counts(event, &own("charged"))),
        ("cs5", "rule", rule(event).to_owned()),
        about,
        (
            "cn1",
            "sequence",
            number(event, "/metadata/sequence").to_string(),
        ),
        ("cn2", counted.0, shown(number(event, &own(counted.1)))),
        ("cn3", against.0, shown(number(event, against.1))),
    ]
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
    use serde_json::json;

    use super::super::tests::{act, event, finding};
    use super::*;

    #[test]
    fn cef_escapes_what_would_end_a_field() {
        assert_eq!(
            cef(&event()),
            "CEF:0|Postern|Postern|0.1.0|600302|exchange|3|rt=1795953600123 externalId=ex1 \
             suser=ann\\=|\\n\u{1b}[2J requestMethod=GET outcome=refused reason=route-denied cs1Label=route \
             cs1=case.read cn1Label=sequence cn1=7 cn3Label=statusCode cn3=403"
        );
    }

    #[test]
    fn cef_tells_what_was_charged_and_cut() {
        let mut event = event();
        event["unmapped"]["postern"] = json!({ "charged": { "records": 2 }, "records_cut": 3 });
        let cef = cef(&event);
        assert!(cef.contains(" cs4Label=charged cs4=records\\=2 "), "{cef}");
        assert!(cef.contains(" cn2Label=recordsCut cn2=3 "), "{cef}");
    }

    #[test]
    fn cef_tells_the_rule_and_whose_count_it_is_and_what_an_operator_did() {
        assert_eq!(
            cef(&finding()),
            "CEF:0|Postern|Postern||200601|finding|8|rt=1795953600123 cs5Label=rule cs5=X01 cs6Label=subject \
             cs6=daily records identity idp ann cn1Label=sequence cn1=0 cn2Label=used cn2=8 cn3Label=limit cn3=10"
        );
        assert_eq!(
            cef(&act()),
            "CEF:0|Postern|Postern||300403|admin|1|rt=1795953600123 act=quota-reset reason=asked by the desk \
             cs6Label=subject cs6=daily ann cn1Label=sequence cn1=0"
        );
    }
}
