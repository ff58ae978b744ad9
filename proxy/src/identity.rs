//! Who is asking: turns what a request brings (a bearer token, a client certificate, headers of a
//! trusted neighbour) into a [`Recognised`] identity, or refuses it.
//!
//! It guarantees that an identity is only ever made from something verified, and that every doubt is a
//! refusal. It does not decide what an identity may see: its groups are matched against the policy's
//! roles when the exchange is decided. No credential appears in its logs, errors or `Debug` output;
//! a refusal is explained to operators by a fixed word at debug level.

mod credential;
mod header;
mod jwks;
mod jwt;
mod mtls;
#[cfg(test)]
mod samples;
mod selected;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName};
use postern_config::identity::{IdentityRule, KeySource};

use crate::clock::Clock;

pub use credential::{Credential, Recognised};
pub(crate) use jwks::{KeySet, try_out as try_out_keys};
pub use jwks::{KeySetError, KeyUrlError};
pub(crate) use selected::ClaimSelector;

/// The longest subject or tenant, in characters.
pub const NAME_CHARS_MAX: usize = 256;
/// The most groups one identity may claim.
pub const GROUPS_MAX: usize = 256;

/// What is known of the other end of a client connection. `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct PeerFacts {
    /// The peer's address; none for a Unix socket.
    pub address: Option<SocketAddr>,
    /// Whether the connection came over our Unix socket.
    pub unix: bool,
    /// The verified client certificate, DER: the leaf only.
    pub certificate: Option<Vec<u8>>,
}

impl fmt::Debug for PeerFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerFacts").finish_non_exhaustive()
    }
}

/// Why nobody was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The request brings no credentials at all.
    #[error("the request brings no credentials")]
    Missing,
    /// It brings some that are not accepted.
    #[error("the credentials are not accepted")]
    Invalid,
    /// The keys that would verify them could not be had, or are too old.
    #[error("the keys that verify credentials are not available")]
    Unavailable,
}

/// Why a policy's identity rule cannot be put to work. The operator or the policy's author must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticatorError {
    /// The rule needs a key set and none was read.
    #[error("the key set that `keys` names was not read")]
    KeysNotRead,
    /// The key set is of no use.
    #[error("the key set is of no use: {0}")]
    Keys(#[from] KeySetError),
    /// The key set's URL is of no use.
    #[error("the key set's URL is of no use: {0}")]
    Url(#[from] KeyUrlError),
    /// A selector of the rule cannot be evaluated on claims.
    #[error("the selector `{selector}` cannot be evaluated on claims")]
    Selector {
        /// The selector's text.
        selector: String,
    },
    /// A header that the rule names is no valid header name.
    #[error("`{name}` is no valid header name")]
    HeaderName {
        /// The name.
        name: String,
    },
}

/// Recognises who is asking, as one policy says.
pub struct Authenticator {
    scheme: Scheme,
}

enum Scheme {
    Jwt(jwt::TokenVerifier),
    Mtls(mtls::CertificateReader),
    Header(header::HeaderReader),
    /// A session says who it is; the request itself does not.
    Session,
}

impl Authenticator {
    /// Puts a rule to work. `keys` is the key file that belongs to the policy's closure. For a key URL,
    /// the keys that `previous` fetched from the same URL are shared, so that a reload never forgets
    /// them; otherwise a task that fetches them is started on the current Tokio runtime.
    ///
    /// # Errors
    /// See [`AuthenticatorError`].
    pub fn new(
        rule: &IdentityRule,
        keys: Option<&[u8]>,
        clock: Arc<dyn Clock>,
        previous: Option<&Self>,
    ) -> Result<Self, AuthenticatorError> {
        let scheme = match rule {
            IdentityRule::Jwt(rule) => {
                let keys = match &rule.keys {
                    KeySource::Reference(_) => {
                        let bytes = keys.ok_or(AuthenticatorError::KeysNotRead)?;
                        jwks::Keys::fixed(bytes)?
                    }
                    KeySource::Url(url) => {
                        let kept = previous.and_then(Self::remote_keys);
                        jwks::Keys::remote(url, clock, kept)?
                    }
                };
                Scheme::Jwt(jwt::TokenVerifier::new(rule, keys)?)
            }
            IdentityRule::Mtls(rule) => Scheme::Mtls(mtls::CertificateReader::new(rule)),
            IdentityRule::Header(rule) => Scheme::Header(header::HeaderReader::new(rule)?),
            IdentityRule::Session(_) => Scheme::Session,
        };
        Ok(Self { scheme })
    }

    /// Recognises who is asking.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: &PeerFacts,
        now: SystemTime,
    ) -> Result<Recognised, IdentityError> {
        match &self.scheme {
            Scheme::Jwt(verifier) => verifier.verify(headers, now).await,
            Scheme::Mtls(reader) => Ok(Recognised {
                identity: reader.read(peer)?,
                credential: peer.certificate.as_deref().map(Credential::of_certificate),
            }),
            Scheme::Header(reader) => Ok(Recognised {
                identity: reader.read(headers, peer)?,
                credential: None,
            }),
            Scheme::Session => Err(IdentityError::Missing),
        }
    }

    /// The request headers that carry credentials: they never go upstream.
    #[must_use]
    pub fn credential_headers(&self) -> Vec<HeaderName> {
        match &self.scheme {
            Scheme::Jwt(_) => vec![http::header::AUTHORIZATION],
            Scheme::Mtls(_) | Scheme::Session => Vec::new(),
            Scheme::Header(reader) => reader.names(),
        }
    }

    fn remote_keys(&self) -> Option<&Arc<jwks::RemoteKeys>> {
        match &self.scheme {
            Scheme::Jwt(verifier) => verifier.remote_keys(),
            Scheme::Mtls(_) | Scheme::Header(_) | Scheme::Session => None,
        }
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.scheme {
            Scheme::Jwt(_) => "jwt",
            Scheme::Mtls(_) => "mtls",
            Scheme::Header(_) => "header",
            Scheme::Session => "session",
        };
        f.debug_struct("Authenticator")
            .field("scheme", &scheme)
            .finish_non_exhaustive()
    }
}

/// Whether a text may be a subject or a tenant: not empty, not too long, nothing invisible in it that
/// could end a log line.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control)
}

/// Says why a credential was refused, in a fixed word, and refuses it.
fn refuse(reason: &'static str) -> IdentityError {
    tracing::debug!(target: "postern::identity", reason, "credentials refused");
    IdentityError::Invalid
}

#[cfg(test)]
mod tests;
