//! Connects to a collector: TCP, and TLS for `https`.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::codegen::Service;

use super::super::settings::{Endpoint, Protocol};

/// Why a collector can never be connected to. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A PEM file is of no use.
    #[error("`{path}`: {message}")]
    Pem {
        /// The file, as the variable names it.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// The system's trusted certificates cannot be read.
    #[error(
        "the system's trusted certificates cannot be read; name yours in `OTEL_EXPORTER_OTLP_CERTIFICATE`"
    )]
    NoRoots,
    /// TLS cannot be set up with them.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The URL cannot be used.
    #[error("the collector's URL cannot be used")]
    Url,
}

/// What bytes go over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// How a collector is reached.
#[derive(Clone)]
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Reads the endpoint's certificates.
    ///
    /// # Errors
    /// They cannot be used.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let authority = endpoint.uri.authority().ok_or(ConnectError::Url)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let secure = endpoint.uri.scheme_str() == Some("https");
        let tls = match secure {
            false => None,
            true => {
                let name =
                    ServerName::try_from(host.clone()).map_err(|_invalid| ConnectError::Url)?;
                Some((tls(endpoint)?, name))
            }
        };
        let usual = if secure { 443 } else { 80 };
        Ok(Self {
            port: authority.port_u16().unwrap_or(usual),
            host,
            tls,
        })
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((tls, name)) => Ok(Box::new(tls.connect(name.clone(), stream).await?)),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Wire>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(TokioIo::new) })
    }
}

fn tls(endpoint: &Endpoint) -> Result<TlsConnector, ConnectError> {
    let mut roots = RootCertStore::empty();
    match &endpoint.roots {
        None => {
            pingora::tls::load_platform_certs_incl_env_into_store(&mut roots)
                .map_err(|_unread| ConnectError::NoRoots)?;
        }
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| pem(path, &error))?;
            }
        }
    }
    if roots.is_empty() {
        return Err(ConnectError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::Tls(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match &endpoint.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| pem(key, &error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, private)
                .map_err(|error| pem(key, &error))?
        }
    };
    config.alpn_protocols = match endpoint.protocol {
        Protocol::Grpc => vec![b"h2".to_vec()],
        Protocol::Http => vec![b"http/1.1".to_vec()],
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| pem(path, &error))
}

fn pem(path: &Path, error: &dyn std::fmt::Display) -> ConnectError {
    ConnectError::Pem {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}
