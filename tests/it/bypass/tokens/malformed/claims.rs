//! Claims that must not be believed: wrong types, duplicates, other issuers, odd roles, odd sizes.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::super::{Fate, ISSUER, Malformed, RSA, Tokens};
use super::{admin, refused, signed, with, without};

pub(super) fn exp_string(tokens: &Tokens) -> Vec<Malformed> {
    let values = [
        json!("9999999999"),
        json!(null),
        json!([9_999_999_999_u64]),
        json!(-1),
        json!(1.5),
        json!(true),
        json!({}),
    ];
    let mut list: Vec<Malformed> = values
        .into_iter()
        .map(|value| {
            refused(
                format!("exp {value}"),
                tokens.rs256(&with(tokens, "exp", value)),
            )
        })
        .collect();
    for value in [json!("never"), json!([]), json!(true)] {
        list.push(refused(
            format!("nbf {value}"),
            tokens.rs256(&with(tokens, "nbf", value)),
        ));
    }
    list.push(refused("no exp", tokens.rs256(&without(tokens, "exp"))));
    let text = without(tokens, "exp").to_string();
    let text = text.replacen('{', r#"{"exp":1e400,"#, 1);
    list.push(refused("exp 1e400", signed(tokens, &text)));
    list
}

pub(super) fn dup_claims(tokens: &Tokens) -> Vec<Malformed> {
    let claims = tokens.claims("agent").to_string();
    let mut list = Vec::new();
    for twice in [
        r#""groups":["admin"]"#,
        r#""sub":"admin""#,
        r#""g\u0072oups":["admin"]"#,
        r#""exp":9999999999"#,
    ] {
        let after = format!("{},{twice}}}", claims.trim_end_matches('}'));
        let before = claims.replacen('{', &format!("{{{twice},"), 1);
        list.push(refused(format!("{twice} last"), signed(tokens, &after)));
        list.push(refused(format!("{twice} first"), signed(tokens, &before)));
    }
    let header = format!(r#"{{"alg":"none","alg":"RS256","kid":"{RSA}"}}"#);
    let token = tokens.sign(&header, &claims, &tokens.issuer_rsa, Algorithm::RS256);
    list.push(refused("alg twice", token));
    list
}

pub(super) fn iss_wrong(tokens: &Tokens) -> Vec<Malformed> {
    let values = [
        json!("https://evil.example"),
        json!([ISSUER]),
        json!(format!("{ISSUER}/")),
        json!("https://idp"),
        json!(ISSUER.to_uppercase()),
        json!(null),
        json!(1),
    ];
    let mut list: Vec<Malformed> = values
        .into_iter()
        .map(|value| {
            refused(
                format!("iss {value}"),
                tokens.rs256(&with(tokens, "iss", value)),
            )
        })
        .collect();
    list.push(refused("no iss", tokens.rs256(&without(tokens, "iss"))));
    list
}

pub(super) fn role_variants(tokens: &Tokens) -> Vec<Malformed> {
    let values = [
        json!("admin "),
        json!("Admin"),
        json!(["Admin"]),
        json!(["admin "]),
        json!([" admin"]),
        json!(["\u{430}dmin"]),
        json!([["admin"]]),
        json!([{"name": "admin"}]),
        json!({"admin": true}),
        json!(null),
        json!(1),
        json!([1]),
        json!(["agent", "admin"]),
        json!(["admin\u{0}"]),
        json!(["admin,agent"]),
        json!([]),
    ];
    let mint = |value: Value| {
        let token = tokens.rs256(&with(tokens, "groups", value.clone()));
        Malformed {
            what: format!("groups {value}"),
            token,
            fate: Fate::AsAllowed,
        }
    };
    values.into_iter().map(mint).collect()
}

pub(super) fn deep_payload(tokens: &Tokens) -> Vec<Malformed> {
    let claims = admin(tokens).to_string();
    let nested = |depth: usize| {
        format!(
            "{},\"x\":{}{}}}",
            claims.trim_end_matches('}'),
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let huge = format!(
        "{},\"x\":\"{}\"}}",
        claims.trim_end_matches('}'),
        "A".repeat(12_000)
    );
    vec![
        refused("nested 2000 deep", signed(tokens, &nested(2000))),
        refused("12 KB of claims", signed(tokens, &huge)),
    ]
}

pub(super) fn skew_edges(tokens: &Tokens) -> Vec<Malformed> {
    let edge = |what: &str, name: &str, value: u64, fate: Fate| {
        let mut claims = tokens.claims("agent");
        claims[name] = json!(value);
        Malformed {
            what: what.to_owned(),
            token: tokens.rs256(&claims),
            fate,
        }
    };
    // Tokens age while the suite runs: the edges leave a margin on the side that time moves to.
    vec![
        edge("expired 70 s ago", "exp", tokens.now - 70, Fate::Refused),
        edge(
            "expired an hour ago",
            "exp",
            tokens.now - 3600,
            Fate::Refused,
        ),
        edge(
            "not before ten minutes from now",
            "nbf",
            tokens.now + 600,
            Fate::Refused,
        ),
        edge("not before now", "nbf", tokens.now, Fate::AsAllowed),
        edge(
            "expires in a minute",
            "exp",
            tokens.now + 600,
            Fate::AsAllowed,
        ),
    ]
}
