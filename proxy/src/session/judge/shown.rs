//! What one request shows of who sends it: read once, before anybody looks into the vault.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Method};

use super::fetch::Fetch;
use super::request_dpop::ShownDpop;
use crate::session::client_cookies::{Carried, ClientCookies};
use crate::session::context::Context;
use crate::session::dbsc::header::SKIPPED;
use crate::session::decoy::{Decoy, Decoys};
use crate::session::digest::{Digest, sha256};
use crate::session::vault::Handle;

/// What every handle begins with.
const HANDLE_PREFIX: &[u8] = b"pnh_";

/// A request, beside its fields.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its canonical path.
    pub path: &'a str,
    /// The client's address, as it is believed (decision 0010).
    pub address: Option<IpAddr>,
    /// The client's certificate, DER, verified; never one that a neighbour presents for others.
    pub certificate: Option<&'a [u8]>,
    /// Where clients find us, as `scheme://host[:port]`; never what a request says.
    pub origins: &'a [String],
    /// The decoys, if the policy has any.
    pub decoys: Option<&'a Decoys>,
}

/// What one request shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Where it comes from.
    pub context: Context,
    /// The handle, from the one place that brings it.
    pub handle: Carried<Handle>,
    /// Which place that is.
    pub carrier: Carrier,
    /// The bound cookie.
    pub bound: Carried<String>,
    /// The thumbprint of the certificate (RFC 8705 section 3.1).
    pub certificate: Option<String>,
    /// The proof of a key. It takes the handle's session to check one: [`Self::with_dpop`].
    pub dpop: ShownDpop,
    /// Who made the browser send it.
    pub fetch: Fetch,
    /// The browser says that it could not prove its device, and why.
    pub skipped: Option<Skipped>,
    /// The decoy.
    pub decoy: Decoy,
    /// It may change something: no GET, HEAD or OPTIONS.
    pub is_unsafe: bool,
    /// It is a GET.
    pub is_get: bool,
    /// What it is for, to know it again: a digest of method and path.
    pub target: Digest,
}

/// How a request brings its handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// It does not.
    Nothing,
    /// In the cookie.
    Cookie,
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// `Authorization: DPoP` (RFC 9449 section 7.1).
    Dpop,
}

/// Why a browser could not prove its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// We could not be reached.
    Unreachable,
    /// We had a fault.
    ServerError,
    /// It has done so too often.
    QuotaExceeded,
    /// Something else.
    Other,
}

impl Skipped {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(SKIPPED)?.to_str().unwrap_or_default();
        let first = value.split([',', ';']).next().unwrap_or_default();
        Some(match first.trim() {
            "unreachable" => Self::Unreachable,
            "server_error" => Self::ServerError,
            "quota_exceeded" => Self::QuotaExceeded,
            _ => Self::Other,
        })
    }
}

impl Shown {
    /// Reads a request.
    #[must_use]
    pub fn of(headers: &HeaderMap, asked: &Asked<'_>) -> Self {
        let agent = headers.get(USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        let cookies = ClientCookies::read(headers);
        let (handle, carrier) = handle_of(headers, cookies.handle);
        let certificate = asked
            .certificate
            .map(|der| URL_SAFE_NO_PAD.encode(sha256(der)));
        let target = format!("{} {}", asked.method, asked.path);
        Self {
            context: Context::of(asked.address, agent.unwrap_or_default()),
            handle,
            carrier,
            bound: cookies.bound,
            certificate,
            dpop: ShownDpop::Absent,
            fetch: Fetch::read(headers, asked.origins),
            skipped: Skipped::read(headers),
            decoy: asked
                .decoys
                .map(|decoys| decoys.shown(headers))
                .unwrap_or_default(),
            is_unsafe: !asked.method.is_safe(),
            is_get: *asked.method == Method::GET,
            target: sha256(target.as_bytes()),
        }
    }

    /// The same with what it shows of a key.
    #[must_use]
    pub fn with_dpop(mut self, dpop: ShownDpop) -> Self {
        self.dpop = dpop;
        self
    }
}

/// The handle, and how it is brought. In two ways at once it means nothing.
fn handle_of(headers: &HeaderMap, cookie: Carried<Handle>) -> (Carried<Handle>, Carrier) {
    let fields = headers.get_all(AUTHORIZATION).iter();
    let mut named = fields.filter_map(|field| {
        let at = field.as_bytes().iter().position(|byte| *byte == b' ')?;
        let (scheme, rest) = field.as_bytes().split_at(at);
        let token = rest.trim_ascii();
        token.starts_with(HANDLE_PREFIX).then_some((scheme, token))
    });
    let Some((scheme, token)) = named.next() else {
        let carrier = match cookie {
            Carried::Absent => Carrier::Nothing,
            Carried::Once(_) | Carried::Unsound => Carrier::Cookie,
        };
        return (cookie, carrier);
    };
    let carrier = match scheme {
        dpop if dpop.eq_ignore_ascii_case(b"dpop") => Carrier::Dpop,
        _ => Carrier::Bearer,
    };
    let is_only = named.next().is_none() && cookie == Carried::Absent;
    let is_scheme = carrier == Carrier::Dpop || scheme.eq_ignore_ascii_case(b"bearer");
    match Handle::parse(token).filter(|_| is_only && is_scheme) {
        Some(handle) => (Carried::Once(handle), carrier),
        None => (Carried::Unsound, carrier),
    }
}
