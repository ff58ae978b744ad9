//! Each rule fires, does not fire for its neighbour, and does what its action says.

mod actions;
mod decoys;
mod proofs;
mod senders;
mod stage;
mod surroundings;

use super::*;
use stage::{Stage, Visit, words};

#[test]
fn a_request_from_where_the_session_began_goes_on_and_teaches_nothing() {
    let stage = Stage::new();
    let judgement = stage.judge(&Visit::new(), 0);
    assert_eq!(judgement.level, BindingLevel::Context);
    assert_eq!(judgement.outcome, Outcome::Go);
    assert!(judgement.findings.is_empty() && judgement.learned.is_empty());
    assert_eq!(judgement, stage.judge(&Visit::new(), 1_000));
}

#[test]
fn a_level_counts_only_where_the_policy_binds_by_it() {
    for (bind, certificate, level) in [
        (vec![Binds::Context], true, BindingLevel::Context),
        (vec![Binds::Mtls], false, BindingLevel::Unbound),
        (vec![Binds::Mtls], true, BindingLevel::Certificate),
    ] {
        let mut stage = Stage::new();
        stage.sessions.bind = bind.into_iter().collect();
        let mut visit = Visit::new();
        if certificate {
            stage.bind_certificate(b"mine");
            visit = visit.certificate(b"mine");
        }
        let judgement = stage.judge(&visit, 100);
        assert_eq!(judgement.level, level);
        assert_eq!(judgement.outcome, Outcome::Go);
    }
}

#[test]
fn a_session_that_was_taken_down_has_no_level_whatever_it_proves() {
    let mut stage = Stage::new();
    stage.bind_certificate(b"mine");
    stage.record.binding.downgraded = true;
    let judgement = stage.judge(&Visit::new().certificate(b"mine"), 0);
    assert_eq!(judgement.level, BindingLevel::Unbound);
    assert_eq!(judgement.outcome, Outcome::Go);
    assert!(judgement.learned.is_empty());
    let needed = needs(&stage.sessions, &judgement, BindingLevel::Context);
    assert_eq!(needed, Err(Unmet::Binding));
}

#[test]
fn a_demanded_step_up_is_demanded_until_it_happens() {
    let mut stage = Stage::new();
    stage.record.binding.must_step_up = true;
    let judgement = stage.judge(&Visit::new(), 0);
    assert_eq!(judgement.outcome, Outcome::StepUp);
    assert!(judgement.findings.is_empty() && judgement.learned.is_empty());
    // From elsewhere it is no new demand, and no new finding with every request.
    let elsewhere = Visit::new().from("198.51.100.1");
    let judgement = stage.judge(&elsewhere, 0);
    assert_eq!(judgement.outcome, Outcome::StepUp);
    assert!(judgement.findings.is_empty() && judgement.learned.is_empty());
    let there = elsewhere.shown().context;
    stage.record.binding.step_up(there, stage::NOW);
    let judgement = stage.judge(&elsewhere, 61);
    assert_eq!(judgement.outcome, Outcome::Go);
    assert_eq!(judgement.level, BindingLevel::Context);
}

#[test]
fn what_is_needed_is_proven_or_the_client_is_told_what_to_do() {
    let mut stage = Stage::new();
    let needed = |stage: &Stage, visit: &Visit, level| {
        needs(&stage.sessions, &stage.judge(visit, 100), level)
    };
    let here = Visit::new();
    for (level, met) in [
        (BindingLevel::Unbound, Ok(())),
        (BindingLevel::Context, Ok(())),
        (BindingLevel::Key, Err(Unmet::Binding)),
        (BindingLevel::Certificate, Err(Unmet::Binding)),
    ] {
        assert_eq!(needed(&stage, &here, level), met, "{level:?}");
    }
    stage
        .sessions
        .rules
        .insert(RuleId::H05a, RuleAction::Observe);
    let moved = Visit::new().from("198.51.100.1");
    let context = BindingLevel::Context;
    assert_eq!(needed(&stage, &moved, context), Err(Unmet::StepUp));
    stage.sessions.bind = [Binds::Dbsc].into();
    assert_eq!(needed(&stage, &here, context), Err(Unmet::Binding));
}

#[test]
fn the_strongest_outcome_holds_and_the_first_of_two_refusals() {
    let stage = Stage::new();
    let mut judgement = stage.judge(&Visit::new(), 0);
    judgement.refuse(Refusal::Csrf);
    judgement.refuse(Refusal::BindingRequired);
    judgement.settle(Outcome::StepUp);
    assert_eq!(judgement.outcome, Outcome::Refuse(Refusal::Csrf));
    judgement.settle(Outcome::Revoke(RuleId::H09));
    judgement.refuse(Refusal::BindingRequired);
    assert_eq!(judgement.outcome, Outcome::Revoke(RuleId::H09));
}

#[test]
fn only_a_request_that_goes_on_teaches_where_the_session_is() {
    let mut stage = Stage::new();
    stage
        .sessions
        .rules
        .insert(RuleId::H05a, RuleAction::Observe);
    let moved = Visit::new().from("198.51.100.1");
    let context = Some(moved.shown().context);
    assert_eq!(stage.judge(&moved, 0).learned.context, context);
    let foreign = moved.field("sec-fetch-site", "cross-site");
    let judgement = stage.judge(&foreign, 0);
    assert_eq!(words(&judgement), "H13 H05a");
    assert!(judgement.learned.is_empty());
}
