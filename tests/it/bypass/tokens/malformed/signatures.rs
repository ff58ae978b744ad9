//! Signatures and encodings that must not be accepted.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::super::{EC, Fate, Malformed, RSA, Tokens, encode};
use super::{admin, refused};

pub(super) fn alg_none(tokens: &Tokens) -> Vec<Malformed> {
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

pub(super) fn alg_family_mismatch(tokens: &Tokens) -> Vec<Malformed> {
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

pub(super) fn sig_malformed(tokens: &Tokens) -> Vec<Malformed> {
    let good = tokens.good("admin");
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let flipped: String = signature.chars().rev().collect();
    let claims = admin(tokens).to_string();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": RSA}).to_string();
    vec![
        refused("stripped", format!("{signed}.")),
        refused("two parts", signed.to_owned()),
        refused("truncated", format!("{signed}.{}", shortened(signature, 4))),
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

pub(super) fn ecdsa_zero(tokens: &Tokens) -> Vec<Malformed> {
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

pub(super) fn b64_noncanonical(tokens: &Tokens) -> Vec<Malformed> {
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
    Some(format!("{signed}.{}{other}", shortened(signature, 1)))
}

/// The text without its last characters.
fn shortened(text: &str, by: usize) -> String {
    text.chars().take(text.len() - by).collect()
}

pub(super) fn jwe(tokens: &Tokens) -> Vec<Malformed> {
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

pub(super) fn jwe_zip_bomb() -> Vec<Malformed> {
    let header = encode(br#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
    vec![refused(
        "compressed",
        format!("{header}..AAAA.{}.AAAA", "A".repeat(4000)),
    )]
}
