//! Relays that keep every byte that they pass on, by connection: one before Postern, which ends TLS on both sides,
//! and one between Postern and the application.
//!
//! A byte is kept before it goes on, so whoever has received an answer finds it here. A relay goes on from the
//! address that its client came from, so that networks stay what they are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What went over one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection {
    /// What the client said.
    pub(super) up: Vec<u8>,
    /// What it was told.
    pub(super) down: Vec<u8>,
}

/// Where a relay leads.
#[derive(Clone)]
pub(super) enum Onward {
    /// Without TLS.
    Plain(SocketAddr),
    /// With TLS, to a server called `localhost`.
    Tls(SocketAddr, Arc<ClientConfig>),
}

/// A running relay. It ends when it is dropped.
pub(super) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    kept: Mutex<Vec<Arc<Mutex<Connection>>>>,
    onward: Mutex<Option<Onward>>,
    acceptor: Option<TlsAcceptor>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Relay {
    /// A relay without TLS.
    pub(super) async fn plain(onward: SocketAddr) -> Self {
        let relay = Self::start(None).await;
        relay.lead_to(Onward::Plain(onward));
        relay
    }

    /// A relay with TLS, HTTP/1.1 only, that leads nowhere yet; a certificate for `localhost` and its key, PEM.
    pub(super) async fn secure((cert, key): &(String, String)) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self::start(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            acceptor,
            ..Shared::default()
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    /// Where clients connect.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections there.
    pub(super) fn lead_to(&self, onward: Onward) {
        *self.shared.onward.lock().unwrap() = Some(onward);
    }

    /// Everything that has been kept.
    pub(super) fn kept(&self) -> Vec<Connection> {
        let kept = self.shared.kept.lock().unwrap();
        kept.iter().map(|one| one.lock().unwrap().clone()).collect()
    }

    /// Forgets connections whose clients have ended them.
    pub(super) fn forget(&self) {
        self.shared.kept.lock().unwrap().clear();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, peer)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client or a server that goes away ends its connection only.
            let _ended = relay(stream, peer.ip(), &shared).await;
        });
    }
}

async fn relay(stream: TcpStream, from: IpAddr, shared: &Shared) -> std::io::Result<()> {
    let client: Box<dyn Stream> = match &shared.acceptor {
        Some(acceptor) => Box::new(acceptor.accept(stream).await?),
        None => Box::new(stream),
    };
    let leads = shared.onward.lock().unwrap().clone();
    let server: Box<dyn Stream> = match leads.expect("somewhere to lead to") {
        Onward::Plain(address) => Box::new(connect(from, address).await?),
        Onward::Tls(address, config) => {
            let name = ServerName::try_from("localhost").unwrap();
            let stream = connect(from, address).await?;
            Box::new(TlsConnector::from(config).connect(name, stream).await?)
        }
    };
    let kept = Arc::<Mutex<Connection>>::default();
    shared.kept.lock().unwrap().push(Arc::clone(&kept));
    let (client_reads, client_writes) = split(client);
    let (server_reads, server_writes) = split(server);
    tokio::join!(
        pass(client_reads, server_writes, |bytes| {
            kept.lock().unwrap().up.extend_from_slice(bytes);
        }),
        pass(server_reads, client_writes, |bytes| {
            kept.lock().unwrap().down.extend_from_slice(bytes);
        }),
    );
    Ok(())
}

/// Connects from an address of this machine.
pub(super) async fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

async fn pass(
    mut reads: impl AsyncRead + Unpin,
    mut writes: impl AsyncWrite + Unpin,
    keep: impl Fn(&[u8]),
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = reads.read(&mut buffer).await {
        keep(&buffer[..length]);
        if writes.write_all(&buffer[..length]).await.is_err() {
            return;
        }
        // TLS keeps what is written until it is told to send it.
        if writes.flush().await.is_err() {
            return;
        }
    }
    let _closed = writes.shutdown().await;
}
