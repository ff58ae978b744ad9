//! TLS and HTTP/2 for tests: an authority, a stage with certificates, and clients.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::origin::{Answer, Origin};
use crate::postern::{Setting, Stage, start_with, token};

pub(crate) const TLS: &str =
    "{ address: '127.0.0.1:0', tls: { cert: 'file:cert.pem', key: 'file:key.pem' } }";
pub(crate) const MUTUAL: &str = "{ address: '127.0.0.1:0', tls: { cert: 'file:cert.pem', key: 'file:key.pem', \
    client_ca: 'file:ca.pem' } }";

/// An authority that signs certificates for this test only.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate and its key, PEM.
    pub(crate) fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// The same, valid from the beginning of one year to that of another.
    pub(crate) fn sign_for(&self, name: &str, (from, until): (i32, i32)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let (cert, key) = self.sign("localhost");
        let file = |name: &str, text: String| (name.to_owned(), text);
        vec![
            file("cert.pem", cert),
            file("key.pem", key),
            file("ca.pem", self.pem.clone()),
        ]
    }

    /// A server that speaks to clients of this authority only.
    pub(crate) fn server(&self, alpn: &[u8]) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let (cert, key) = self.sign("localhost");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }

    pub(crate) fn client(&self, alpn: &[u8], identity: Option<(String, String)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }
}

pub(crate) async fn connect(
    stage: &Stage,
    config: ClientConfig,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(stage.address()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

pub(crate) async fn tls_stage(
    authority: &Authority,
    listen: &str,
    policy: &str,
    answer: Answer,
) -> (Origin, Stage) {
    let origin = Origin::scripted(vec![answer]).await;
    let setting = Setting {
        listen: listen.to_owned(),
        policy: policy.to_owned(),
        files: authority.files(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    (origin, stage)
}

/// An HTTP/2 connection and the task that drives it.
pub(crate) async fn http2(stream: TlsStream<TcpStream>) -> h2::client::SendRequest<Bytes> {
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("the HTTP/2 connection ended: {error}");
        }
    });
    client
}

pub(crate) fn h2_get(target: &str) -> Request<()> {
    Request::get(format!("https://a.example{target}"))
        .header("authorization", format!("Bearer {}", token("agent")))
        .body(())
        .unwrap()
}

/// The status and the body of an HTTP/2 answer; the body is an error when the stream was reset.
pub(crate) async fn h2_send(
    client: &mut h2::client::SendRequest<Bytes>,
    request: Request<()>,
) -> (StatusCode, Result<Vec<u8>, h2::Error>) {
    let mut client = client.clone().ready().await.unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    let (head, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        match data {
            Ok(data) => {
                stream.flow_control().release_capacity(data.len()).unwrap();
                body.extend_from_slice(&data);
            }
            Err(error) => return (head.status, Err(error)),
        }
    }
    assert_eq!(stream.trailers().await.unwrap(), None);
    (head.status, Ok(body))
}
