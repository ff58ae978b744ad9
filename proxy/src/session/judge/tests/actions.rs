//! Every rule that is raised here, with each of the actions that a policy may give it.

use super::stage::{NOW, SAFARI, SID, decoys};
use super::*;
use crate::session::dbsc::Device;
use crate::session::record::Holder;
use crate::session::samples::{fresh, times};

const ALL: [RuleId; 11] = [
    RuleId::H01,
    RuleId::H02,
    RuleId::H04,
    RuleId::H05a,
    RuleId::H05b,
    RuleId::H06,
    RuleId::H07,
    RuleId::H08,
    RuleId::H11,
    RuleId::H13,
    RuleId::H14,
];

/// A request that the rule fires for.
fn fire(stage: &mut Stage, rule: RuleId) -> Judgement {
    let (here, elsewhere) = (Visit::new(), Visit::new().from("198.51.100.1"));
    match rule {
        RuleId::H01 => {
            stage.bind_certificate(b"mine");
            stage.judge(&here, 100)
        }
        RuleId::H02 => {
            let [first, _] = stage.bind_device();
            stage.judge(&here.bound(&first), 130)
        }
        RuleId::H04 => {
            stage.record.binding.key = Some("key".to_owned());
            let replay = ShownDpop::Refused(DpopRefusal::Replay);
            let shown = here.shown().with_dpop(replay);
            let judged = [0, 1, 2].map(|at| stage.judge_shown(&shown, at));
            let [_, _, third] = judged;
            third
        }
        RuleId::H05a => stage.judge(&elsewhere, 100),
        RuleId::H05b => stage.judge(&elsewhere.field("user-agent", SAFARI), 100),
        RuleId::H06 => {
            for (at, visit) in [(0, &here), (1, &elsewhere)] {
                stage.judge(visit, at);
            }
            stage.judge(&here, 2)
        }
        RuleId::H07 => stage.judge(&here.field("user-agent", SAFARI), 100),
        RuleId::H08 => {
            stage.record.binding.device = Some(Device::offer(fresh(1), times(), NOW).0);
            for other in ["one", "two"] {
                let holder: &Holder = &stage.record.holder;
                stage.recent.is_often_unregistered(holder, other, NOW);
            }
            stage.judge(&here, 60)
        }
        RuleId::H11 => {
            let decoy = decoys().field(SID).unwrap();
            let visit = elsewhere.field("user-agent", SAFARI);
            stage.judge(&visit.cookie(decoy.split(';').next().unwrap()), 100)
        }
        RuleId::H13 => stage.judge(&here.field("sec-fetch-site", "cross-site"), 100),
        RuleId::H14 => {
            let mut judgement = stage.judge(&here, 100);
            for case in 0..=CASES_A_MINUTE {
                let of = (&stage.sessions, &stage.record);
                judgement.note_case(of, &case.to_string(), &stage.recent, NOW);
            }
            judgement
        }
        RuleId::H03 | RuleId::H09 | RuleId::H10 | RuleId::H12 | RuleId::H15 => {
            panic!("{rule:?} is raised elsewhere")
        }
    }
}

/// The judgement of a request that the rule fires for, when it has this action and no other rule has any.
fn fired(rule: RuleId, action: RuleAction) -> Judgement {
    let mut stage = Stage::new();
    for other in RuleId::ALL {
        stage.sessions.rules.insert(other, RuleAction::Observe);
    }
    stage.sessions.rules.insert(rule, action);
    let judgement = fire(&mut stage, rule);
    let mut found = judgement.findings.iter().filter(|one| one.rule == rule);
    let finding = found.next().unwrap();
    assert_eq!((finding.action, found.next()), (action, None), "{rule:?}");
    judgement
}

/// What is refused because of what it is, whatever the rule does.
fn floor(rule: RuleId) -> Outcome {
    if rule == RuleId::H02 {
        Outcome::Refuse(Refusal::BindingRequired)
    } else if rule == RuleId::H04 {
        Outcome::Refuse(Refusal::Dpop(DpopRefusal::Replay))
    } else {
        Outcome::Go
    }
}

/// What an action makes of an exchange that is not refused anyway.
fn above(floor: Outcome, outcome: Outcome) -> Outcome {
    if floor == Outcome::Go { outcome } else { floor }
}

#[test]
fn observed_it_is_found_and_nothing_else_happens() {
    for rule in ALL {
        let judgement = fired(rule, RuleAction::Observe);
        assert_eq!(judgement.outcome, floor(rule), "{rule:?}");
        assert!(!judgement.learned.step_up && !judgement.learned.downgrade);
    }
}

#[test]
fn with_step_up_the_holder_must_authenticate_anew() {
    for rule in ALL {
        let judgement = fired(rule, RuleAction::StepUp);
        assert_eq!(judgement.outcome, above(floor(rule), Outcome::StepUp));
        assert!(judgement.learned.step_up && !judgement.learned.downgrade);
        assert_eq!(judgement.learned.context, None);
    }
}

#[test]
fn with_downgrade_the_session_goes_on_and_nothing_binds_it() {
    for rule in ALL {
        let judgement = fired(rule, RuleAction::Downgrade);
        assert_eq!(judgement.outcome, floor(rule), "{rule:?}");
        assert_eq!(judgement.level, BindingLevel::Unbound, "{rule:?}");
        assert!(judgement.learned.downgrade && !judgement.learned.step_up);
    }
}

#[test]
fn with_revoke_the_session_ends() {
    for rule in ALL {
        let judgement = fired(rule, RuleAction::Revoke);
        assert_eq!(judgement.outcome, Outcome::Revoke(rule), "{rule:?}");
        assert!(judgement.learned.is_empty());
    }
}

#[test]
fn with_refuse_the_exchange_ends_and_the_session_does_not() {
    for rule in ALL {
        let judgement = fired(rule, RuleAction::Refuse);
        let refusal = if rule == RuleId::H13 {
            Refusal::Csrf
        } else {
            Refusal::Rule(rule)
        };
        let expected = above(floor(rule), Outcome::Refuse(refusal));
        assert_eq!(judgement.outcome, expected, "{rule:?}");
        assert!(judgement.learned.is_empty());
    }
}

#[test]
fn what_is_raised_elsewhere_has_its_action_too() {
    let stage = Stage::new();
    let finding = Finding::upstream_token(&stage.sessions);
    let mut judgement = stage.judge(&Visit::new(), 0);
    judgement.raise(finding);
    assert_eq!(judgement.outcome, Outcome::Revoke(RuleId::H09));
    let mut judgement = stage.judge(&Visit::new(), 0);
    judgement.raise(Finding::policy_gap(&stage.sessions));
    assert_eq!(judgement.outcome, Outcome::Go);
    judgement.raise(Finding::new(
        &stage.sessions,
        RuleId::H15,
        "case-outside-the-grant",
    ));
    let refused = Refusal::Rule(RuleId::H15);
    assert_eq!(judgement.outcome, Outcome::Refuse(refused));
    assert_eq!(words(&judgement), "H10 H15");
}
