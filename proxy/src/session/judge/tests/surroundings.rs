//! Where requests come from.

use super::stage::{CHROME, NOW, SAFARI, SID};
use super::*;
use crate::session::context::Context;
use crate::session::dbsc::Device;
use crate::session::samples::{fresh, times};

#[test]
fn each_change_has_its_rule_and_what_is_no_change_has_none() {
    let older = CHROME.replace("146", "145");
    let newer = CHROME.replace("146", "147");
    for (address, agent, rule, outcome) in [
        ("192.0.2.254", CHROME, "", Outcome::Go),
        ("192.0.2.1", newer.as_str(), "", Outcome::Go),
        ("192.0.3.1", CHROME, "H05a", Outcome::StepUp),
        ("192.0.3.1", &newer, "H05a", Outcome::StepUp),
        ("192.0.3.1", SAFARI, "H05b", Outcome::Revoke(RuleId::H05b)),
        ("192.0.2.1", &older, "H07", Outcome::StepUp),
        ("192.0.2.1", SAFARI, "H07", Outcome::StepUp),
    ] {
        let visit = Visit::new().from(address).field("user-agent", agent);
        let judgement = Stage::new().judge(&visit, 100);
        assert_eq!(words(&judgement), rule, "{address} {agent}");
        assert_eq!(judgement.outcome, outcome);
        let fits = rule.is_empty();
        assert_eq!(judgement.level == BindingLevel::Context, fits);
    }
}

#[test]
fn an_update_is_remembered_and_what_went_before_it_is_older() {
    let mut stage = Stage::new();
    let updated = Visit::new().field("user-agent", &CHROME.replace("146", "147"));
    let judgement = stage.judge(&updated, 100);
    judgement.learned.apply(&mut stage.record.binding, NOW);
    assert!(stage.judge(&updated, 101).learned.is_empty());
    assert_eq!(words(&stage.judge(&Visit::new(), 102)), "H07");
}

#[test]
fn an_observed_change_is_believed_from_then_on() {
    let mut stage = Stage::new();
    stage
        .sessions
        .rules
        .insert(RuleId::H05a, RuleAction::Observe);
    let moved = Visit::new().from("198.51.100.1");
    let judgement = stage.judge(&moved, 100);
    assert_eq!(judgement.level, BindingLevel::Unbound);
    judgement.learned.apply(&mut stage.record.binding, NOW);
    let judgement = stage.judge(&moved, 101);
    assert_eq!(judgement.level, BindingLevel::Context);
    assert!(judgement.findings.is_empty() && judgement.learned.is_empty());
}

#[test]
fn two_places_in_turns_are_two_clients_and_moving_once_is_none() {
    let places = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];
    for (turns, seconds, fires) in [
        (vec![0, 1], 1, false),
        (vec![0, 0, 1, 1], 1, false),
        (vec![0, 1, 2], 1, false),
        (vec![0, 1, 0], 1, true),
        (vec![0, 1, 2, 0], 1, true),
        (vec![0, 1, 0], 29, true),
        (vec![0, 1, 0], 30, false),
    ] {
        let mut stage = Stage::new();
        stage
            .sessions
            .rules
            .insert(RuleId::H05a, RuleAction::Observe);
        let mut fired = false;
        for (at, place) in (0..).zip(&turns) {
            let visit = Visit::new().from(places[*place]);
            let judgement = stage.judge(&visit, at * seconds);
            fired |= words(&judgement).contains("H06");
        }
        assert_eq!(fired, fires, "{turns:?} every {seconds} s");
    }
}

#[test]
fn another_session_in_another_place_is_nobodys_turn() {
    let mut stage = Stage::new();
    stage.judge(&Visit::new(), 0);
    "other".clone_into(&mut stage.record.sid);
    stage.judge(&Visit::new().from("198.51.100.1"), 1);
    SID.clone_into(&mut stage.record.sid);
    assert_eq!(words(&stage.judge(&Visit::new(), 2)), "");
}

#[test]
fn a_proof_with_the_request_speaks_louder_than_where_it_comes_from() {
    let mut stage = Stage::new();
    stage.bind_certificate(b"mine");
    let here = Visit::new().certificate(b"mine");
    let moved = here.clone().from("198.51.100.1");
    for (at, visit) in [(0, &here), (1, &moved), (2, &here)] {
        let judgement = stage.judge(visit, at);
        assert_eq!(judgement.level, BindingLevel::Certificate);
        assert!(judgement.findings.is_empty());
    }
    let learned = stage.judge(&moved, 3).learned.context;
    assert_eq!(learned, Some(moved.shown().context));
}

#[test]
fn a_record_from_before_bindings_begins_to_be_bound() {
    let mut stage = Stage::new();
    stage.record.binding.last = Context::default();
    let judgement = stage.judge(&Visit::new(), 100);
    assert_eq!(judgement.level, BindingLevel::Unbound);
    assert_eq!(judgement.outcome, Outcome::Go);
    assert_eq!(
        judgement.learned.context,
        Some(Visit::new().shown().context)
    );
}

/// The rules of three sessions of one person that never register.
fn three(agent: &str, seconds: u64, change: impl Fn(&mut Stage)) -> String {
    let mut stage = Stage::new();
    stage.record.binding.device = Some(Device::offer(fresh(1), times(), NOW).0);
    stage.record.binding.began = Visit::new().field("user-agent", agent).shown().context;
    stage.record.binding.last = stage.record.binding.began.clone();
    change(&mut stage);
    let visit = Visit::new().field("user-agent", agent);
    let mut last = String::new();
    for sid in ["one", "two", "three"] {
        assert_eq!(last, "");
        sid.clone_into(&mut stage.record.sid);
        last = words(&stage.judge(&visit, seconds));
    }
    assert_eq!(words(&stage.judge(&visit, seconds)), "", "once for each");
    last
}

#[test]
fn a_browser_that_could_register_and_never_does_is_noticed_with_the_third_session() {
    assert_eq!(three(CHROME, 60, |_| {}), "H08");
    assert_eq!(three(CHROME, 59, |_| {}), "", "it may still");
    for agent in [
        &CHROME.replace("146", "145"),
        &CHROME.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64"),
        SAFARI,
    ] {
        assert_eq!(three(agent, 60, |_| {}), "", "{agent}");
    }
    let unoffered = |stage: &mut Stage| stage.record.binding.device = None;
    assert_eq!(three(CHROME, 60, unoffered), "");
    let unbinding = |stage: &mut Stage| stage.sessions.bind = [Binds::Context].into();
    assert_eq!(three(CHROME, 60, unbinding), "");
}

#[test]
fn unregistered_sessions_of_others_or_of_yesterday_do_not_count() {
    let mut stage = Stage::new();
    stage.record.binding.device = Some(Device::offer(fresh(1), times(), NOW).0);
    let day = 24 * 3_600;
    for (sid, subject, at, fires) in [
        ("one", "ann", 60, false),
        ("two", "ann", 61, false),
        ("three", "bob", 62, false),
        ("four", "ann", day + 60, false),
        ("five", "ann", day + 60, true),
    ] {
        sid.clone_into(&mut stage.record.sid);
        subject.clone_into(&mut stage.record.holder.subject);
        let judgement = stage.judge(&Visit::new(), at);
        assert_eq!(words(&judgement) == "H08", fires, "{sid}");
    }
}

#[test]
fn the_hundred_and_twenty_first_case_of_a_minute_is_one_too_many() {
    let stage = Stage::new();
    let of = (&stage.sessions, &stage.record);
    let mut judgement = stage.judge(&Visit::new(), 0);
    let mut note = |case: usize, now| {
        judgement.note_case(of, &case.to_string(), &stage.recent, now);
        judgement.findings.len()
    };
    for case in 0..CASES_A_MINUTE {
        assert_eq!(note(case, NOW), 0);
        assert_eq!(note(case, NOW), 0, "the same again");
    }
    assert_eq!(note(CASES_A_MINUTE, NOW + 60_000), 0, "another minute");
    for case in 0..CASES_A_MINUTE {
        assert_eq!(
            note(case, NOW + 119_999),
            usize::from(case == CASES_A_MINUTE - 1)
        );
    }
    assert_eq!(note(500, NOW + 119_999), 1);
    assert_eq!(note(501, NOW + 119_999), 1, "once a minute");
    assert_eq!(judgement.level, BindingLevel::Unbound);
}
