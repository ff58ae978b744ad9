//! The compact serialisation of a JWS (RFC 7515 section 3.1), read without leniency.
//!
//! ```text
//! base64url(header) . base64url(payload) . base64url(signature)
//! └──────────── what is signed ────────┘
//! ```
//!
//! Exactly three parts of canonical base64url without padding; a header that is one JSON object without
//! duplicate members, extensions that must be understood, unencoded payloads or nested content. What the
//! header and the payload must say is up to whoever asks.

pub(crate) mod strict_json;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The longest token, in bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 8 << 10;

/// A well-formed JWS whose signature has not been verified.
pub(crate) struct Jws<'t> {
    /// What is signed.
    pub(crate) signed: &'t str,
    /// The signature, in base64url.
    pub(crate) signature: &'t str,
    /// The header.
    pub(crate) header: Map<String, Value>,
    /// The payload; it means nothing before the signature is verified.
    pub(crate) payload: Vec<u8>,
}

impl<'t> Jws<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// What is wrong with it, as a fixed word.
    pub(crate) fn parse(token: &'t str) -> Result<Self, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("token-too-long");
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("not-a-compact-jws");
        };
        let (Ok(header), Ok(payload)) = (
            URL_SAFE_NO_PAD.decode(header),
            URL_SAFE_NO_PAD.decode(payload),
        ) else {
            return Err("base64url");
        };
        if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err("base64url");
        }
        let (signed, _) = token.rsplit_once('.').ok_or("not-a-compact-jws")?;
        let header = strict_json::object(&header).ok_or("header")?;
        // RFC 7515 section 4.1.11: an extension that must be understood is not; RFC 7797: unencoded
        // payloads are not read; RFC 7516 and RFC 7519 section 5.2: neither is encrypted or nested content.
        let extends = |name: &&str| header.contains_key(*name);
        if ["crit", "b64", "enc", "zip", "cty"].iter().any(extends) {
            return Err("header-extension");
        }
        Ok(Self {
            signed,
            signature,
            header,
            payload,
        })
    }
}
