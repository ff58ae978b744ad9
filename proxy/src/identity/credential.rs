//! What an identity was recognised by, as far as quotas need to know: which session it is, and when its
//! holder last signed in. It holds a digest, never the credential, and `Debug` shows neither.

use std::fmt;
use std::time::{Duration, SystemTime};

use postern_filters::Identity;
use ring::digest::{SHA256, digest};
use serde_json::Value;

/// Who was recognised, and by what.
#[derive(Debug, Clone, Default)]
pub struct Recognised {
    /// Who is asking.
    pub identity: Identity,
    /// What was presented; none where a trusted neighbour named the identity.
    pub credential: Option<Credential>,
}

/// A credential that was verified. Two with the same digest belong to one session.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    session: [u8; 32],
    signed_in: Option<SystemTime>,
}

impl Credential {
    /// The credential of a token: its session is the one that the claim `sid` names (OpenID Connect
    /// Front-Channel Logout 1.0 section 3), or the token itself; its holder signed in at `auth_time`
    /// (OpenID Connect Core 1.0 section 2).
    pub(super) fn of_token(token: &str, claims: &Value) -> Self {
        let session = match claims.get("sid").and_then(Value::as_str) {
            Some(sid) => hashed(b"sid", sid.as_bytes()),
            // SECURITY: a signature can have several spellings, of which a holder makes another session;
            // what was signed has one.
            None => hashed(b"token", signed(token).as_bytes()),
        };
        let seconds = claims.get("auth_time").and_then(Value::as_u64);
        let at = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        Self {
            session,
            signed_in: seconds.and_then(at),
        }
    }

    /// The credential of a client certificate, DER.
    pub(super) fn of_certificate(certificate: &[u8]) -> Self {
        Self {
            session: hashed(b"certificate", certificate),
            signed_in: None,
        }
    }

    /// The credential of a session of ours, whose holder last authenticated then, in milliseconds since 1970.
    pub(crate) fn of_session(sid: &str, authenticated_ms: u64) -> Self {
        Self {
            session: hashed(b"session", sid.as_bytes()),
            signed_in: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(authenticated_ms)),
        }
    }

    /// The digest that names the session.
    #[must_use]
    pub fn session(&self) -> &[u8; 32] {
        &self.session
    }

    /// When the holder last signed in, where the issuer says so.
    #[must_use]
    pub fn signed_in(&self) -> Option<SystemTime> {
        self.signed_in
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}

/// The part of a token in compact form that its signature is for (RFC 7515 section 3.1).
fn signed(token: &str) -> &str {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed)
}

/// The digest of a value of some kind; values of two kinds never have one digest.
fn hashed(kind: &[u8], value: &[u8]) -> [u8; 32] {
    let bytes = [kind, &[0], value].concat();
    let digest = digest(&SHA256, &bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_outlives_its_tokens_where_the_issuer_names_it() {
        let claims = json!({ "sid": "s1" });
        let (one, other) = (
            Credential::of_token("a", &claims),
            Credential::of_token("b", &claims),
        );
        assert_eq!(one.session(), other.session());
        let unnamed = json!({});
        assert_ne!(
            Credential::of_token("a", &unnamed).session(),
            Credential::of_token("b", &unnamed).session()
        );
        assert_eq!(
            Credential::of_token("head.claims.one", &unnamed).session(),
            Credential::of_token("head.claims.other", &unnamed).session(),
            "two spellings of a signature are of one token"
        );
        let posing = Credential::of_token("s1", &unnamed);
        assert_ne!(posing.session(), one.session(), "a token is no session id");
    }

    #[test]
    fn says_when_the_holder_signed_in() {
        let at = Credential::of_token("a", &json!({ "auth_time": 1_700_000_000 })).signed_in();
        assert_eq!(
            at,
            Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        );
        let text = Credential::of_token("a", &json!({ "auth_time": "now" }));
        assert_eq!(text.signed_in(), None);
    }
}
