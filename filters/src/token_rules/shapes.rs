//! The shapes of tokens: JSON Web Tokens (RFC 7519), SAML in base64, tokens whose issuers gave them a beginning,
//! and what merely looks random.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::detect::ISSUED;
use crate::token_sweep::different;

/// How a JSON Web Token begins: `{"` in base64.
pub(crate) const JWT_BEGINS: &str = "eyJ";
/// What [`crate::har`] writes in the place of a signature.
pub(crate) const REDACTED_SIGNATURE: &[u8] = b"redacted";
/// How SAML in base64 begins: `<saml` and `<?xml`.
pub(crate) const SAML_BEGINS: [&str; 2] = ["PHNhbW", "PD94bW"];
/// The shortest SAML message that is taken for one.
const SAML_BYTES_MIN: usize = 64;
/// In how much of it its name is looked for.
const SAML_BYTES_LOOKED_AT: usize = 4096;
/// The shortest value beside a name that says it is a token.
const PLAUSIBLE_BYTES_MIN: usize = 6;
/// The shortest value that can look random.
const RANDOM_BYTES_MIN: usize = 20;
/// The same when all of it is hex digits, of which there are fewer different ones.
const RANDOM_HEX_DIGITS_MIN: usize = 24;
const RANDOM_HEX_DIFFERENT_MIN: usize = 8;
/// How many bits a character of a random text holds at least.
const RANDOM_BITS_MIN: f64 = 3.5;
/// What an `Authorization` field writes before a token.
const SCHEMES: [&str; 5] = ["Bearer ", "Token ", "Basic ", "DPoP ", "Negotiate "];

/// What tokens consist of.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// What follows the scheme of an `Authorization` field, if there is one.
pub fn without_scheme(value: &[u8]) -> &[u8] {
    let scheme = SCHEMES.iter().find(|scheme| {
        let beginning = value.get(..scheme.len());
        beginning.is_some_and(|text| text.eq_ignore_ascii_case(scheme.as_bytes()))
    });
    let length = scheme.map_or(0, |scheme| scheme.len());
    value.get(length..).unwrap_or_default()
}

/// Whether a value can be a token at all: some characters without a space.
pub(crate) fn is_plausible(value: &[u8]) -> bool {
    value.len() >= PLAUSIBLE_BYTES_MIN && value.iter().all(u8::is_ascii_graphic)
}

/// Whether a whole value has the shape of a token.
pub(crate) fn is_shaped(value: &[u8]) -> bool {
    shaped_length(value) == Some(value.len())
}

/// How long the token is that a run of token bytes begins with; none when there is none. A point or a dash at
/// the end belongs to the sentence around it.
pub(crate) fn shaped_length(run: &[u8]) -> Option<usize> {
    let mut text = run;
    while let [rest @ .., b'.' | b'-'] = text {
        text = rest;
    }
    if run.starts_with(JWT_BEGINS.as_bytes()) {
        let mut parts = run.split(|byte| *byte == b'.');
        let first = parts.next().map_or(0, <[u8]>::len);
        let second = parts.next().map_or(0, <[u8]>::len);
        let signed = parts.next().is_some_and(|part| part != REDACTED_SIGNATURE);
        return (first >= 11 && second >= 8 && signed).then_some(text.len());
    }
    if SAML_BEGINS
        .iter()
        .any(|begins| run.starts_with(begins.as_bytes()))
    {
        let saml = text.len() >= SAML_BYTES_MIN && is_saml(text);
        return saml.then_some(text.len());
    }
    let issued = ISSUED
        .iter()
        .find(|(begins, _)| text.starts_with(begins.as_bytes()));
    let (begins, least) = issued?;
    let rest = text.get(begins.len()..).unwrap_or_default();
    (rest.len() >= *least && rest.iter().any(u8::is_ascii_digit)).then_some(text.len())
}

/// Whether XML in base64 is SAML: its elements are in a namespace of that name, declared at the beginning.
fn is_saml(run: &[u8]) -> bool {
    let looked_at = run.get(..SAML_BYTES_LOOKED_AT).unwrap_or(run);
    let digits = looked_at
        .iter()
        .take_while(|byte| is_base64(**byte))
        .count();
    let whole = looked_at.get(..digits / 4 * 4).unwrap_or_default();
    let decoded = STANDARD_NO_PAD.decode(whole).unwrap_or_default();
    let saml = |window: &[u8]| window.eq_ignore_ascii_case(b"saml");
    decoded.windows(4).any(saml)
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether a value looks as if nobody had chosen it.
#[must_use]
pub fn looks_random(value: &[u8]) -> bool {
    let inside = |byte: &u8| is_token_byte(*byte) || b"~+/=:%|!*$@".contains(byte);
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    let digits = value.iter().any(u8::is_ascii_digit);
    if !letters || !digits || !value.iter().all(inside) {
        return false;
    }
    let hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    if value.iter().all(hex) {
        let digits = value.iter().filter(|byte| **byte != b'-').count();
        return digits >= RANDOM_HEX_DIGITS_MIN && different(value) >= RANDOM_HEX_DIFFERENT_MIN;
    }
    value.len() >= RANDOM_BYTES_MIN && bits_a_character(value) >= RANDOM_BITS_MIN
}

/// Shannon's entropy of the characters of a text, in bits.
fn bits_a_character(text: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    let mut length = 0u32;
    // More than this says nothing more about it.
    for byte in text.iter().take(4096) {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
        length += 1;
    }
    let share = |count: &u32| f64::from(*count) / f64::from(length.max(1));
    let held = counts.iter().filter(|count| **count > 0).map(share);
    -held.map(|share| share * share.log2()).sum::<f64>()
}
