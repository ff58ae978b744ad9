//! Decoys, and handles of sessions that have ended.

use super::stage::{SAFARI, SID, decoys};
use super::*;
use crate::session::store::StoreError;
use crate::session::vault::NoSession;

const OTHER: &str = "01J0000000000000000000000Z";

fn decoy(sid: &str) -> String {
    let field = decoys().field(sid).unwrap();
    field.split(';').next().unwrap().to_owned()
}

#[test]
fn its_own_decoy_goes_with_the_handle_and_from_nowhere_else() {
    let stage = Stage::new();
    let visit = Visit::new().cookie(&decoy(SID));
    assert_eq!(words(&stage.judge(&visit, 100)), "");
    let moved = visit.from("198.51.100.1");
    assert_eq!(words(&stage.judge(&moved, 100)), "H05a");
    let thief = moved.field("user-agent", SAFARI);
    let judgement = Stage::new().judge(&thief, 100);
    assert_eq!(words(&judgement), "H05b H11");
    assert_eq!(judgement.betrayed, None);
}

#[test]
fn the_decoy_of_another_session_betrays_that_one() {
    let visit = Visit::new().cookie(&decoy(OTHER));
    for (action, outcome) in [
        (RuleAction::Observe, Outcome::Go),
        (RuleAction::StepUp, Outcome::Refuse(Refusal::SessionMissing)),
        (
            RuleAction::Downgrade,
            Outcome::Refuse(Refusal::SessionMissing),
        ),
        (RuleAction::Revoke, Outcome::Refuse(Refusal::SessionMissing)),
    ] {
        let mut stage = Stage::new();
        stage.sessions.rules.insert(RuleId::H11, action);
        let judgement = stage.judge(&visit, 100);
        assert_eq!(words(&judgement), "", "it is not about this one");
        let (sid, finding) = judgement.betrayed.unwrap();
        assert_eq!((sid.as_str(), finding.rule), (OTHER, RuleId::H11));
        assert_eq!(judgement.outcome, outcome);
        assert!(judgement.learned.is_empty(), "nothing of this session");
        let lesson = finding.lesson();
        assert_eq!(lesson.step_up, action == RuleAction::StepUp);
        assert_eq!(lesson.downgrade, action == RuleAction::Downgrade);
    }
}

#[test]
fn a_decoy_alone_came_out_of_a_copied_jar() {
    let sessions = Sessions::default();
    let alone = Visit::bare().cookie(&decoy(SID)).shown();
    let (sid, finding) = lone_decoy(&sessions, &alone).unwrap();
    assert_eq!((sid.as_str(), finding.action), (SID, RuleAction::Revoke));
    let beside = Visit::new().cookie(&decoy(SID)).shown();
    assert_eq!(lone_decoy(&sessions, &beside), None);
    let application = Visit::bare().cookie("JSESSIONID=0A1B2C").shown();
    assert_eq!(lone_decoy(&sessions, &application), None);
}

#[test]
fn a_handle_is_noticed_when_its_session_has_ended_and_not_when_there_was_none() {
    let sessions = Sessions::default();
    for (none, reason) in [
        (NoSession::Expired, Some("expired")),
        (NoSession::Revoked, Some("revoked")),
        (NoSession::Missing, None),
        (NoSession::Forged, None),
        (NoSession::Store(StoreError::Timeout), None),
    ] {
        let finding = Finding::ended(&sessions, none);
        assert_eq!(finding.map(|finding| finding.reason), reason);
        assert!(finding.is_none_or(|finding| finding.action == RuleAction::Refuse));
    }
}
