//! The sweep behind each `jwt:NAME` of the catalogue: one malformed token per line.

mod claims;
mod signatures;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{Fate, Malformed, RSA, Tokens};

/// The malformed credentials of one name.
pub(super) fn of(tokens: &Tokens, name: &str) -> Vec<Malformed> {
    match name {
        "alg_none" => signatures::alg_none(tokens),
        "alg_family_mismatch" => signatures::alg_family_mismatch(tokens),
        "kid_injection" => kid_injection(tokens),
        "kid_unknown_flood" => kid_unknown(tokens),
        "crit_unknown" => headers(
            tokens,
            vec![
                json!({"alg": "RS256", "kid": RSA, "crit": ["exp-policy"], "exp-policy": 1}),
                json!({"alg": "RS256", "kid": RSA, "crit": []}),
                json!({"alg": "RS256", "kid": RSA, "crit": "exp"}),
            ],
        ),
        "b64_false" => headers(
            tokens,
            vec![
                json!({"alg": "RS256", "kid": RSA, "b64": false, "crit": ["b64"]}),
                json!({"alg": "RS256", "kid": RSA, "b64": false}),
            ],
        ),
        "exp_string" => claims::exp_string(tokens),
        "dup_claims" => claims::dup_claims(tokens),
        "iss_wrong" => claims::iss_wrong(tokens),
        "typ_confusion" => typ_confusion(tokens),
        "sig_malformed" => signatures::sig_malformed(tokens),
        "ecdsa_zero" => signatures::ecdsa_zero(tokens),
        "b64_noncanonical" => signatures::b64_noncanonical(tokens),
        "role_variants" => claims::role_variants(tokens),
        "deep_payload" => claims::deep_payload(tokens),
        "jwe" => signatures::jwe(tokens),
        "jwe_zip_bomb" => signatures::jwe_zip_bomb(),
        "skew_edges" => claims::skew_edges(tokens),
        other => panic!("no malformed credential {other}"),
    }
}

fn refused(what: impl Into<String>, token: String) -> Malformed {
    Malformed {
        what: what.into(),
        token,
        fate: Fate::Refused,
    }
}

fn admin(tokens: &Tokens) -> Value {
    tokens.claims("admin")
}

fn with(tokens: &Tokens, name: &str, value: Value) -> Value {
    let mut claims = admin(tokens);
    claims[name] = value;
    claims
}

fn without(tokens: &Tokens, name: &str) -> Value {
    let mut claims = admin(tokens);
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn headers(tokens: &Tokens, headers: Vec<Value>) -> Vec<Malformed> {
    let claims = admin(tokens).to_string();
    let mint = |header: Value| {
        let header = header.to_string();
        let token = tokens.sign(&header, &claims, &tokens.issuer_rsa, Algorithm::RS256);
        refused(header, token)
    };
    headers.into_iter().map(mint).collect()
}

fn kid_injection(tokens: &Tokens) -> Vec<Malformed> {
    let long = "k".repeat(4000);
    let kids = [
        json!("../../../../dev/null"),
        json!("rsa-1' OR '1'='1"),
        json!("https://evil.example/jwks.json"),
        json!("rsa-1\u{0}"),
        json!("rsa-1 "),
        json!("RSA-1"),
        json!(long),
        json!(""),
        json!(1),
        json!(["rsa-1"]),
        json!(null),
    ];
    let header = |kid: Value| json!({"alg": "RS256", "typ": "JWT", "kid": kid});
    headers(tokens, kids.into_iter().map(header).collect())
}

fn kid_unknown(tokens: &Tokens) -> Vec<Malformed> {
    let header =
        |number: u32| json!({"alg": "RS256", "typ": "JWT", "kid": format!("unknown-{number}")});
    headers(tokens, (0..20).map(header).collect())
}

/// The given claims text, signed as it is.
fn signed(tokens: &Tokens, claims: &str) -> String {
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": RSA}).to_string();
    tokens.sign(&header, claims, &tokens.issuer_rsa, Algorithm::RS256)
}

fn typ_confusion(tokens: &Tokens) -> Vec<Malformed> {
    let header = |typ: &str| json!({"alg": "RS256", "kid": RSA, "typ": typ});
    let typs = [
        "id+jwt",
        "refresh+jwt",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JOSE",
    ];
    let mut list = headers(tokens, typs.map(header).to_vec());
    let id_token = tokens.rs256(&with(tokens, "aud", json!("web-client")));
    list.push(refused("an ID token for another audience", id_token));
    list
}
