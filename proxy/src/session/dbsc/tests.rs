//! The state machine, step by step, and what each wrong step leads to.

use super::*;
use crate::session::samples::{Browser, NOW, SID, fresh, quoted, times};

#[test]
fn a_browser_registers_and_refreshes() {
    let browser = Browser::new();
    let (mut device, first) = browser.bound();
    assert_eq!(device.presents(&first.cookie, NOW), Presented::Current(NOW));
    let later = NOW + 299_999;
    assert_eq!(
        device.presents(&first.cookie, later),
        Presented::Current(NOW)
    );
    assert_eq!(
        device.presents(&first.cookie, later + 1),
        Presented::Expired
    );
    assert_eq!(quoted(&first.challenge, "id=\""), SID);
    // Bare, and in quotation marks.
    let mut proved = first.clone();
    for (n, quote) in [(3, ""), (4, "\"")] {
        let challenge = quoted(&proved.challenge, "\"").to_owned();
        let proof = format!("{quote}{}{quote}", browser.refresh(&challenge));
        let Refresh::Proved(next) = device.refresh((SID, Some(&proof)), fresh(n), times(), later)
        else {
            panic!("not refreshed");
        };
        assert_eq!(
            device.presents(&next.cookie, later),
            Presented::Current(later)
        );
        assert_eq!(
            device.presents(&proved.cookie, later),
            Presented::Grace(later)
        );
        assert_eq!(
            device.presents(&proved.cookie, later + 30_000),
            Presented::Superseded
        );
        proved = next;
    }
    // Two refreshes ago is nobody's any more.
    assert_eq!(device.presents(&first.cookie, later), Presented::Unknown);
}

#[test]
fn a_registration_is_refused_unless_everything_is_right() {
    let browser = Browser::new();
    let (offered, offer) = Device::offer(fresh(1), times(), NOW);
    let challenge = quoted(&offer, "challenge=\"");
    let code = quoted(&offer, "authorization=\"");
    let good = browser.registration(challenge, code);
    let mut jwk = browser.jwk.clone();
    jwk["d"] = json!("AA");
    let private = json!({ "typ": KIND, "alg": "ES256", "jwk": jwk });
    let typ = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": browser.jwk });
    let none = json!({ "typ": KIND, "alg": "none", "jwk": browser.jwk });
    let keyless = json!({ "typ": KIND, "alg": "ES256" });
    let claims = json!({ "jti": challenge, "authorization": code });
    for (proof, why) in [
        (browser.registration("another", code), "challenge"),
        (browser.registration(challenge, "another"), "authorization"),
        (browser.sign(&private, &claims), "private-key"),
        (browser.sign(&typ, &claims), "typ"),
        (browser.sign(&none, &claims), "alg"),
        (browser.sign(&keyless, &claims), "no-jwk"),
        ("none".to_owned(), "not-a-compact-jws"),
    ] {
        let refused = offered
            .clone()
            .register((SID, &proof), fresh(2), times(), NOW);
        assert_eq!(refused.unwrap_err(), NotRegistered::Proof(BadProof(why)));
    }
    let late = offered
        .clone()
        .register((SID, &good), fresh(2), times(), NOW + 60_000);
    assert_eq!(late.unwrap_err(), NotRegistered::Late);
    let mut device = offered;
    assert!(
        device
            .register((SID, &good), fresh(2), times(), NOW + 59_999)
            .is_ok()
    );
    let again = device.register((SID, &good), fresh(3), times(), NOW + 59_999);
    assert_eq!(again.unwrap_err(), NotRegistered::AlreadyBound);
}

#[test]
fn another_key_is_a_theft_and_an_old_challenge_is_not() {
    let browser = Browser::new();
    let (mut device, first) = browser.bound();
    let challenge = quoted(&first.challenge, "\"").to_owned();
    let stolen = Browser::new().refresh(&challenge);
    let judged = device.refresh((SID, Some(&stolen)), fresh(3), times(), NOW);
    assert_eq!(judged, Refresh::OtherKey);
    // A proof that brings a key of its own is not one by the bound key.
    let own = browser.registration(&challenge, "x");
    let judged = device.refresh((SID, Some(&own)), fresh(3), times(), NOW);
    assert_eq!(judged, Refresh::OtherKey);
    let good = browser.refresh(&challenge);
    let judged = device.refresh((SID, Some(&good)), fresh(4), times(), NOW);
    assert!(matches!(judged, Refresh::Proved(_)));
    // Consumed, unknown, none at all: signed anew.
    let later = NOW + 20_000;
    for proof in [Some(good.as_str()), Some(&browser.refresh("unknown")), None] {
        let judged = device.refresh((SID, proof), fresh(5), times(), later);
        assert!(matches!(judged, Refresh::Again(_)), "{judged:?}");
    }
    let judged = device.refresh((SID, None), fresh(6), times(), later);
    assert_eq!(judged, Refresh::Over, "the fourth within ten seconds");
    let judged = device.refresh((SID, None), fresh(7), times(), later + 10_000);
    assert!(matches!(judged, Refresh::Again(_)));
}

#[test]
fn a_challenge_is_good_once_and_for_five_minutes() {
    let browser = Browser::new();
    for (passed, good) in [(299_999, true), (300_000, false)] {
        let (mut device, first) = browser.bound();
        let proof = browser.refresh(quoted(&first.challenge, "\""));
        let judged = device.refresh((SID, Some(&proof)), fresh(3), times(), NOW + passed);
        assert_eq!(matches!(judged, Refresh::Proved(_)), good, "{passed}");
    }
}

#[test]
fn nothing_is_refreshed_before_it_is_bound() {
    let (mut device, _) = Device::offer(fresh(1), times(), NOW);
    let judged = device.refresh((SID, None), fresh(2), times(), NOW);
    assert_eq!(judged, Refresh::Over);
    assert_eq!(device.presents("anything", NOW), Presented::Unknown);
}

#[test]
fn the_record_holds_no_secret() {
    let browser = Browser::new();
    let (device, proved) = browser.bound();
    let text = serde_json::to_string(&device).unwrap();
    assert!(!text.contains(&proved.cookie));
    assert!(!text.contains(quoted(&proved.challenge, "\"")));
    let read: Device = serde_json::from_str(&text).unwrap();
    assert_eq!(read, device);
}
