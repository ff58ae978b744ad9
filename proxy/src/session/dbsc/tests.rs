//! The state machine, step by step, and what each wrong step leads to.

use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};

use super::*;

const SID: &str = "01J0000000000000000000SID0";
const NOW: u64 = 1_800_000_000_000;

/// A browser with a key of its own.
struct Browser {
    key: EncodingKey,
    jwk: Value,
}

impl Browser {
    fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap());
        Self {
            key,
            jwk: jwk.unwrap(),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    }

    fn registration(&self, challenge: &str, authorization: &str) -> String {
        let header = json!({ "typ": KIND, "alg": "ES256", "jwk": self.jwk });
        let claims = json!({ "jti": challenge, "authorization": authorization });
        self.sign(&header, &claims)
    }

    fn refresh(&self, challenge: &str) -> String {
        self.sign(
            &json!({ "typ": KIND, "alg": "ES256" }),
            &json!({ "jti": challenge }),
        )
    }
}

/// Different bytes with each number.
fn fresh(n: u8) -> Fresh {
    Fresh {
        value: [n; 32],
        challenge: [n ^ 0xff; 32],
    }
}

fn times() -> DeviceTimes {
    DeviceTimes::of(&Sessions::default())
}

/// A parameter of a header's value, or its first string.
fn quoted<'a>(value: &'a str, before: &str) -> &'a str {
    let (_, rest) = value.split_once(before).unwrap();
    rest.split('"').next().unwrap()
}

/// A device with a browser's key bound at [`NOW`], and what the browser was told.
fn bound(browser: &Browser) -> (Device, Proved) {
    let (mut device, offer) = Device::offer(fresh(1), times(), NOW);
    let challenge = quoted(&offer, "challenge=\"");
    let proof = browser.registration(challenge, quoted(&offer, "authorization=\""));
    let proved = device
        .register((SID, &proof), fresh(2), times(), NOW)
        .unwrap();
    (device, proved)
}

#[test]
fn a_browser_registers_and_refreshes() {
    let browser = Browser::new();
    let (mut device, first) = bound(&browser);
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
    let (mut device, first) = bound(&browser);
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
        let (mut device, first) = bound(&browser);
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
    let (device, proved) = bound(&browser);
    let text = serde_json::to_string(&device).unwrap();
    assert!(!text.contains(&proved.cookie));
    assert!(!text.contains(quoted(&proved.challenge, "\"")));
    let read: Device = serde_json::from_str(&text).unwrap();
    assert_eq!(read, device);
}
