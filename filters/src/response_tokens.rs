//! Takes session tokens out of the fields of an answer: of its head and, in the same way, of its trailers.
//!
//! ```text
//! field ─▶ by name ─▶ in its URLs ─▶ by shape ─▶ by value ─▶ client
//! ```
//!
//! Guarantees: no field leaves whose name says that it brings a token, unless the caller keeps it or puts a text in
//! the token's place; what begins a handshake is taken out of challenges; no secret of the session leaves in any
//! spelling, whatever field it stands in. `Set-Cookie` never leaves: the cookies of the upstream are the jar's, and
//! those of the proxy are set after this. Other values leave unchanged, and in their order.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{PROXY_AUTHENTICATE, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use postern_config::sessions::TokenNames;

use crate::pipeline::FoundTokens;
use crate::shape_sweep::without_shapes;
use crate::token_rules::{FoundToken, Instead, Why, is_plausible, without_scheme};
use crate::token_sweep::Secrets;
use crate::url_tokens::header_without_tokens;

/// What sets cookies besides `Set-Cookie` (RFC 2965).
const SET_COOKIE2: &str = "set-cookie2";
/// Schemes whose challenges carry a part of a handshake (RFC 4559).
const HANDSHAKES: [&str; 3] = ["Negotiate", "NTLM", "Kerberos"];

/// The fields that may leave, and how many tokens were taken out of the others, by what gave them away.
///
/// `keeper` is asked about each token that can be one, as in a body: [`Instead::Strip`] removes a field that is a
/// token by its name and what is found inside of other fields; [`Instead::Text`] stands in the token's place,
/// behind its scheme. A field that is a token by its name and holds none that a client could send back is removed
/// unasked. What is found by value is not asked about; the secret says what stands there.
pub fn response_header_tokens(
    headers: &HeaderMap,
    names: &TokenNames,
    secrets: &Arc<Secrets>,
    keeper: &mut dyn FnMut(FoundToken<'_>) -> Instead,
) -> (HeaderMap, FoundTokens) {
    let mut fields = Fields {
        names,
        secrets,
        keeper,
        found: FoundTokens::default(),
    };
    let mut left = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if let Some(value) = fields.left(name, value) {
            left.append(name, value);
        }
    }
    (left, fields.found)
}

struct Fields<'a> {
    names: &'a TokenNames,
    secrets: &'a Arc<Secrets>,
    keeper: &'a mut dyn FnMut(FoundToken<'_>) -> Instead,
    found: FoundTokens,
}

impl Fields<'_> {
    /// What is left of a field; none when nothing of it may leave.
    fn left(&mut self, name: &HeaderName, value: &HeaderValue) -> Option<HeaderValue> {
        if name == SET_COOKIE || name == SET_COOKIE2 {
            self.found.by_name += 1;
            return None;
        }
        if self.secrets.contains(name.as_str().as_bytes()) {
            self.found.by_value += 1;
            return None;
        }
        let mut text = Cow::Borrowed(value.as_bytes());
        if self.names.is_response_header(name.as_str()) {
            text = self.named(name, value.as_bytes())?;
        }
        if name == WWW_AUTHENTICATE || name == PROXY_AUTHENTICATE {
            let (challenges, handshakes) = without_handshakes(&text);
            self.found.by_name += handshakes;
            text = Cow::Owned(challenges);
        }
        let names = self.names;
        let ask = &mut |found: FoundToken<'_>| self.ask(found);
        let without = header_without_tokens(name.as_str(), &text, names, ask);
        replace(&mut text, without);
        let without = without_shapes(&text, &mut |found| self.ask(found));
        replace(&mut text, without);
        if let Some(without) = self.secrets.rewrite(&text) {
            self.found.by_value += 1;
            text = Cow::Owned(without);
        }
        match text {
            Cow::Borrowed(_) => Some(value.clone()),
            // What the caller put there may be no value of a field: such a field does not leave.
            Cow::Owned(text) => HeaderValue::from_bytes(&text).ok(),
        }
    }

    /// What is left of a field that is a token by its name.
    fn named<'v>(&mut self, name: &HeaderName, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
        let token = without_scheme(value);
        if !is_plausible(token) {
            self.found.by_name += 1;
            return None;
        }
        let found = FoundToken {
            name: Some(name.as_str().as_bytes()),
            value: token,
            why: Why::Name,
        };
        match self.ask(found) {
            Instead::Keep => Some(Cow::Borrowed(value)),
            Instead::Strip => None,
            Instead::Text(text) => {
                let scheme = value.get(..value.len() - token.len()).unwrap_or_default();
                Some(Cow::Owned([scheme, text.as_bytes()].concat()))
            }
        }
    }

    fn ask(&mut self, found: FoundToken<'_>) -> Instead {
        let instead = (self.keeper)(found);
        if instead != Instead::Keep {
            match found.why {
                Why::Name | Why::PathParameter => self.found.by_name += 1,
                Why::Shape => self.found.by_shape += 1,
            }
        }
        instead
    }
}

fn replace(text: &mut Cow<'_, [u8]>, without: Option<Vec<u8>>) {
    if let Some(without) = without {
        *text = Cow::Owned(without);
    }
}

/// Challenges (RFC 9110 section 11.6.1) without the parts of handshakes that follow their schemes, and how many
/// of those there were.
fn without_handshakes(challenges: &[u8]) -> (Vec<u8>, u64) {
    let mut quoted = false;
    let mut escaped = false;
    let divides = |byte: &u8| {
        let divides = *byte == b',' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && quoted && !escaped;
        divides
    };
    let mut removed = 0;
    let left = challenges.split(divides).map(|challenge| {
        let text = challenge.trim_ascii();
        let end = text.iter().position(u8::is_ascii_whitespace);
        let scheme = end.and_then(|end| text.get(..end)).filter(|scheme| {
            let same = |known: &str| scheme.eq_ignore_ascii_case(known.as_bytes());
            HANDSHAKES.iter().any(|known| same(known))
        });
        removed += u64::from(scheme.is_some());
        scheme.unwrap_or(challenge)
    });
    let left = left.collect::<Vec<_>>().join(&b','.clone());
    (left, removed)
}

#[cfg(test)]
mod tests;
