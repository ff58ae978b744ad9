//! Fetches a key set over HTTPS: one bounded GET, nothing clever.
//!
//! TLS verifies against the system's roots; plain HTTP is only spoken to loopback. Redirects are not
//! followed, no proxy is used, the answer is bounded in size and time, and anything but a 200 is a
//! failure.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::Full;
use rustls::RootCertStore;

use crate::endpoint::{self, CallError, Endpoint, EndpointError};

/// The largest key set that is read, in bytes.
pub(super) const SET_BYTES_MAX: usize = 1 << 20;
/// How long one fetch may take, from resolving the name to the last byte.
pub(super) const FETCH_TIME_MAX: Duration = Duration::from_secs(5);

/// Why a URL cannot be fetched from at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyUrlError {
    /// It is no URL of the kind that is accepted.
    #[error("expected `https://host/path`, or `http://` to a loopback address")]
    NotAccepted,
    /// The system's trusted certificates cannot be read.
    #[error("the system's trusted certificates cannot be read; install them, or use `file:`")]
    NoRoots,
    /// There is no runtime to fetch on.
    #[error("keys are fetched from a URL only by `postern run`")]
    NoRuntime,
}

/// Why one fetch failed; operators are told this much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the answer's status is not 200")]
    Status,
}

/// Where a key set is fetched from.
pub(super) struct KeyUrl(Endpoint);

impl KeyUrl {
    /// Reads a URL; `https` ones verify against the system's trusted certificates.
    pub(super) fn parse(url: &str) -> Result<Self, KeyUrlError> {
        Self::parse_with_roots(url, endpoint::system_roots)
    }

    fn parse_with_roots(
        url: &str,
        roots: impl FnOnce() -> Result<RootCertStore, EndpointError>,
    ) -> Result<Self, KeyUrlError> {
        Endpoint::parse(url, roots)
            .map(Self)
            .map_err(|error| match error {
                EndpointError::NotAccepted => KeyUrlError::NotAccepted,
                EndpointError::NoRoots => KeyUrlError::NoRoots,
            })
    }

    /// Fetches the set's bytes.
    pub(super) async fn fetch(&self) -> Result<Bytes, FetchError> {
        self.fetch_within(FETCH_TIME_MAX).await
    }

    async fn fetch_within(&self, time: Duration) -> Result<Bytes, FetchError> {
        let accept = "application/jwk-set+json, application/json";
        let request = self.0.request(Method::GET, "");
        let request = request
            .header(header::ACCEPT, accept)
            .body(Full::default())
            .map_err(|_invalid| CallError::Answer)?;
        let (status, body) = self.0.call(request, SET_BYTES_MAX, time).await?;
        match status {
            StatusCode::OK => Ok(body),
            _ => Err(FetchError::Status),
        }
    }
}

#[cfg(test)]
mod tests;
