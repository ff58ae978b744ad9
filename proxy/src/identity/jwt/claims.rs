//! The registered claims of an access token (RFC 7519 section 4.1), checked by type and by value.
//!
//! `iss`, `aud` and `exp` must be there; `nbf` and `iat` are checked when they are. A claim of the wrong
//! type is never treated as absent. Dates are whole seconds: what else RFC 7519 calls a NumericDate is
//! not accepted.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::super::{IdentityError, refuse};

/// How far clocks may be apart, in seconds.
pub(super) const LEEWAY_SECONDS: u64 = 60;

/// What the claims of an acceptable token say.
pub(super) struct Expected {
    /// The only accepted `iss`.
    pub(super) issuer: String,
    /// What `aud` must be or hold.
    pub(super) audience: String,
}

impl Expected {
    pub(super) fn check(
        &self,
        claims: &Map<String, Value>,
        now: SystemTime,
    ) -> Result<(), IdentityError> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(refuse("issuer"));
        }
        if !self.is_for_us(claims.get("aud")) {
            return Err(refuse("audience"));
        }
        if is_for_another_use(claims) {
            return Err(refuse("not-an-access-token"));
        }
        in_time(claims, now)
    }

    /// RFC 7519 section 4.1.3: one string, or an array of strings.
    fn is_for_us(&self, aud: Option<&Value>) -> bool {
        match aud {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(audiences)) => {
                audiences.iter().all(Value::is_string)
                    && audiences.iter().any(|audience| *audience == *self.audience)
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                false
            }
        }
    }
}

/// Whether the claims say that this is an identity or a refresh token: widespread identity providers
/// mark them by `typ` or `token_use`, and by `at_hash` or `c_hash` (OpenID Connect Core 3.1.3.6,
/// 3.3.2.11).
fn is_for_another_use(claims: &Map<String, Value>) -> bool {
    let is_other_type = |value: &Value| {
        value.as_str().is_none_or(|typ| {
            ["ID", "Refresh", "Offline", "Logout"]
                .iter()
                .any(|other| typ.eq_ignore_ascii_case(other))
        })
    };
    claims.get("typ").is_some_and(is_other_type)
        || claims.get("token_use").is_some_and(|used| used != "access")
        || claims.contains_key("at_hash")
        || claims.contains_key("c_hash")
}

fn in_time(claims: &Map<String, Value>, now: SystemTime) -> Result<(), IdentityError> {
    let Ok(now) = now.duration_since(UNIX_EPOCH) else {
        return Err(refuse("clock"));
    };
    let now = now.as_secs();
    let date = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| refuse("date")),
    };
    let expires = date("exp")?.ok_or_else(|| refuse("date"))?;
    if now >= expires.saturating_add(LEEWAY_SECONDS) {
        return Err(refuse("expired"));
    }
    for name in ["nbf", "iat"] {
        if date(name)?.is_some_and(|date| date > now.saturating_add(LEEWAY_SECONDS)) {
            return Err(refuse("not-yet-valid"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
