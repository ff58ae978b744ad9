//! Sessions on record, as OCSF 1.8.0 events: 3002 Authentication, 3003 Authorize Session and 2004 Detection
//! Finding.
//!
//! A session is named by its public id, which opens nothing; never by a handle or by what is in its jar.

use serde_json::{Value, json};

use crate::session::Holder;

/// A session's id, and whose it is.
type Session<'a> = (&'a str, &'a Holder);

/// 3002 Authentication, Logon: somebody has logged in.
pub(super) fn logon(time: u64, sid: &str, who: &Holder) -> Value {
    authentication(time, 1, (sid, who), &json!({}))
}

/// 3002 Authentication, Logoff: a session has ended.
pub(super) fn logoff(time: u64, session: Session<'_>, reason: &str) -> Value {
    authentication(time, 2, session, &json!({ "reason": reason }))
}

fn authentication(time: u64, activity: u64, (sid, who): Session<'_>, details: &Value) -> Value {
    json!({
        "class_uid": 3002,
        "category_uid": 3,
        "activity_id": activity,
        "type_uid": 300_200 + activity,
        "severity_id": 1,
        "status_id": 1,
        "time": time,
        "user": user(who),
        "session": { "uid": sid },
        "service": { "name": "postern" },
        "is_remote": true,
        "unmapped": { "postern": details },
    })
}

/// 3003 Authorize Session: a session's privileges are taken from it. OCSF knows only how they are given, so
/// the activity is `99 Other` and has a name.
pub(super) fn revoked(time: u64, (sid, who): Session<'_>, by: &str) -> Value {
    json!({
        "class_uid": 3003,
        "category_uid": 3,
        "activity_id": 99,
        "activity_name": "Revoke",
        "type_uid": 300_399,
        "severity_id": 2,
        "status_id": 1,
        "time": time,
        "user": user(who),
        "session": { "uid": sid },
        "privileges": who.roles,
        "unmapped": { "postern": { "reason": by } },
    })
}

/// 2004 Detection Finding: a session may be in other hands.
pub(super) fn finding(
    time: u64,
    (rule, action): (&str, &str),
    of: Option<Session<'_>>,
    reason: &str,
) -> Value {
    let mut event = json!({
        "class_uid": 2004,
        "category_uid": 2,
        "activity_id": 1,
        "type_uid": 200_401,
        "severity_id": severity(action),
        "status_id": 1,
        "is_alert": true,
        "time": time,
        "finding_info": { "uid": rule, "title": "a session may be in other hands" },
        "unmapped": { "postern": { "rule": rule, "action": action, "reason": reason } },
    });
    if let (Some((sid, who)), Some(members)) = (of, event.as_object_mut()) {
        let actor = json!({ "user": user(who), "session": { "uid": sid } });
        members.insert("actor".to_owned(), actor);
    }
    event
}

/// OCSF's `severity_id`: 5 critical, 4 high, 3 medium.
fn severity(action: &str) -> u64 {
    match action {
        "revoke" => 5,
        "observe" => 3,
        _ => 4,
    }
}

/// OCSF's user; one from before a login has no name.
fn user(who: &Holder) -> Value {
    let groups: Vec<Value> = who
        .roles
        .iter()
        .map(|role| json!({ "name": role }))
        .collect();
    json!({
        "uid": who.subject,
        "domain": who.issuer,
        "org": { "uid": who.tenant },
        "groups": groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Holder {
        Holder {
            issuer: "session".to_owned(),
            subject: "ann".to_owned(),
            tenant: Some("north".to_owned()),
            roles: vec!["agent".to_owned()],
        }
    }

    #[test]
    fn a_session_begins_and_ends_as_an_authentication() {
        let began = logon(7, "s1", &ann());
        let fields = (&began["class_uid"], &began["type_uid"], &began["time"]);
        assert_eq!(fields, (&json!(3002), &json!(300_201), &json!(7)));
        assert_eq!(began["user"]["uid"], "ann");
        assert_eq!(began["user"]["groups"][0]["name"], "agent");
        assert_eq!(began["session"]["uid"], "s1");
        let ended = logoff(8, ("s1", &ann()), "logout");
        assert_eq!(ended["type_uid"], 300_202);
        assert_eq!(ended["unmapped"]["postern"]["reason"], "logout");
    }

    #[test]
    fn a_revocation_names_who_decided_and_what_is_lost() {
        let event = revoked(7, ("s1", &ann()), "admin");
        assert_eq!(event["type_uid"], 300_399);
        assert_eq!(event["privileges"], json!(["agent"]));
        assert_eq!(event["unmapped"]["postern"]["reason"], "admin");
    }

    #[test]
    fn a_finding_is_an_alert_whose_severity_is_what_its_rule_does() {
        let ann = ann();
        for (action, severity) in [("revoke", 5), ("step_up", 4), ("refuse", 4), ("observe", 3)] {
            let event = finding(7, ("H06", action), Some(("s1", &ann)), "two-places");
            assert_eq!(event["type_uid"], 200_401);
            assert_eq!(event["severity_id"], severity, "{action}");
            assert_eq!(event["finding_info"]["uid"], "H06");
            assert_eq!(event["actor"]["session"]["uid"], "s1");
        }
        let event = finding(7, ("H12", "refuse"), None, "revoked");
        assert!(event["actor"].is_null());
    }
}
