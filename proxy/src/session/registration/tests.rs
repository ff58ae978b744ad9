//! Each row of the tables of specification 04 section 6.

use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderValue, USER_AGENT};
use postern_config::sessions::RuleAction;
use serde_json::Value;

use super::*;
use crate::session::binding::Binding;
use crate::session::client_cookies::handle_field;
use crate::session::judge::Asked;
use crate::session::samples::{Browser, CHROME, NOW, SID, fresh, quoted, record};
use crate::session::store::StoreError;
use crate::session::vault::Handle;

const ORIGIN: &str = "https://desk.example";

/// A session that is offered to be bound, its browser, and what it was told at the login.
struct Desk {
    sessions: Sessions,
    record: Record,
    browser: Browser,
    offer: String,
}

impl Desk {
    fn new() -> Self {
        let (sessions, mut record) = (Sessions::default(), record());
        let (device, offer) = offer(&sessions, record.client, fresh(1), NOW).unwrap();
        record.binding.device = Some(device);
        let browser = Browser::new();
        Self {
            sessions,
            record,
            browser,
            offer,
        }
    }

    fn proof(&self) -> String {
        let challenge = quoted(&self.offer, "challenge=\"");
        let code = quoted(&self.offer, "authorization=\"");
        self.browser.registration(challenge, code)
    }

    fn register(&mut self, fields: &HeaderMap, seconds: u64) -> Answered {
        self.ask(register, fields, "192.0.2.1", seconds)
    }

    fn refresh(&mut self, fields: &HeaderMap, seconds: u64) -> Answered {
        self.ask(refresh, fields, "192.0.2.1", seconds)
    }

    fn ask(
        &mut self,
        to: fn(&Sessions, &mut Record, &DeviceRequest<'_>) -> Answered,
        headers: &HeaderMap,
        address: &str,
        seconds: u64,
    ) -> Answered {
        let asked = Asked {
            method: &Method::POST,
            path: "/__postern/dbsc/reg",
            address: Some(address.parse().unwrap()),
            certificate: None,
            origins: &[ORIGIN.to_owned()],
            decoys: None,
        };
        let request = DeviceRequest {
            headers,
            shown: &Shown::of(headers, &asked),
            origin: ORIGIN,
            fresh: fresh(u8::try_from(seconds % 200).unwrap() + 2),
            now: NOW + seconds * 1_000,
        };
        to(&self.sessions, &mut self.record, &request)
    }

    /// Registered at the beginning; gives the next challenge.
    fn bound() -> (Self, String) {
        let mut desk = Self::new();
        let fields = registering(&desk.proof());
        let answered = desk.register(&fields, 1);
        assert_eq!(answered.answer.status, 200);
        let challenge = challenge_of(&answered);
        (desk, challenge)
    }
}

fn fields(all: &[(&'static str, &str)]) -> HeaderMap {
    let handle = handle_field(&Handle::new([7; 32]));
    let mut headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(CHROME))]);
    headers.insert(COOKIE, handle.split(';').next().unwrap().parse().unwrap());
    for (name, value) in all {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn registering(proof: &str) -> HeaderMap {
    fields(&[("sec-fetch-site", "same-origin"), (RESPONSE, proof)])
}

fn refreshing(proof: Option<&str>) -> HeaderMap {
    let mut headers = fields(&[(SESSION_ID, SID)]);
    if let Some(proof) = proof {
        headers.insert(RESPONSE, proof.parse().unwrap());
    }
    headers
}

fn challenge_of(answered: &Answered) -> String {
    let value = answered.answer.field(&CHALLENGE_FIELD).unwrap();
    assert!(value.ends_with(&format!(";id=\"{SID}\"")));
    quoted(value, "\"").to_owned()
}

fn status(answered: &Answered) -> u16 {
    let answer = &answered.answer;
    assert_eq!(answer.field(&CACHE_CONTROL), Some("no-store"));
    assert_eq!(answer.field(&RESOURCE_POLICY), Some("same-origin"));
    answer.status.as_u16()
}

#[test]
fn a_browser_registers_and_is_told_of_its_session() {
    let mut desk = Desk::new();
    let fields = registering(&desk.proof());
    let answered = desk.register(&fields, 59);
    assert_eq!((status(&answered), answered.finding), (200, None));
    let cookie = answered.answer.field(&SET_COOKIE).unwrap();
    assert!(cookie.starts_with("__Host-pnb=") && cookie.ends_with("; Max-Age=300"));
    assert_eq!(
        answered.answer.field(&CONTENT_TYPE),
        Some("application/json")
    );
    let told: Value = serde_json::from_str(&answered.answer.body).unwrap();
    assert_eq!(told["session_identifier"], SID);
    assert_eq!(told["scope"]["origin"], ORIGIN);
    assert_eq!(told["credentials"][0]["name"], "__Host-pnb");
    challenge_of(&answered);
    assert!(desk.record.binding.has_device());
}

/// What is otherwise at a desk.
type Change = fn(&mut Desk);

#[test]
fn a_registration_that_is_not_in_order_leaves_the_session_as_it_was() {
    let good = registering(&Desk::new().proof());
    let mut cookieless = good.clone();
    cookieless.remove(COOKIE);
    let mut proofless = good.clone();
    proofless.remove(RESPONSE);
    let mut twice = good.clone();
    twice.append(RESPONSE, HeaderValue::from_static("x"));
    let mut foreign = good.clone();
    foreign.insert(SEC_FETCH_SITE, HeaderValue::from_static("same-site"));
    let mut untold = good.clone();
    untold.remove(SEC_FETCH_SITE);
    let sessionless: Change = |desk| desk.record.binding.device = None;
    let otherwise: Change = |desk| desk.sessions.bind = [Binds::Context].into();
    let nothing: Change = |_| {};
    let cases: [(&HeaderMap, &str, u64, Change); 9] = [
        (&cookieless, "192.0.2.1", 1, nothing),
        (&proofless, "192.0.2.1", 1, nothing),
        (&twice, "192.0.2.1", 1, nothing),
        (&foreign, "192.0.2.1", 1, nothing),
        (&untold, "192.0.2.1", 1, nothing),
        (&good, "198.51.100.1", 1, nothing),
        (&good, "192.0.2.1", 60, nothing),
        (&good, "192.0.2.1", 1, sessionless),
        (&good, "192.0.2.1", 1, otherwise),
    ];
    for (n, (fields, address, seconds, change)) in cases.into_iter().enumerate() {
        let mut desk = Desk::new();
        change(&mut desk);
        let before = desk.record.clone();
        let answered = desk.ask(register, fields, address, seconds);
        assert_eq!((status(&answered), answered.finding), (400, None), "{n}");
        assert_eq!(answered.answer.field(&SET_COOKIE), None);
        assert_eq!(desk.record, before);
    }
    let mut desk = Desk::new();
    let answered = desk.register(&registering("no proof"), 1);
    assert_eq!((status(&answered), answered.finding), (400, None));
    let fields = registering(&desk.proof());
    assert_eq!(status(&desk.register(&fields, 2)), 200, "it may try again");
}

#[test]
fn a_second_registration_is_refused_and_found() {
    let (mut desk, _) = Desk::bound();
    let fields = registering(&desk.proof());
    let answered = desk.register(&fields, 2);
    assert_eq!(status(&answered), 409);
    let finding = answered.finding.unwrap();
    assert_eq!(
        (finding.rule, finding.action),
        (RuleId::H01, RuleAction::Revoke)
    );
    desk.sessions
        .rules
        .insert(RuleId::H01, RuleAction::Downgrade);
    desk.register(&fields, 3);
    assert!(desk.record.binding.downgraded);
}

#[test]
fn a_refresh_rotates_the_cookie_and_gives_the_next_challenge() {
    let (mut desk, challenge) = Desk::bound();
    let proof = desk.browser.refresh(&challenge);
    let answered = desk.refresh(&refreshing(Some(&proof)), 200);
    assert_eq!((status(&answered), answered.finding), (200, None));
    assert!(answered.answer.body.is_empty(), "the configuration stays");
    let cookie = answered.answer.field(&SET_COOKIE).unwrap();
    assert!(cookie.starts_with("__Host-pnb="));
    assert_ne!(challenge_of(&answered), challenge);
    // In quotation marks, from wherever the browser is by then.
    let proof = desk.browser.refresh(&challenge_of(&answered));
    let mut fields = fields(&[(SESSION_ID, &format!("\"{SID}\""))]);
    fields.insert(RESPONSE, format!("\"{proof}\"").parse().unwrap());
    assert_eq!(
        status(&desk.ask(refresh, &fields, "198.51.100.1", 201)),
        200
    );
}

#[test]
fn a_refresh_of_no_session_of_ours_ends_the_browsers() {
    let (bound, challenge) = Desk::bound();
    let proof = bound.browser.refresh(&challenge);
    let other = "01J0000000000000000000000Z";
    for id in [
        &[][..],
        &[(SESSION_ID, other)],
        &[(SESSION_ID, SID), (SESSION_ID, SID)],
    ] {
        let mut desk = Desk::new();
        desk.record = bound.record.clone();
        let mut fields = fields(id);
        fields.insert(RESPONSE, proof.parse().unwrap());
        assert_eq!(status(&desk.refresh(&fields, 200)), 400);
        assert_eq!(desk.record, bound.record);
    }
    let mut unbound = Desk::new();
    assert_eq!(status(&unbound.refresh(&refreshing(Some(&proof)), 2)), 400);
    unbound.record.binding = Binding::default();
    assert_eq!(status(&unbound.refresh(&refreshing(Some(&proof)), 2)), 400);
}

#[test]
fn without_a_good_challenge_it_signs_again_and_not_for_ever() {
    let (mut desk, challenge) = Desk::bound();
    let answered = desk.refresh(&refreshing(None), 200);
    assert_eq!((status(&answered), answered.finding), (403, None));
    let next = challenge_of(&answered);
    assert_ne!(next, challenge);
    let unknown = desk.browser.refresh("unknown");
    let answered = desk.refresh(&refreshing(Some(&unknown)), 201);
    assert_eq!(status(&answered), 403);
    challenge_of(&answered);
    let finding = answered.finding.unwrap();
    assert_eq!(
        (finding.rule, finding.action),
        (RuleId::H03, RuleAction::Observe)
    );
    // Three within ten seconds, and the fourth is the last.
    assert_eq!(status(&desk.refresh(&refreshing(None), 202)), 403);
    assert_eq!(status(&desk.refresh(&refreshing(None), 203)), 400);
    let proof = desk.browser.refresh(&next);
    assert_eq!(status(&desk.refresh(&refreshing(Some(&proof)), 204)), 200);
}

#[test]
fn another_key_is_refused_and_found() {
    for (action, step_up) in [(RuleAction::Revoke, false), (RuleAction::StepUp, true)] {
        let (mut desk, challenge) = Desk::bound();
        desk.sessions.rules.insert(RuleId::H01, action);
        let proof = Browser::new().refresh(&challenge);
        let answered = desk.refresh(&refreshing(Some(&proof)), 200);
        assert_eq!(status(&answered), 400);
        let finding = answered.finding.unwrap();
        assert_eq!((finding.rule, finding.action), (RuleId::H01, action));
        assert_eq!(answered.answer.field(&CHALLENGE_FIELD), None);
        assert_eq!(desk.record.binding.must_step_up, step_up);
    }
}

#[test]
fn a_fault_of_ours_keeps_the_browsers_session() {
    for (answer, status) in [
        (without_session(NoSession::Missing), 400),
        (without_session(NoSession::Expired), 400),
        (without_session(NoSession::Revoked), 400),
        (without_session(NoSession::Forged), 400),
        (without_session(NoSession::Store(StoreError::Timeout)), 503),
        (not_written(VaultError::Contended), 503),
        (not_written(VaultError::CannotSeal), 503),
        (not_written(NoSession::Revoked.into()), 400),
        (not_written(StoreError::Unavailable.into()), 503),
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.field(&SET_COOKIE), None);
    }
}

#[test]
fn only_browsers_are_offered_it_and_only_where_the_policy_binds_so() {
    let mut sessions = Sessions::default();
    assert!(offer(&sessions, Client::Api, fresh(1), NOW).is_none());
    let (_, value) = offer(&sessions, Client::Browser, fresh(1), NOW).unwrap();
    assert!(value.starts_with("(ES256);path=\"/__postern/dbsc/reg\";challenge=\""));
    sessions.bind = [Binds::Mtls, Binds::Context].into();
    assert!(offer(&sessions, Client::Browser, fresh(1), NOW).is_none());
}
