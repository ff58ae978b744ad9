//! Whole tokens: what is accepted, and one mutation per reason to refuse.

use super::super::jwks::Keys;
use super::super::samples::{JWT, authorization, claims, key_file, now, rule, sign, token};
use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use postern_config::identity::IdentityRule;
use serde_json::json;

fn verifier_with(keys: &[u8]) -> TokenVerifier {
    let IdentityRule::Jwt(rule) = rule(JWT) else {
        panic!("not a jwt rule");
    };
    TokenVerifier::new(&rule, Keys::fixed(keys).unwrap()).unwrap()
}

async fn verify(token: &str) -> Result<Identity, IdentityError> {
    let recognised = verifier_with(&key_file("jwks.json"))
        .verify(&authorization(&[&format!("Bearer {token}")]), now())
        .await;
    recognised.map(|recognised| recognised.identity)
}

async fn assert_refused(name: &str, token: &str) {
    assert_eq!(verify(token).await, Err(IdentityError::Invalid), "{name}");
}

#[tokio::test]
async fn accepts_each_pinned_algorithm_and_reads_the_identity() {
    for (key, header) in [
        ("rs256", r#"{"alg":"RS256","kid":"rs256","typ":"JWT"}"#),
        ("es256", r#"{"alg":"ES256","kid":"es256","typ":"AT+jwt"}"#),
        ("ed25519", r#"{"alg":"EdDSA","kid":"ed25519"}"#),
    ] {
        let identity = verify(&sign(key, header, &claims().to_string()))
            .await
            .unwrap();
        assert_eq!(identity.issuer, "https://idp.example.com");
        assert_eq!(identity.subject, "ann");
        assert_eq!(identity.tenant.as_deref(), Some("north"));
        assert_eq!(identity.groups, ["agent", "auditor"]);
    }
}

#[tokio::test]
async fn refuses_a_header_that_is_not_plainly_ours() {
    let payload = claims().to_string();
    for header in [
        r#"{"alg":"none","kid":"es256"}"#,
        r#"{"alg":"None","kid":"es256"}"#,
        r#"{"alg":"es256","kid":"es256"}"#,
        r#"{"alg":"RS256","kid":"es256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"kid":"es256"}"#,
        r#"{"alg":["ES256"],"kid":"es256"}"#,
        r#"{"alg":"ES256","kid":"ES256"}"#,
        r#"{"alg":"ES256","kid":"../es256"}"#,
        r#"{"alg":"ES256","kid":"es256' OR '1'='1"}"#,
        r#"{"alg":"ES256","kid":""}"#,
        r#"{"alg":"ES256","kid":null}"#,
        r#"{"alg":"ES256","kid":"rs256"}"#,
        r#"{"alg":"ES256","alg":"ES256","kid":"es256"}"#,
        r#"{"alg":"ES256","kid":"es256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","kid":"es256","crit":[]}"#,
        r#"{"alg":"ES256","kid":"es256","b64":false}"#,
        r#"{"alg":"ES256","kid":"es256","cty":"JWT"}"#,
        r#"{"alg":"ES256","kid":"es256","zip":"DEF"}"#,
        r#"{"alg":"ES256","kid":"es256","enc":"A128GCM"}"#,
        r#"{"alg":"ES256","kid":"es256","typ":"id+jwt"}"#,
        r#"{"alg":"ES256","kid":"es256","typ":"dpop+jwt"}"#,
        r#"{"alg":"ES256","kid":"es256","typ":1}"#,
        r#"["ES256"]"#,
        "",
    ] {
        assert_refused(header, &sign("es256", header, &payload)).await;
    }
    let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(257));
    assert_refused("long kid", &sign("es256", &long, &payload)).await;
}

#[tokio::test]
async fn refuses_a_key_that_the_token_brings_along() {
    let header = r#"{"alg":"ES256","kid":"mine","jwk":{"kty":"EC","crv":"P-256","x":"x","y":"y"},"jku":"http://127.0.0.1:1/"}"#;
    assert_refused("jwk", &sign("es256", header, &claims().to_string())).await;
}

#[tokio::test]
async fn refuses_an_hmac_keyed_with_the_public_key() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"rs256"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims().to_string()));
    let key = EncodingKey::from_secret(&key_file("jwks.json"));
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_refused("hs256", &format!("{signed}.{signature}")).await;
}

#[tokio::test]
async fn refuses_what_is_not_one_canonical_compact_jws() {
    let good = token(&claims());
    assert!(verify(&good).await.is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, tail) = (parts[0], parts[1], parts[2]);
    let zero = URL_SAFE_NO_PAD.encode([0_u8; 64]);
    let mut flipped = URL_SAFE_NO_PAD.decode(tail).unwrap();
    flipped[7] ^= 1;
    let flipped = URL_SAFE_NO_PAD.encode(flipped);
    let (last, cut) = (
        tail.chars().next_back().unwrap(),
        tail.get(..tail.len() - 1).unwrap(),
    );
    let not_canonical = if last == 'A' {
        'B'
    } else {
        char::from(last as u8 + 1)
    };
    for (name, bad) in [
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("five parts", format!("{head}.{body}.{tail}.{body}.{tail}")),
        ("empty fourth part", format!("{good}.")),
        ("zero signature", format!("{head}.{body}.{zero}")),
        ("flipped bit", format!("{head}.{body}.{flipped}")),
        ("cut signature", format!("{head}.{body}.{cut}")),
        ("long signature", format!("{good}AA")),
        (
            "trailing bits",
            format!("{head}.{body}.{cut}{not_canonical}"),
        ),
        ("padding", format!("{good}==")),
        ("padded head", format!("{head}=.{body}.{tail}")),
        ("space before", format!(" {good}")),
        ("space after", format!("{good} ")),
        ("space inside", format!("{head}. {body}.{tail}")),
        ("second token", format!("{good} {good}")),
        ("comma", format!("{good},{good}")),
        ("tab", format!("{good}\t")),
        (
            "standard alphabet",
            good.replace('_', "/").replace('-', "+") + "+",
        ),
        ("other payload", format!("{head}.{head}.{tail}")),
        (
            "json serialisation",
            r#"{"payload":"e30","signatures":[]}"#.to_owned(),
        ),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ] {
        assert_refused(name, &bad).await;
    }
}

/// A good token of exactly this many bytes: spaces in its header and a claim of its payload fill it up.
fn sized(bytes: usize) -> String {
    (0..3)
        .flat_map(|spaces| (5_500..6_000).map(move |filler| (spaces, filler)))
        .find_map(|(spaces, filler)| {
            let header = format!(r#"{{{}"alg":"ES256","kid":"es256"}}"#, " ".repeat(spaces));
            let mut payload = claims();
            payload["filler"] = json!("x".repeat(filler));
            let payload = payload.to_string();
            let encoded = |length: usize| (length * 4).div_ceil(3);
            let length = encoded(header.len()) + encoded(payload.len()) + encoded(64) + 2;
            (length == bytes).then(|| sign("es256", &header, &payload))
        })
        .unwrap()
}

#[tokio::test]
async fn takes_a_token_of_8_kib_and_refuses_one_byte_more() {
    let (most, more) = (
        sized(crate::jws::TOKEN_BYTES_MAX),
        sized(crate::jws::TOKEN_BYTES_MAX + 1),
    );
    assert_eq!((most.len(), more.len()), (8_192, 8_193));
    assert!(verify(&most).await.is_ok());
    assert_refused("too long", &more).await;
}

#[tokio::test]
async fn refuses_payloads_that_are_not_one_plain_object() {
    let header = r#"{"alg":"ES256","kid":"es256"}"#;
    let good = claims().to_string();
    let duplicate = good.replacen('{', r#"{"groups":["admin"],"#, 1);
    let deep = good.replacen(
        '{',
        &format!(r#"{{"a":{}1{},"#, "[".repeat(500), "]".repeat(500)),
        1,
    );
    for payload in [
        &duplicate,
        &deep,
        "[]",
        "\"x\"",
        "",
        "null",
        &format!("{good}{good}"),
    ] {
        assert_refused(payload, &sign("es256", header, payload)).await;
    }
}

#[tokio::test]
async fn reads_one_bearer_header_and_nothing_else() {
    let verifier = verifier_with(&key_file("jwks.json"));
    let good = token(&claims());
    let bearer = format!("Bearer {good}");
    let lower = format!("bearer {good}");
    assert!(
        verifier
            .verify(&authorization(&[&lower]), now())
            .await
            .is_ok()
    );
    let none = verifier.verify(&HeaderMap::new(), now()).await;
    assert_eq!(none.err(), Some(IdentityError::Missing));
    let (joined, tab) = (format!("{bearer}, {bearer}"), format!("Bearer\t{good}"));
    for values in [
        vec![bearer.as_str(), &bearer],
        vec![&joined],
        vec![&tab],
        vec!["Bearer"],
        vec!["Bearer "],
        vec!["Basic YWRtaW46YWRtaW4="],
        vec![&good],
    ] {
        let refused = verifier.verify(&authorization(&values), now()).await;
        assert_eq!(
            refused.err(),
            Some(IdentityError::Invalid),
            "{} value(s)",
            values.len()
        );
    }
}

#[tokio::test]
async fn a_token_without_kid_means_the_only_key() {
    let set: Value = serde_json::from_slice(&key_file("jwks.json")).unwrap();
    let only = json!({ "keys": [set["keys"][1]] }).to_string();
    let without = sign("es256", r#"{"alg":"ES256"}"#, &claims().to_string());
    let headers = authorization(&[&format!("Bearer {without}")]);
    assert!(
        verifier_with(only.as_bytes())
            .verify(&headers, now())
            .await
            .is_ok()
    );
    assert_refused("several keys", &without).await;
}

#[tokio::test]
async fn a_subject_is_one_short_plain_string() {
    for subject in [
        json!(null),
        json!(7),
        json!(""),
        json!("a\nb"),
        json!(["ann"]),
        json!("x".repeat(257)),
    ] {
        let mut payload = claims();
        payload["sub"] = subject;
        assert_refused("subject", &token(&payload)).await;
    }
    let mut payload = claims();
    payload["sub"] = json!("é".repeat(256));
    assert!(verify(&token(&payload)).await.is_ok());
    payload["tenant"] = json!(7);
    assert_refused("tenant", &token(&payload)).await;
    payload.as_object_mut().unwrap().remove("tenant");
    assert_eq!(verify(&token(&payload)).await.unwrap().tenant, None);
}
