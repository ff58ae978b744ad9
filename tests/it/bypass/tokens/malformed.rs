//! The sweep behind each `jwt:NAME` of the catalogue: one malformed token per line.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::{EC, Fate, ISSUER, Malformed, RSA, Tokens, encode};

/// The malformed credentials of one name.
pub(super) fn of(tokens: &Tokens, name: &str) -> Vec<Malformed> {
    match name {
        "alg_none" => alg_none(tokens),
        "alg_family_mismatch" => alg_family_mismatch(tokens),
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
        "exp_string" => exp_string(tokens),
        "dup_claims" => dup_claims(tokens),
        "iss_wrong" => iss_wrong(tokens),
        "typ_confusion" => typ_confusion(tokens),
        "sig_malformed" => sig_malformed(tokens),
        "ecdsa_zero" => ecdsa_zero(tokens),
        "b64_noncanonical" => b64_noncanonical(tokens),
        "role_variants" => role_variants(tokens),
        "deep_payload" => deep_payload(tokens),
        "jwe" => jwe(tokens),
        "jwe_zip_bomb" => jwe_zip_bomb(),
        "skew_edges" => skew_edges(tokens),
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

fn alg_none(tokens: &Tokens) -> Vec<Malformed> {
    let claims = encode(admin(tokens).to_string().as_bytes());
    let mut list = Vec::new();
    for alg in ["none", "None", "nOnE", "NONE", "", "RS256"] {
        let header = encode(json!({"alg": alg, "kid": RSA}).to_string().as_bytes());
        list.push(refused(
            format!("alg {alg}, no signature"),
            format!("{header}.{claims}."),
        ));
        list.push(refused(
            format!("alg {alg}, two parts"),
            format!("{header}.{claims}"),
        ));
    }
    let bare = encode(json!({"typ": "JWT"}).to_string().as_bytes());
    list.push(refused("no alg", format!("{bare}.{claims}.")));
    list
}

fn alg_family_mismatch(tokens: &Tokens) -> Vec<Malformed> {
    let claims = admin(tokens).to_string();
    let hmac = EncodingKey::from_secret(&tokens.public_pem);
    let signed = [
        (
            "ES256 with the RSA key's id",
            "ES256",
            RSA,
            &tokens.issuer_ec,
            Algorithm::ES256,
        ),
        (
            "RS256 with the EC key's id",
            "RS256",
            EC,
            &tokens.issuer_rsa,
            Algorithm::RS256,
        ),
        (
            "PS256 with an RS256 key",
            "PS256",
            RSA,
            &tokens.issuer_rsa,
            Algorithm::PS256,
        ),
        (
            "RS512 with an RS256 key",
            "RS512",
            RSA,
            &tokens.issuer_rsa,
            Algorithm::RS512,
        ),
        (
            "HS256 keyed by the public key",
            "HS256",
            RSA,
            &hmac,
            Algorithm::HS256,
        ),
        (
            "EdDSA in name only",
            "EdDSA",
            RSA,
            &tokens.issuer_rsa,
            Algorithm::RS256,
        ),
    ];
    let mint = |(what, alg, kid, key, algorithm): (&str, &str, &str, &EncodingKey, Algorithm)| {
        let header = json!({"alg": alg, "kid": kid}).to_string();
        refused(what, tokens.sign(&header, &claims, key, algorithm))
    };
    signed.into_iter().map(mint).collect()
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

fn exp_string(tokens: &Tokens) -> Vec<Malformed> {
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

/// The given claims text, signed as it is.
fn signed(tokens: &Tokens, claims: &str) -> String {
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": RSA}).to_string();
    tokens.sign(&header, claims, &tokens.issuer_rsa, Algorithm::RS256)
}

fn dup_claims(tokens: &Tokens) -> Vec<Malformed> {
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

fn iss_wrong(tokens: &Tokens) -> Vec<Malformed> {
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

fn sig_malformed(tokens: &Tokens) -> Vec<Malformed> {
    let good = tokens.good("admin");
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let flipped: String = signature.chars().rev().collect();
    let claims = admin(tokens).to_string();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": RSA}).to_string();
    vec![
        refused("stripped", format!("{signed}.")),
        refused("two parts", signed.to_owned()),
        refused(
            "truncated",
            format!("{signed}.{}", &signature[..signature.len() - 4]),
        ),
        refused("extra bytes", format!("{signed}.{signature}AAAA")),
        refused("reversed", format!("{signed}.{flipped}")),
        refused("a fourth part", format!("{good}.AAAA")),
        refused(
            "another key",
            tokens.sign(&header, &claims, &tokens.stranger_rsa, Algorithm::RS256),
        ),
        refused(
            "another token's",
            format!(
                "{signed}.{}",
                tokens.good("agent").rsplit_once('.').expect("parts").1
            ),
        ),
    ]
}

fn ecdsa_zero(tokens: &Tokens) -> Vec<Malformed> {
    let claims = admin(tokens).to_string();
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": EC}).to_string();
    let good = tokens.sign(&header, &claims, &tokens.issuer_ec, Algorithm::ES256);
    let signed = good.rsplit_once('.').expect("three parts").0;
    let mut list: Vec<Malformed> = [0_u8, 0xff]
        .map(|byte| {
            refused(
                format!("r = s = {byte:#x} bytes"),
                format!("{signed}.{}", encode(&[byte; 64])),
            )
        })
        .into();
    list.push(refused("empty", format!("{signed}.")));
    list.push(refused(
        "63 bytes",
        format!("{signed}.{}", encode(&[1; 63])),
    ));
    list.push(Malformed {
        what: "a good ES256 token".to_owned(),
        token: good,
        fate: Fate::Accepted,
    });
    list
}

fn b64_noncanonical(tokens: &Tokens) -> Vec<Malformed> {
    let good = tokens.good("admin");
    let parts: Vec<&str> = good.split('.').collect();
    let padded = format!("{}=.{}.{}", parts[0], parts[1], parts[2]);
    let plain = good.replace('-', "+").replace('_', "/");
    let mut list = vec![
        refused("padding", padded),
        refused(
            "inner blank",
            format!("{}. {}.{}", parts[0], parts[1], parts[2]),
        ),
    ];
    if plain != good {
        list.push(refused("the other alphabet", plain));
    }
    if let Some(token) = other_spelling(&good) {
        list.push(refused("bits past the end", token));
    }
    list
}

/// The same bytes in another spelling: the last character's unused bits set.
fn other_spelling(good: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (signed, signature) = good.rsplit_once('.')?;
    let unused = match signature.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return None,
    };
    let last = signature.bytes().last()?;
    let value = ALPHABET.iter().position(|&c| c == last)?;
    let other = char::from(*ALPHABET.get(value ^ (1 << (unused - 1)))?);
    Some(format!(
        "{signed}.{}{other}",
        &signature[..signature.len() - 1]
    ))
}

fn role_variants(tokens: &Tokens) -> Vec<Malformed> {
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

fn deep_payload(tokens: &Tokens) -> Vec<Malformed> {
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

fn jwe(tokens: &Tokens) -> Vec<Malformed> {
    let header = encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#);
    let nested = json!({"alg": "RS256", "kid": RSA, "cty": "JWT"}).to_string();
    let inner = tokens.good("admin");
    vec![
        refused("five parts", format!("{header}.AAAA.AAAA.AAAA.AAAA")),
        refused(
            "nested",
            tokens.sign(&nested, &inner, &tokens.issuer_rsa, Algorithm::RS256),
        ),
    ]
}

fn jwe_zip_bomb() -> Vec<Malformed> {
    let header = encode(br#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
    vec![refused(
        "compressed",
        format!("{header}..AAAA.{}.AAAA", "A".repeat(4000)),
    )]
}

fn skew_edges(tokens: &Tokens) -> Vec<Malformed> {
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
