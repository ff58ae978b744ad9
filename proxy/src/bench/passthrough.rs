//! A bare pingora proxy: what Postern would cost if it did nothing.
//!
//! It has one filter, the one that pingora asks for: where the upstream is. Everything else is pingora as it comes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::ServerApp as _;
use pingora::protocols::Stream;
use pingora::protocols::l4::stream::Stream as L4Stream;
use pingora::proxy::{ProxyHttp, Session, http_proxy};
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::running;

/// The proxy's one filter.
struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut Self::CTX,
    ) -> pingora::Result<Box<HttpPeer>> {
        let Self(upstream) = *self;
        Ok(Box::new(HttpPeer::new(upstream, false, String::new())))
    }
}

/// Passes everything that comes to `address` on to `upstream` until whoever started this process is gone. `tell` hears the address once.
///
/// # Errors
/// No port can be listened on.
pub(crate) async fn serve(
    upstream: SocketAddr,
    address: SocketAddr,
    tell: impl FnOnce(String),
) -> io::Result<()> {
    let proxy = Arc::new(http_proxy(&Arc::new(ServerConf::default()), Bare(upstream)));
    let listener = TcpListener::bind(address).await?;
    tell(listener.local_addr()?.to_string());
    let (_running, stop) = watch::channel(false);
    let accept = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            stream.set_nodelay(true).unwrap_or_default();
            let (proxy, stop) = (Arc::clone(&proxy), stop.clone());
            tokio::spawn(async move {
                let stream: Stream = Box::new(L4Stream::from(stream));
                proxy.process_new(stream, &stop).await;
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = running::abandoned() => {}
    }
    Ok(())
}
