//! The decoy: a cookie under the name of the application's own, which is set with the handle and never used.
//! It looks like a session and opens nothing; whoever presents it without its handle took it out of a jar.
//!
//! ```text
//! base64url( session id (16) │ HMAC of it, of a key that the server key makes (16) )
//! ```
//!
//! So it says whose jar it was without a look into the store, and nobody can make one for another session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use subtle::ConstantTimeEq as _;
use ulid::Ulid;

use super::client_cookies::{ATTRIBUTES, values_of};
use super::digest::keyed;
use super::keys::{KeyId, ServerKeys};

const PURPOSE: &str = "postern/decoy/v1";
const TAG_BYTES: usize = 16;

/// Makes decoys and knows them again.
#[derive(Debug, Clone)]
pub struct Decoys {
    name: String,
    keys: ServerKeys,
}

/// What a request shows of decoys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Decoy {
    /// None that we made: no such cookie, or one of the application or of a stranger.
    #[default]
    None,
    /// The one of the session with this id.
    Of(String),
}

impl Decoys {
    /// Decoys of this name, `sessions.decoy` in a policy.
    #[must_use]
    pub fn new(name: &str, keys: &ServerKeys) -> Self {
        Self {
            name: name.to_owned(),
            keys: keys.clone(),
        }
    }

    /// The field that gives a client the decoy of its session; none for an id that is not ours.
    #[must_use]
    pub fn field(&self, sid: &str) -> Option<String> {
        let id = Ulid::from_string(sid).ok()?.to_bytes();
        let tag = self.tag(self.keys.newest(), &id)?;
        let value = URL_SAFE_NO_PAD.encode([id, tag].concat());
        Some(format!("{}={value}; {ATTRIBUTES}", self.name))
    }

    /// Looks for a decoy among a request's cookies.
    #[must_use]
    pub fn shown(&self, headers: &HeaderMap) -> Decoy {
        let values = values_of(headers, &self.name);
        let sid = values.into_iter().find_map(|value| self.sid_of(value));
        sid.map_or(Decoy::None, Decoy::Of)
    }

    /// Whether a cookie is a decoy that we made.
    #[must_use]
    pub fn is_one(&self, name: &[u8], value: &[u8]) -> bool {
        name == self.name.as_bytes() && self.sid_of(value).is_some()
    }

    fn sid_of(&self, value: &[u8]) -> Option<String> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(value).ok()?.try_into().ok()?;
        let (id, tag) = bytes.split_first_chunk()?;
        let is_ours = self.keys.ids().any(|kid| {
            let made = self.tag(kid, id);
            made.is_some_and(|made| bool::from(made.as_slice().ct_eq(tag)))
        });
        is_ours.then(|| Ulid::from_bytes(*id).to_string())
    }

    fn tag(&self, kid: KeyId, id: &[u8; 16]) -> Option<[u8; TAG_BYTES]> {
        let key = self.keys.derive(kid, PURPOSE)?;
        keyed(key.as_slice(), id).first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    const SID: &str = "01J00000000000000000000000";

    fn decoys(key: u8) -> Decoys {
        Decoys::new("JSESSIONID", &ServerKeys::new([key; 32]))
    }

    fn shown(decoys: &Decoys, cookies: &str) -> Decoy {
        let headers = HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())]);
        decoys.shown(&headers)
    }

    #[test]
    fn a_decoy_says_whose_it_is() {
        let field = decoys(1).field(SID).unwrap();
        let (pair, attributes) = field.split_once("; ").unwrap();
        assert_eq!(attributes, ATTRIBUTES);
        assert_eq!(shown(&decoys(1), pair), Decoy::Of(SID.to_owned()));
        let among = format!("JSESSIONID=0A1B; theme=dark; {pair}");
        assert_eq!(shown(&decoys(1), &among), Decoy::Of(SID.to_owned()));
        let keys = ServerKeys::new([2; 32]).and_older([1; 32]);
        let after_rotation = Decoys::new("JSESSIONID", &keys);
        assert_eq!(shown(&after_rotation, pair), Decoy::Of(SID.to_owned()));
        assert_eq!(decoys(1).field("not an id"), None);
    }

    #[test]
    fn what_we_did_not_make_is_nobodys() {
        let field = decoys(1).field(SID).unwrap();
        let pair = field.split(';').next().unwrap();
        assert_eq!(shown(&decoys(2), pair), Decoy::None);
        let mut other_id = URL_SAFE_NO_PAD
            .decode(pair.split_once('=').unwrap().1)
            .unwrap();
        other_id[15] ^= 1;
        let other_id = format!("JSESSIONID={}", URL_SAFE_NO_PAD.encode(other_id));
        for cookies in [
            other_id.as_str(),
            "JSESSIONID=0A1B2C3D4E5F",
            "JSESSIONID=",
            &pair.replace("JSESSIONID", "jsessionid"),
        ] {
            assert_eq!(shown(&decoys(1), cookies), Decoy::None, "{cookies}");
        }
    }
}
