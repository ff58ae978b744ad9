//! Upstreams that are not the upstream: whoever cannot show the certificate is sent no byte of a request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::bypass::messages::find;
use crate::postern::{POLICY, Setting, Stage, start_with};
use crate::secure::Authority;

use super::{Result, ensure};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n\
    {\"ssn\":\"912-04-7731\"}";

/// Somebody who answers at the upstream's address. It ends with all its connections when dropped.
struct Somebody {
    address: SocketAddr,
    /// What was said to it, TLS taken off.
    heard: Arc<Mutex<Vec<u8>>>,
    accepting: JoinHandle<()>,
}

impl Somebody {
    /// Listens; without a certificate it speaks in the clear.
    async fn at(address: SocketAddr, certificate: Option<(String, String)>) -> Self {
        let listener = listening(address).await;
        let address = listener.local_addr().expect("bound");
        let acceptor = certificate.map(|pair| TlsAcceptor::from(Arc::new(server(&pair))));
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let told = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
                connections.spawn(async move {
                    match acceptor {
                        None => converse(stream, &told, b"").await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                converse(stream, &told, b"\r\n\r\n").await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            heard,
            accepting,
        }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("heard").clone()
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The address may have been somebody else's a moment ago.
async fn listening(address: SocketAddr) -> TcpListener {
    for _ in 0..500 {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_taken) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("{address} is never free");
}

fn server((cert, key): &(String, String)) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(cert.as_bytes()).expect("a certificate")],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key"),
        )
        .expect("a pair")
}

/// Answers whatever has this end alike, and keeps what it is told.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    told: &Mutex<Vec<u8>>,
    end: &[u8],
) {
    let mut bytes = Vec::new();
    while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
        told.lock().expect("heard").extend_from_slice(&bytes);
        let ends = end.is_empty() || find(&bytes, end).is_some();
        bytes.clear();
        if ends && stream.write_all(ANSWER.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A Postern that asks for a certificate of this authority's for `localhost`.
async fn stage(authority: &Authority, upstream: SocketAddr) -> Stage {
    let setting = Setting {
        scheme: "https",
        upstream: ", ca: 'file:ca.pem'".to_owned(),
        files: authority.files(),
        ..Setting::default()
    };
    start_with(
        &Setting {
            policy: POLICY.to_owned(),
            ..setting
        },
        upstream,
    )
    .await
}

/// The upstream itself is asked, and its answer is redacted.
async fn served(stage: &Stage) -> std::result::Result<(), String> {
    let reply = stage.get("/cases/1", "agent").await;
    ensure(
        reply.status == 200 && find(&reply.body, b"912-04-7731").is_none(),
        format!("the upstream itself: {} {}", reply.status, reply.text()),
    )
}

/// Nobody is told anything, and the client is told that there is no upstream.
async fn refused(
    stage: &Stage,
    what: &str,
    somebody: &Somebody,
) -> std::result::Result<(), String> {
    let reply = stage.get("/cases/1", "agent").await;
    let told = (reply.status, reply.slug());
    ensure(
        told == (502, "upstream-unavailable".to_owned()) && reply.complete,
        format!("{what}: {told:?}"),
    )?;
    let heard = somebody.heard();
    let leaked = [&b"/cases/1"[..], b"HTTP/1.1", b"Bearer"];
    ensure(
        leaked.iter().all(|part| find(&heard, part).is_none()),
        format!("{what}: was sent the request"),
    )
}

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// B-410: another authority's certificate, another name's, one that has expired or is not valid yet, one signed by itself,
/// and no TLS at all.
pub(super) async fn who_is_not_the_upstream() -> Result {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let genuine = Somebody::at(ANY, Some(ours.sign("localhost"))).await;
    served(&stage(&ours, genuine.address).await).await?;
    ensure(
        !genuine.heard().is_empty(),
        "control: the upstream was asked",
    )?;
    let itself = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("one");
    let itself = (itself.cert.pem(), itself.signing_key.serialize_pem());
    for (what, certificate) in [
        (
            "another authority's certificate",
            Some(theirs.sign("localhost")),
        ),
        (
            "another name's certificate",
            Some(ours.sign("other.example")),
        ),
        (
            "an expired certificate",
            Some(ours.sign_for("localhost", (2001, 2002))),
        ),
        (
            "a certificate of the future",
            Some(ours.sign_for("localhost", (2901, 2902))),
        ),
        ("a certificate signed by itself", Some(itself)),
        ("no TLS", None),
    ] {
        let somebody = Somebody::at(ANY, certificate).await;
        let stage = stage(&ours, somebody.address).await;
        refused(&stage, what, &somebody).await?;
    }
    Ok("blocked")
}

/// B-411: the upstream's name leads to somebody else, while connections are pooled.
pub(super) async fn an_address_that_changes_hands() -> Result {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let genuine = Somebody::at(ANY, Some(ours.sign("localhost"))).await;
    let address = genuine.address;
    let stage = stage(&ours, address).await;
    served(&stage).await?;
    gone(genuine).await;
    for (what, certificate) in [
        (
            "somebody with another authority",
            Some(theirs.sign("localhost")),
        ),
        (
            "somebody with another name",
            Some(ours.sign("attacker.example")),
        ),
        ("somebody without TLS", None),
    ] {
        let somebody = Somebody::at(address, certificate).await;
        for _ in 0..3 {
            refused(&stage, what, &somebody).await?;
        }
        gone(somebody).await;
    }
    let back = Somebody::at(address, Some(ours.sign("localhost"))).await;
    served(&stage).await?;
    ensure(!back.heard().is_empty(), "control: the upstream is back")?;
    Ok("blocked")
}

/// Waits until nobody listens there any more.
async fn gone(somebody: Somebody) {
    let address = somebody.address;
    drop(somebody);
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
