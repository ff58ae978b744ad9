//! The legacy application: its address, its connections and what Postern presents to it.
//!
//! HTTP/1.1 only, over TCP or TLS. Names are resolved without blocking and looked up again after a
//! while. Connections are pooled by pingora, which drops one that says something out of turn.

use std::fmt::Display;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, StatusCode};
use pingora::connectors::{ConnectorOptions, TransportConnector};
use pingora::protocols::http::v1::client::HttpSession;
use pingora::upstreams::peer::{HttpPeer, Peer};
use postern_config::secret::Reference;
use postern_config::server;

use super::pointers;
use super::reachability::{Reachability, why_not};
use crate::clock::Clock;
use crate::load;
use crate::respond::Problem;
use crate::start::StartError;
use crate::telemetry::{Call, Target};

/// How long the addresses of a name are used before it is looked up again.
const NAME_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a pooled connection may be idle.
const IDLE_TIME_MAX: Duration = Duration::from_secs(55);

/// The legacy application.
pub(crate) struct Upstream {
    connector: TransportConnector,
    host: String,
    port: u16,
    tls: bool,
    authority: HeaderValue,
    credential: Option<HeaderValue>,
    connect_time: Duration,
    read_time: Duration,
    write_time: Duration,
    clock: Arc<dyn Clock>,
    resolved: Mutex<Option<Resolved>>,
    target: Target,
    reachability: Reachability,
}

/// Where the name leads to.
struct Resolved {
    at: Instant,
    peers: Arc<[KnownPeer]>,
}

/// One address as pingora wants it, with the key of its connections in the pool.
struct KnownPeer {
    peer: HttpPeer,
    pool_key: u64,
}

/// One connection to the upstream, for one exchange.
pub(super) struct Lease {
    /// The HTTP/1.1 client side of it. PERF: in a box, since a lease is handed on several times (`postern bench`).
    pub session: Box<HttpSession>,
    /// Whether another exchange used it before.
    pub reused: bool,
    pool_key: u64,
    /// What it is used for, as telemetry.
    pub call: Option<Box<Call>>,
}

impl Upstream {
    /// Reads what the server file says about the upstream. No connection is made.
    ///
    /// # Errors
    /// The URL, the CA or the credential is of no use.
    pub(crate) fn new(
        upstream: &server::Upstream,
        base: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let uri: http::Uri = upstream
            .url
            .parse()
            .map_err(|_error| wrong("the URL is not `http://host:port` or `https://host:port`"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => return Err(wrong("the URL's scheme is neither http nor https")),
        };
        let authority = uri
            .authority()
            .ok_or_else(|| wrong("the URL names no host"))?;
        let credential = match &upstream.credential {
            None => None,
            Some(reference) => Some(secret_value(reference, base)?),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let target = Target {
            address: Arc::from(host.as_str()),
            port,
            secure: tls,
        };
        Ok(Self {
            connector: connector(upstream, base)?,
            target,
            host,
            port,
            tls,
            authority: HeaderValue::from_str(authority.as_str())
                .map_err(|_error| wrong("the URL's host is not a header value"))?,
            credential,
            connect_time: upstream.connect_timeout,
            read_time: upstream.read_timeout,
            write_time: upstream.write_timeout,
            clock,
            resolved: Mutex::default(),
            reachability: Reachability::default(),
        })
    }

    /// Everything that keeps what the server file says about the upstream from being used, each with the key that it
    /// is about. No connection is made.
    pub(crate) fn faults(
        upstream: &server::Upstream,
        base: &Path,
        clock: Arc<dyn Clock>,
    ) -> Vec<(&'static str, StartError)> {
        let mut rest = upstream.clone();
        let credential = rest.credential.take();
        let credential = credential.and_then(|secret| secret_value(&secret, base).err());
        let credential = credential.map(|error| ("upstream.credential", error));
        let rest = Self::new(&rest, base, clock).err();
        let rest = rest.map(|error| ("upstream.ca", error));
        credential.into_iter().chain(rest).collect()
    }

    /// The value of `Host` that the upstream sees.
    pub(super) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Its name or address, without a port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Who it is, for telemetry.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Takes the upstream's own authority out of where an answer points to, so that the client comes
    /// back to Postern. A pointer to anywhere else stays as it is.
    pub(super) fn localise(&self, headers: &mut HeaderMap) {
        pointers::localise(headers, &self.authority);
    }

    /// The value of `Authorization` that Postern presents.
    pub(super) fn credential(&self) -> Option<&HeaderValue> {
        self.credential.as_ref()
    }

    /// How long the upstream may say nothing, or too little.
    pub(super) fn read_time(&self) -> Duration {
        self.read_time
    }

    /// A connection: a pooled one when `fresh` is false and there is one, else a new one.
    ///
    /// # Errors
    /// The upstream cannot be reached, or not in time.
    pub(super) async fn lease(&self, fresh: bool) -> Result<Lease, Problem> {
        // PERF: a connection that is there needs no timer, and no room for making one (decision 0052).
        if let Some(peers) = self.known().filter(|_| !fresh)
            && let Some(lease) = self.pooled(&peers).await
        {
            return Ok(lease);
        }
        let leasing = Box::pin(self.try_addresses(fresh));
        match tokio::time::timeout(self.connect_time, leasing).await {
            Ok(leased) => leased,
            Err(_elapsed) => {
                self.failed(&"it did not take a connection in time");
                Err(Problem::UpstreamTimeout)
            }
        }
    }

    /// Tries a connection as an exchange would make one, with the handshake of TLS, and sends nothing.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn try_out(&self) -> Result<(), String> {
        let trying = async {
            let peers = self.look_up().await.map_err(|error| error.to_string())?;
            self.first_of(&peers).await.map(drop)
        };
        let tried = tokio::time::timeout(self.connect_time, trying).await;
        tried.unwrap_or_else(|_elapsed| Err("it did not take a connection in time".to_owned()))
    }

    /// No connection could be made.
    fn failed(&self, why: &dyn Display) {
        let now = self.clock.monotonic();
        self.reachability.failed(now, &self.target, why);
    }

    /// Gives a connection back, if what was said on it ended soundly.
    pub(super) async fn give_back(&self, mut lease: Lease) {
        lease.session.respect_keepalive();
        if let Some(stream) = lease.session.reuse().await {
            self.connector
                .release_stream(stream, lease.pool_key, Some(IDLE_TIME_MAX));
        }
    }

    async fn try_addresses(&self, fresh: bool) -> Result<Lease, Problem> {
        if let Some(peers) = self.known() {
            return self.connect(&peers).await;
        }
        let peers = self.resolve().await?;
        if !fresh && let Some(lease) = self.pooled(&peers).await {
            return Ok(lease);
        }
        self.connect(&peers).await
    }

    /// A connection to one of these addresses that waits to be used again.
    async fn pooled(&self, peers: &[KnownPeer]) -> Option<Lease> {
        for known in peers {
            if let Some(stream) = self.connector.reused_stream(&known.peer).await {
                return Some(self.leased(stream, known, true));
            }
        }
        None
    }

    /// A new connection, to the first address that takes one.
    async fn connect(&self, peers: &[KnownPeer]) -> Result<Lease, Problem> {
        match self.first_of(peers).await {
            Ok(lease) => {
                self.reachability.connected(&self.target);
                Ok(lease)
            }
            Err(why) => {
                self.failed(&why);
                self.forget_addresses();
                Err(Problem::UpstreamUnavailable)
            }
        }
    }

    /// The same, or why there is none.
    async fn first_of(&self, peers: &[KnownPeer]) -> Result<Lease, String> {
        let mut why = "its name leads to no address".to_owned();
        for known in peers {
            match self.connector.new_stream(&known.peer).await {
                Ok(stream) => return Ok(self.leased(stream, known, false)),
                Err(error) => why = why_not(&error),
            }
        }
        Err(why)
    }

    fn leased(&self, stream: pingora::protocols::Stream, known: &KnownPeer, reused: bool) -> Lease {
        let mut session = HttpSession::new_with_options(stream, &known.peer);
        session.read_timeout = Some(self.read_time);
        session.write_timeout = Some(self.write_time);
        Lease {
            session: Box::new(session),
            reused,
            pool_key: known.pool_key,
            call: None,
        }
    }

    fn peer(&self, address: SocketAddr) -> KnownPeer {
        let mut peer = HttpPeer::new(address, self.tls, self.host.clone());
        peer.options.connection_timeout = Some(self.connect_time);
        peer.options.total_connection_timeout = Some(self.connect_time);
        peer.options.read_timeout = Some(self.read_time);
        peer.options.write_timeout = Some(self.write_time);
        peer.options.idle_timeout = Some(IDLE_TIME_MAX);
        let pool_key = peer.reuse_hash();
        KnownPeer { peer, pool_key }
    }

    /// Looks the name up.
    async fn resolve(&self) -> Result<Arc<[KnownPeer]>, Problem> {
        let at = self.clock.monotonic();
        let peers = self.look_up().await.map_err(|error| {
            self.failed(&error);
            Problem::UpstreamUnavailable
        })?;
        let resolved = Resolved {
            at,
            peers: Arc::clone(&peers),
        };
        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = Some(resolved);
        Ok(peers)
    }

    async fn look_up(&self) -> std::io::Result<Arc<[KnownPeer]>> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await?;
        Ok(found.map(|address| self.peer(address)).collect())
    }

    /// What the name led to a moment ago.
    fn known(&self) -> Option<Arc<[KnownPeer]>> {
        let now = self.clock.monotonic();
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        let resolved = resolved.as_ref()?;
        let age = now.saturating_duration_since(resolved.at);
        (age < NAME_TIME_MAX).then(|| Arc::clone(&resolved.peers))
    }

    fn forget_addresses(&self) {
        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Lease {
    /// The head of the answer has come.
    pub(super) fn answered(&mut self, status: StatusCode) {
        if let Some(call) = &mut self.call {
            call.answered(status);
        }
    }

    /// The upstream has failed, in one of the fixed words of `send::kind`.
    pub(super) fn failed(&mut self, kind: Option<&'static str>) {
        if let (Some(call), Some(kind)) = (&mut self.call, kind) {
            call.failed(kind);
        }
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

/// pingora panics when it finds no CA certificates at all, even where none is needed; that becomes an
/// error here.
fn connector(upstream: &server::Upstream, base: &Path) -> Result<TransportConnector, StartError> {
    let mut options = ConnectorOptions::new(upstream.pool);
    options.ca_file = match &upstream.ca {
        None => None,
        Some(Reference::File(path)) => {
            // Read here too, so that what is wrong with it is said well.
            let field = "upstream.ca";
            crate::listener::certificates(&Reference::File(path.clone()), base, field)?;
            Some(base.join(path).display().to_string())
        }
        Some(Reference::Env(_)) => return Err(wrong("`ca` must be `file:PATH` in this build")),
    };
    let made =
        std::panic::catch_unwind(AssertUnwindSafe(|| TransportConnector::new(Some(options))));
    made.map_err(|_panic| {
        wrong(
            "no CA certificates were found; install the system's, or name them under `upstream.ca`",
        )
    })
}

fn secret_value(reference: &Reference, base: &Path) -> Result<HeaderValue, StartError> {
    let bytes = load::resolve(reference, base)?;
    let mut value = HeaderValue::from_bytes(load::without_line_break(&bytes))
        .map_err(|_error| wrong("the credential is not a header value"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn wrong(message: &'static str) -> StartError {
    StartError::Upstream { message }
}
