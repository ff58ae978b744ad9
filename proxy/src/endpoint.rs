//! A server that Postern itself asks: one bounded request, one bounded answer, nothing clever.
//!
//! TLS verifies against the roots it is given; plain HTTP is only spoken to loopback. Redirects are not
//! followed, no proxy is used, and the answer is bounded in size and time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::uri::Scheme;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why a URL cannot be asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// It is no URL of the kind that is accepted.
    #[error("expected `https://host/path`, or `http://` to a loopback address")]
    NotAccepted,
    /// There are no trusted certificates.
    #[error("no trusted certificates can be read")]
    NoRoots,
}

/// Why one call failed; operators are told this much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the host cannot be reached")]
    Connect,
    #[error("the host's certificate was not accepted, or TLS failed")]
    Tls,
    #[error("the answer is no HTTP, too large, or was cut")]
    Answer,
    #[error("it took too long")]
    Time,
}

/// Where a server is.
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    authority: String,
    path: String,
    tls: Option<TlsConnector>,
}

/// SECURITY: the path may be a secret of the operator's.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Reads a URL; `https` ones verify against `roots`.
    pub(crate) fn parse(
        url: &str,
        roots: impl FnOnce() -> Result<RootCertStore, EndpointError>,
    ) -> Result<Self, EndpointError> {
        let uri: Uri = url.parse().map_err(|_invalid| EndpointError::NotAccepted)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(EndpointError::NotAccepted);
        };
        if authority.as_str().contains('@') {
            return Err(EndpointError::NotAccepted);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let tls = if *scheme == Scheme::HTTPS {
            Some(connector(roots()?)?)
        } else if *scheme == Scheme::HTTP && names_loopback(&host) {
            None
        } else {
            return Err(EndpointError::NotAccepted);
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

    /// A request to the URL with something after its path.
    pub(crate) fn request(&self, method: Method, after: &str) -> Builder {
        let path = match after {
            "" => self.path.clone(),
            after => format!("{}{after}", self.path.trim_end_matches('/')),
        };
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.authority.as_str())
    }

    /// Sends a request and reads the answer, from resolving the name to the last byte within `time`.
    ///
    /// # Errors
    /// There is no whole answer of at most `bytes_max` bytes in time.
    pub(crate) async fn call(
        &self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
        time: Duration,
    ) -> Result<(StatusCode, Bytes), CallError> {
        match tokio::time::timeout(time, self.call_unhurried(request, bytes_max)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(CallError::Time),
        }
    }

    async fn call_unhurried(
        &self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let stream = self.connect().await?;
        match &self.tls {
            None => exchange(stream, request, bytes_max).await,
            Some(tls) => {
                let name =
                    ServerName::try_from(self.host.clone()).map_err(|_invalid| CallError::Tls)?;
                let stream = tls
                    .connect(name, stream)
                    .await
                    .map_err(|_failed| CallError::Tls)?;
                exchange(stream, request, bytes_max).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, CallError> {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|_unknown| CallError::Connect)?
            // SECURITY: what is not encrypted does not leave the host, whatever a name resolves to.
            .filter(|address| self.tls.is_some() || address.ip().is_loopback())
            .collect();
        TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|_failed| CallError::Connect)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<(StatusCode, Bytes), CallError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_failed| CallError::Answer)?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|_failed| CallError::Answer)?;
        let status = response.status();
        if status.is_redirection() {
            // Nobody follows it, and its body is nobody's business.
            return Ok((status, Bytes::new()));
        }
        let body = Limited::new(response.into_body(), bytes_max).collect();
        let body = body.await.map_err(|_cut| CallError::Answer)?;
        Ok((status, body.to_bytes()))
    };
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection ends first when the body needs no more reading: the rest is in memory.
        _ended = &mut connection => exchange.await,
    }
}

fn names_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The system's trusted certificates.
///
/// # Errors
/// They cannot be read, or there are none.
pub(crate) fn system_roots() -> Result<RootCertStore, EndpointError> {
    let mut roots = RootCertStore::empty();
    pingora::tls::load_platform_certs_incl_env_into_store(&mut roots)
        .map_err(|_unread| EndpointError::NoRoots)?;
    if roots.is_empty() {
        return Err(EndpointError::NoRoots);
    }
    Ok(roots)
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, EndpointError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_unsupported| EndpointError::NoRoots)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
