//! An HTTP/2 client over TLS, and the certificate authority it trusts.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use h2::client::SendRequest;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A self-signed certificate for `localhost` and its key, in PEM.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    key: String,
}

/// How a response over HTTP/2 ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With END_STREAM.
    Complete(u16, String),
    /// With a reset; what had arrived.
    Reset(String),
}

impl Authority {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        Self {
            certificate: made.cert.der().clone(),
            pem: made.cert.pem(),
            key,
        }
    }

    /// A folder with the certificate and the key, and the `tls` section that names them.
    pub(crate) fn folder(&self) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cert.pem"), &self.pem).unwrap();
        fs::write(folder.path().join("key.pem"), &self.key).unwrap();
        (
            folder,
            "{ cert: file:cert.pem, key: file:key.pem }".to_owned(),
        )
    }

    /// An HTTP/2 connection to `address`.
    pub(crate) async fn connect(&self, address: SocketAddr) -> SendRequest<bytes::Bytes> {
        let stream = self.agreed(address).await;
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move {
            let _ended = connection.await;
        });
        send
    }

    /// A connection on which HTTP/2 is agreed and nothing said.
    pub(crate) async fn agreed(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        self.agreed_on(b"h2", address).await
    }

    /// A connection on which a protocol is agreed, by its name in ALPN, and nothing said.
    pub(crate) async fn agreed_on(
        &self,
        protocol: &[u8],
        address: SocketAddr,
    ) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = rustls::ClientConfig::builder_with_provider(provider);
        let config = versions.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        // A request that waits for the acknowledgement of what the handshake said last would be timed with it.
        stream.set_nodelay(true).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }
}

/// A GET as `agent`.
pub(crate) async fn get(send: &mut SendRequest<bytes::Bytes>, path: &str) -> Outcome {
    let request = http::Request::get(format!("https://localhost{path}"))
        .header("x-subject", "ann")
        .header("x-roles", "agent")
        .body(())
        .unwrap();
    let mut ready = send.clone().ready().await.unwrap();
    let (response, _) = ready.send_request(request, true).unwrap();
    let Ok(response) = response.await else {
        return Outcome::Reset(String::new());
    };
    let status = response.status().as_u16();
    let mut stream = response.into_body();
    let mut body = Vec::new();
    while let Some(part) = stream.data().await {
        let Ok(part) = part else {
            return Outcome::Reset(String::from_utf8_lossy(&body).into_owned());
        };
        let _released = stream.flow_control().release_capacity(part.len());
        body.extend_from_slice(&part);
    }
    Outcome::Complete(status, String::from_utf8_lossy(&body).into_owned())
}
