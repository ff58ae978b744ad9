//! Fetches a key set over HTTPS: one bounded GET, nothing clever.
//!
//! TLS verifies against the system's roots; plain HTTP is only spoken to loopback. Redirects are not
//! followed, no proxy is used, the answer is bounded in size and time, and anything but a 200 is a
//! failure.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

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
    #[error("the host cannot be reached")]
    Connect,
    #[error("the host's certificate was not accepted, or TLS failed")]
    Tls,
    #[error("the answer is no HTTP, too large, or was cut")]
    Answer,
    #[error("the answer's status is not 200")]
    Status,
    #[error("it took too long")]
    Time,
}

/// Where a key set is fetched from.
pub(super) struct KeyUrl {
    host: String,
    port: u16,
    authority: String,
    path: String,
    tls: Option<TlsConnector>,
}

impl KeyUrl {
    /// Reads a URL; `https` ones verify against the system's trusted certificates.
    pub(super) fn parse(url: &str) -> Result<Self, KeyUrlError> {
        Self::parse_with_roots(url, system_roots)
    }

    fn parse_with_roots(
        url: &str,
        roots: impl FnOnce() -> Result<RootCertStore, KeyUrlError>,
    ) -> Result<Self, KeyUrlError> {
        let uri: Uri = url.parse().map_err(|_invalid| KeyUrlError::NotAccepted)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(KeyUrlError::NotAccepted);
        };
        if authority.as_str().contains('@') {
            return Err(KeyUrlError::NotAccepted);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let tls = if *scheme == Scheme::HTTPS {
            Some(connector(roots()?)?)
        } else if *scheme == Scheme::HTTP && names_loopback(&host) {
            None
        } else {
            return Err(KeyUrlError::NotAccepted);
        };
        let default_port = if tls.is_some() { 443 } else { 80 };
        Ok(Self {
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            host,
            tls,
        })
    }

    /// Fetches the set's bytes.
    pub(super) async fn fetch(&self) -> Result<Bytes, FetchError> {
        self.fetch_within(FETCH_TIME_MAX).await
    }

    async fn fetch_within(&self, time: Duration) -> Result<Bytes, FetchError> {
        match tokio::time::timeout(time, self.fetch_unhurried()).await {
            Ok(fetched) => fetched,
            Err(_elapsed) => Err(FetchError::Time),
        }
    }

    async fn fetch_unhurried(&self) -> Result<Bytes, FetchError> {
        let stream = self.connect().await?;
        match &self.tls {
            None => self.get(stream).await,
            Some(tls) => {
                let name =
                    ServerName::try_from(self.host.clone()).map_err(|_invalid| FetchError::Tls)?;
                let stream = tls
                    .connect(name, stream)
                    .await
                    .map_err(|_failed| FetchError::Tls)?;
                self.get(stream).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, FetchError> {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|_unknown| FetchError::Connect)?
            // SECURITY: what is not encrypted does not leave the host, whatever a name resolves to.
            .filter(|address| self.tls.is_some() || address.ip().is_loopback())
            .collect();
        TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|_failed| FetchError::Connect)
    }

    async fn get(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Bytes, FetchError> {
        let request = Request::get(self.path.as_str())
            .header(header::HOST, self.authority.as_str())
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|_invalid| FetchError::Answer)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_failed| FetchError::Answer)?;
        let exchange = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|_failed| FetchError::Answer)?;
            if response.status() != StatusCode::OK {
                return Err(FetchError::Status);
            }
            Limited::new(response.into_body(), SET_BYTES_MAX)
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .map_err(|_cut| FetchError::Answer)
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            fetched = &mut exchange => fetched,
            // The connection ends first when the body needs no more reading: the rest is in memory.
            _ended = &mut connection => exchange.await,
        }
    }
}

fn names_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn system_roots() -> Result<RootCertStore, KeyUrlError> {
    let mut roots = RootCertStore::empty();
    pingora::tls::load_platform_certs_incl_env_into_store(&mut roots)
        .map_err(|_unread| KeyUrlError::NoRoots)?;
    if roots.is_empty() {
        return Err(KeyUrlError::NoRoots);
    }
    Ok(roots)
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, KeyUrlError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_unsupported| KeyUrlError::NoRoots)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests;
