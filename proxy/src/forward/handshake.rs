//! The opening handshake of a WebSocket (RFC 6455 sections 4.1 and 4.2): what the client offers, told
//! to the upstream in one form, and whether the upstream's 101 accepts exactly that.
//!
//! It decides nothing about routes, and nothing of an upstream's 101 leaves but what is checked here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, CONTENT_LENGTH, InvalidHeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pingora::http::ResponseHeader;
use postern_filters::{DenyReason, ExchangePlan};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::response_head::{ResponseHead, Unsound};
use crate::hygiene::{CleanRequest, DeclaredBody, Refusal};
use crate::respond::Problem;

/// What a key is joined with before it is hashed (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// How many bytes a key stands for.
const KEY_BYTES: usize = 16;
/// The one version there is.
const VERSION: &str = "13";

/// A sound offer of a client. `Debug` shows nothing of it.
pub(crate) struct Handshake {
    key: HeaderValue,
    protocols: Vec<String>,
    extensions: Vec<String>,
}

/// What the upstream chose.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    accept: HeaderValue,
    protocol: Option<HeaderValue>,
    extensions: Option<HeaderValue>,
}

impl Handshake {
    /// The handshake of a request that asks for another protocol. Whether the route allows one has been
    /// decided; a plan that could hide something has no tunnel, whatever it says.
    ///
    /// # Errors
    /// The route allows none, or it is no handshake.
    pub(crate) fn offered(
        request: &CleanRequest,
        plan: &ExchangePlan,
    ) -> Result<Option<Self>, Problem> {
        if !request.upgrade {
            return Ok(None);
        }
        if plan.tunnel().is_none() {
            return Err(Problem::Denied(DenyReason::UpgradeRefused));
        }
        let handshake = Self::read(request).map_err(Problem::Refusal)?;
        Ok(Some(handshake))
    }

    /// Reads the offer of a request that asks for an upgrade.
    ///
    /// # Errors
    /// It is not an opening handshake, or could be read in two ways.
    pub(crate) fn read(request: &CleanRequest) -> Result<Self, Refusal> {
        const WRONG: Refusal = Refusal::Ambiguous("the WebSocket handshake");
        let headers = &request.headers;
        let sound = request.body == DeclaredBody::None
            && names_upgrade(headers)
            && is_only(headers, &UPGRADE, "websocket")
            && is_only(headers, &SEC_WEBSOCKET_VERSION, VERSION);
        let key = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| {
            let bytes = STANDARD.decode(key.as_bytes());
            bytes.is_ok_and(|bytes| bytes.len() == KEY_BYTES)
        });
        let (true, Some(key)) = (sound, key) else {
            return Err(WRONG);
        };
        Ok(Self {
            key: key.clone(),
            protocols: list(headers, &SEC_WEBSOCKET_PROTOCOL).ok_or(WRONG)?,
            extensions: list(headers, &SEC_WEBSOCKET_EXTENSIONS).ok_or(WRONG)?,
        })
    }

    /// Puts the offer into a request for the upstream.
    pub(super) fn offer(&self, head: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
        head.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        head.insert(UPGRADE, HeaderValue::from_static("websocket"));
        head.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        head.insert(SEC_WEBSOCKET_KEY, self.key.clone());
        if !self.protocols.is_empty() {
            let protocols = HeaderValue::try_from(self.protocols.join(", "))?;
            head.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
        }
        if !self.extensions.is_empty() {
            let extensions = HeaderValue::try_from(self.extensions.join(", "))?;
            head.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
        }
        Ok(())
    }

    /// Judges a 101 of the upstream: it must answer this key, and choose from what was offered.
    ///
    /// # Errors
    /// It does not; the upstream speaks of something else, and none of it may leave.
    pub(super) fn accepted(&self, head: &ResponseHead) -> Result<Accepted, Unsound> {
        let headers = &head.headers;
        let framed =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        if head.status != StatusCode::SWITCHING_PROTOCOLS
            || framed
            || !names_upgrade(headers)
            || !is_only(headers, &UPGRADE, "websocket")
        {
            return Err(Unsound("no switch to a WebSocket"));
        }
        let accept = only(headers, &SEC_WEBSOCKET_ACCEPT)
            .filter(|accept| accept.as_bytes() == self.expected().as_bytes())
            .ok_or(Unsound("the key is not answered"))?;
        let chosen = list(headers, &SEC_WEBSOCKET_PROTOCOL).ok_or(Unsound("the protocol"))?;
        let offered = chosen.iter().all(|one| self.protocols.contains(one));
        if chosen.len() > 1 || !offered {
            return Err(Unsound("a protocol that was not offered"));
        }
        let extensions = list(headers, &SEC_WEBSOCKET_EXTENSIONS).ok_or(Unsound("extensions"))?;
        let names: Vec<&str> = self.extensions.iter().map(|one| name_of(one)).collect();
        if !extensions.iter().all(|one| names.contains(&name_of(one))) {
            return Err(Unsound("an extension that was not offered"));
        }
        Ok(Accepted {
            accept: accept.clone(),
            protocol: joined(&chosen),
            extensions: joined(&extensions),
        })
    }

    /// The answer to the key (RFC 6455 section 4.2.2).
    fn expected(&self) -> String {
        let joined = [self.key.as_bytes(), GUID].concat();
        STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &joined))
    }
}

impl Accepted {
    /// Puts what was chosen into the 101 for the client.
    pub(super) fn tell(self, head: &mut ResponseHeader) -> pingora::Result<()> {
        head.insert_header(CONNECTION, "Upgrade")?;
        head.insert_header(UPGRADE, "websocket")?;
        head.insert_header(SEC_WEBSOCKET_ACCEPT, self.accept)?;
        if let Some(protocol) = self.protocol {
            head.insert_header(SEC_WEBSOCKET_PROTOCOL, protocol)?;
        }
        if let Some(extensions) = self.extensions {
            head.insert_header(SEC_WEBSOCKET_EXTENSIONS, extensions)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

/// The value of a field that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    value.filter(|_value| values.next().is_none())
}

fn is_only(headers: &HeaderMap, name: &HeaderName, expected: &str) -> bool {
    let value = only(headers, name);
    value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    let options = list(headers, &CONNECTION).unwrap_or_default();
    options
        .iter()
        .any(|option| option.eq_ignore_ascii_case("upgrade"))
}

/// The elements of a field, joined over its lines; none when one of them is empty or not ASCII.
fn list(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    for value in headers.get_all(name) {
        for element in value.to_str().ok()?.split(',').map(str::trim) {
            if element.is_empty() {
                return None;
            }
            elements.push(element.to_owned());
        }
    }
    Some(elements)
}

/// The name of an extension, without its parameters.
fn name_of(extension: &str) -> &str {
    let name = extension.split(';').next();
    name.unwrap_or_default().trim_end()
}

fn joined(elements: &[String]) -> Option<HeaderValue> {
    let value = HeaderValue::try_from(elements.join(", ")).ok()?;
    (!elements.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests;
