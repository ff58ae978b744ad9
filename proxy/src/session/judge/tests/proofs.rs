//! What requests prove, and what comes of it when they do not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;

use super::stage::{NOW, SAFARI};
use super::*;
use crate::session::client_cookies::Carried;
use crate::session::digest::sha256;
use crate::session::vault::Handle;

const BOUND: Outcome = Outcome::Refuse(Refusal::BindingRequired);

fn proven(key: &str) -> ShownDpop {
    ShownDpop::Proven(key.to_owned())
}

/// The request with its handle in `Authorization`.
fn as_token(visit: &Visit, scheme: &str) -> Visit {
    let handle = Handle::new([7; 32]).text();
    let value = format!("{scheme} {handle}");
    visit
        .clone()
        .without("cookie")
        .field("authorization", &value)
}

#[test]
fn a_certificate_is_asked_for_with_each_request_once_it_was_shown() {
    let mut stage = Stage::new();
    let mine = Visit::new().certificate(b"mine");
    let judgement = stage.judge(&mine, 0);
    assert_eq!(judgement.level, BindingLevel::Certificate);
    judgement.learned.apply(&mut stage.record.binding, NOW);
    let judgement = stage.judge(&mine, 1_000);
    assert_eq!(judgement.level, BindingLevel::Certificate);
    assert!(judgement.learned.is_empty());
    for visit in [Visit::new(), Visit::new().certificate(b"other")] {
        let judgement = stage.judge(&visit, 1_000);
        assert_eq!(judgement.outcome, Outcome::Revoke(RuleId::H01));
        assert_eq!(judgement.level, BindingLevel::Context);
    }
    // What is bound is asked for, also by a policy that no longer lets it count.
    stage.sessions.bind = [Binds::Context].into();
    assert_eq!(words(&stage.judge(&Visit::new(), 1_000)), "H01");
    assert_eq!(stage.judge(&mine, 1_000).level, BindingLevel::Context);
}

#[test]
fn a_session_is_bound_just_after_its_login_and_from_where_that_was() {
    let mine = Visit::new().certificate(b"mine");
    for (visit, seconds, binds) in [
        (mine.clone(), 59, true),
        (mine.clone(), 60, false),
        (mine.clone().from("198.51.100.1"), 1, false),
        (mine.field("user-agent", SAFARI), 1, false),
    ] {
        let mut stage = Stage::new();
        for rule in RuleId::ALL {
            stage.sessions.rules.insert(rule, RuleAction::Observe);
        }
        let shown = visit.shown();
        let judgement = stage.judge_shown(&shown, seconds);
        assert_eq!(judgement.learned.certificate.is_some(), binds);
        let judgement = stage.judge_shown(&shown.with_dpop(proven("key")), seconds);
        assert_eq!(judgement.learned.key.is_some(), binds);
        assert_eq!(judgement.level >= BindingLevel::Key, binds);
    }
}

#[test]
fn a_policy_that_binds_otherwise_learns_nothing() {
    let mut stage = Stage::new();
    stage.sessions.bind = [Binds::Context].into();
    let shown = Visit::new().certificate(b"mine").shown();
    let judgement = stage.judge_shown(&shown.with_dpop(proven("key")), 0);
    assert!(judgement.learned.is_empty());
    assert_eq!(judgement.level, BindingLevel::Context);
}

#[test]
fn a_key_is_asked_for_with_each_request_once_it_was_proven() {
    let mut stage = Stage::new();
    let dpop = as_token(&Visit::new(), "DPoP").shown();
    let judgement = stage.judge_shown(&dpop.clone().with_dpop(proven("key")), 0);
    assert_eq!(judgement.level, BindingLevel::Key);
    judgement.learned.apply(&mut stage.record.binding, NOW);
    let cookie = Visit::new().shown();
    for shown in [&dpop, &cookie] {
        let judgement = stage.judge_shown(&shown.clone().with_dpop(proven("key")), 500);
        assert_eq!(judgement.level, BindingLevel::Key);
        assert!(judgement.findings.is_empty());
        let other = stage.judge_shown(&shown.clone().with_dpop(proven("other")), 500);
        assert_eq!(words(&other), "H01");
        let refused = ShownDpop::Refused(DpopRefusal::OtherKey);
        let other = stage.judge_shown(&shown.clone().with_dpop(refused), 500);
        assert_eq!(words(&other), "H01");
        let none = stage.judge_shown(shown, 500);
        assert_eq!(none.outcome, Outcome::Revoke(RuleId::H01));
        for refusal in [DpopRefusal::Proof, DpopRefusal::Nonce] {
            let refused = shown.clone().with_dpop(ShownDpop::Refused(refusal));
            let judgement = stage.judge_shown(&refused, 500);
            assert_eq!(judgement.outcome, Outcome::Refuse(Refusal::Dpop(refusal)));
            assert!(judgement.findings.is_empty());
        }
    }
}

#[test]
fn a_key_bound_handle_is_no_bearer_token_and_an_unbound_one_no_dpop_token() {
    let invalid = Outcome::Refuse(Refusal::InvalidToken);
    let mut stage = Stage::new();
    stage
        .sessions
        .rules
        .insert(RuleId::H01, RuleAction::Observe);
    let [bearer, dpop] = ["bEARER", "dPOP"].map(|scheme| as_token(&Visit::new(), scheme).shown());
    assert_eq!(stage.judge_shown(&bearer, 100).outcome, Outcome::Go);
    for shown in [ShownDpop::Absent, proven("key")] {
        let judgement = stage.judge_shown(&dpop.clone().with_dpop(shown), 100);
        assert_eq!(judgement.outcome, invalid);
        assert!(judgement.findings.is_empty());
    }
    assert_eq!(Scheme::of(&stage.record, &bearer), Scheme::Bearer);
    assert_eq!(Scheme::of(&stage.record, &dpop), Scheme::Dpop);
    stage.record.binding.key = Some("key".to_owned());
    assert_eq!(
        Scheme::of(&stage.record, &Visit::new().shown()),
        Scheme::Dpop
    );
    for shown in [ShownDpop::Absent, proven("key")] {
        let judgement = stage.judge_shown(&bearer.clone().with_dpop(shown), 100);
        assert_eq!(
            (judgement.outcome, words(&judgement).as_str()),
            (invalid, "H01")
        );
    }
}

#[test]
fn what_pages_prove_to_the_application_is_not_for_us() {
    let shown = Visit::new().shown();
    for refusal in [DpopRefusal::Proof, DpopRefusal::Nonce, DpopRefusal::Replay] {
        let refused = shown.clone().with_dpop(ShownDpop::Refused(refusal));
        let judgement = Stage::new().judge_shown(&refused, 100);
        assert_eq!(judgement.outcome, Outcome::Go);
    }
}

#[test]
fn the_third_replay_within_a_minute_is_one_too_many() {
    for (seconds, fires) in [(29, true), (30, false)] {
        let mut stage = Stage::new();
        stage.record.binding.key = Some("key".to_owned());
        let replay = ShownDpop::Refused(DpopRefusal::Replay);
        let shown = Visit::new().shown().with_dpop(replay);
        let judged = [0, 1, 2].map(|n| stage.judge_shown(&shown, n * seconds));
        let found = judged.map(|judgement| !judgement.findings.is_empty());
        assert_eq!(found, [false, false, fires]);
    }
}

#[test]
fn the_bound_cookie_counts_for_as_long_as_it_is_the_one() {
    for (current, seconds, rule, outcome, level) in [
        (true, 101, "", Outcome::Go, BindingLevel::Key),
        (true, 399, "", Outcome::Go, BindingLevel::Key),
        (true, 400, "", BOUND, BindingLevel::Context),
        (false, 129, "", Outcome::Go, BindingLevel::Key),
        (
            false,
            130,
            "H02",
            Outcome::Revoke(RuleId::H02),
            BindingLevel::Context,
        ),
    ] {
        let mut stage = Stage::new();
        let [before, now] = stage.bind_device();
        let cookie = if current { now } else { before };
        let judgement = stage.judge(&Visit::new().bound(&cookie), seconds);
        assert_eq!(words(&judgement), rule, "{seconds}");
        assert_eq!((judgement.outcome, judgement.level), (outcome, level));
        let proved = (level == BindingLevel::Key).then_some(NOW + 100_000);
        assert_eq!(judgement.proved, proved);
    }
}

#[test]
fn a_replaced_cookie_from_elsewhere_is_found_within_its_grace() {
    let mut stage = Stage::new();
    let [before, now] = stage.bind_device();
    let elsewhere = Visit::new().from("198.51.100.1");
    let judgement = stage.judge(&elsewhere.clone().bound(&before), 129);
    assert_eq!(words(&judgement), "H05a H02");
    assert_eq!(judgement.outcome, Outcome::Revoke(RuleId::H02));
    assert_eq!(words(&stage.judge(&elsewhere.bound(&now), 129)), "H05a");
}

#[test]
fn without_the_bound_cookie_each_request_is_told_what_it_can_do() {
    let mut stage = Stage::new();
    stage.bind_device();
    let fetched = Visit::new();
    let skipped = Outcome::Refuse(Refusal::BindingSkipped);
    let quota = "quota_exceeded;session_identifier=\"x\"";
    let page = Visit::new().page();
    for (visit, outcome) in [
        (fetched.clone(), BOUND),
        (fetched.clone().bound(&"a".repeat(43)), BOUND),
        (fetched.clone().bound("unsound"), BOUND),
        (fetched.field("secure-session-skipped", quota), skipped),
        (page.clone().method(Method::POST), Outcome::Prove),
        (page.clone(), Outcome::Prove),
        (page.clone(), BOUND),
    ] {
        let judgement = stage.judge(&visit, 101);
        assert_eq!(judgement.outcome, outcome);
        assert!(judgement.findings.is_empty() && judgement.learned.is_empty());
    }
    assert_eq!(
        stage.judge(&page, 131).outcome,
        Outcome::Prove,
        "a moment later"
    );
}

#[test]
fn what_left_before_the_browser_was_told_of_the_binding_is_let_in() {
    let mut stage = Stage::new();
    stage.bind_device();
    for (seconds, outcome) in [(59, Outcome::Go), (60, BOUND)] {
        let judgement = stage.judge(&Visit::new(), seconds);
        assert_eq!(judgement.outcome, outcome);
        assert_eq!(judgement.level, BindingLevel::Context);
    }
}

#[test]
fn a_device_is_proved_for_each_export_and_once_for_each() {
    let mut stage = Stage::new();
    let [_, cookie] = stage.bind_device();
    let visit = Visit::new().bound(&cookie).method(Method::POST);
    let asked = |stage: &Stage, seconds: u64, proved: u64| {
        let mut judgement = stage.judge(&visit, 101);
        judgement.proved = judgement.proved.map(|_| NOW + proved * 1_000);
        let (shown, now) = (visit.shown(), NOW + seconds * 1_000);
        needs_proof(&stage.record, &shown, &judgement, &stage.recent, now)
    };
    assert_eq!(asked(&stage, 200, 100), Err(Unmet::Proof));
    assert_eq!(
        asked(&stage, 201, 100),
        Err(Unmet::Binding),
        "no second time round"
    );
    assert_eq!(asked(&stage, 201, 201), Ok(()));
    assert_eq!(asked(&stage, 202, 201), Err(Unmet::Proof), "the next one");
    stage.bind_certificate(b"mine");
    assert_eq!(asked(&stage, 203, 100), Ok(()));
    assert_eq!(asked(&Stage::new(), 203, 100), Ok(()));
}

#[test]
fn a_handle_in_two_places_means_nothing() {
    let both = Visit::new();
    let token = as_token(&both, "Bearer");
    let handle = Handle::new([7; 32]);
    let only = |visit: &Visit| visit.shown().handle == Carried::Once(handle.clone());
    assert!(only(&both) && only(&token) && only(&as_token(&both, "DPoP")));
    let value = format!("Bearer {}", handle.text());
    assert!(!only(&both.clone().field("authorization", &value)));
    assert!(!only(&as_token(&both, "Basic")));
    assert!(!only(&as_token(&both, "Bearer x")));
    // Somebody else's token beside the cookie is for the policy's identity.
    assert!(only(&both.field("authorization", "Bearer eyJ.x.y")));
    let mine = Visit::new().certificate(b"mine").shown().certificate;
    let thumbprint = URL_SAFE_NO_PAD.encode(sha256(b"mine"));
    assert_eq!(mine, Some(thumbprint));
}
