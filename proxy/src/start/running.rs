//! A Postern that runs, until it is stopped or another process takes its place.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use postern_config::Server;
use tokio::task::JoinHandle;

use crate::admin::AdminThread;
use crate::evidence::Evidence;
use crate::lifecycle::{Drained, Lifecycle};
use crate::listener::{Heirloom, Listener};
use crate::metering::QuotaKeeper;
use crate::policy_store::PolicyStore;
use crate::reload::PolicyReloader;
use crate::session::SessionKeeper;
use crate::telemetry::Exporting;
use crate::upgrade::{Addresses, Inherited, Successor, Successors};

/// The task that accepts connections. When this is dropped, everything ends at once.
#[derive(Debug)]
pub(super) struct Accepting {
    task: JoinHandle<()>,
    lifecycle: Arc<Lifecycle>,
}

impl Accepting {
    pub(super) fn new(task: JoinHandle<()>, lifecycle: &Arc<Lifecycle>) -> Self {
        let lifecycle = Arc::clone(lifecycle);
        Self { task, lifecycle }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.task.abort();
        self.lifecycle.cut_now();
    }
}

/// A running Postern. Dropping it cuts whatever runs without waiting; use [`Running::shutdown`] to stop
/// well.
#[derive(Debug)]
pub struct Running {
    pub(super) server: Server,
    pub(super) store: Arc<PolicyStore>,
    pub(super) reloader: PolicyReloader,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) quotas: Arc<QuotaKeeper>,
    /// Held until everything that runs in them has ended.
    pub(super) sessions: Arc<SessionKeeper>,
    pub(super) evidence: Evidence,
    pub(super) exporting: Exporting,
    pub(super) admin: AdminThread,
    pub(super) accepting: Accepting,
    pub(super) heritage: Option<Heritage>,
    pub(super) address: Option<SocketAddr>,
    pub(super) listen: String,
}

impl Running {
    /// Where clients connect. On a Unix socket there is no such address, and it is `0.0.0.0:0`.
    #[must_use]
    pub fn data_address(&self) -> SocketAddr {
        self.address
            .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
    }

    /// Where clients connect, for people: `host:port` or `unix:PATH`.
    #[must_use]
    pub fn listens_on(&self) -> &str {
        &self.listen
    }

    /// Where the admin listener is.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address()
    }

    /// The key with which it cosigns the audit logs of its peers; none when it has no peers.
    #[must_use]
    pub fn witness_key(&self) -> Option<String> {
        self.evidence.witness_key()
    }

    /// The policy in force.
    #[must_use]
    pub fn store(&self) -> Arc<PolicyStore> {
        Arc::clone(&self.store)
    }

    /// Who reloads the policy.
    #[must_use]
    pub fn reloader(&self) -> PolicyReloader {
        self.reloader.clone()
    }

    /// The processes that ask to take this one's place; none when they cannot, or somebody listens to them already.
    pub fn successors(&mut self) -> Option<Successors> {
        self.heritage.as_mut()?.successors.take()
    }

    /// Stops as [`Running::shutdown`] does, but goes on listening, and gives the sockets to the process that takes
    /// this one's place: whoever connects meanwhile waits.
    ///
    /// # Errors
    /// That process is gone.
    pub async fn hand_over(mut self, successor: Successor) -> std::io::Result<Drained> {
        let heritage = self.heritage.take();
        let drained = self.shutdown().await;
        let Some(heritage) = heritage else {
            return Ok(drained);
        };
        successor.give(&Inherited {
            listen: heritage.listen.leave(),
            admin: heritage.admin,
        })?;
        Ok(drained)
    }

    /// Stops: says that it is not ready any more, accepts nothing new, lets what runs finish within
    /// `drain` of the server file, and cuts the rest. When this returns, nothing of it runs any more.
    pub async fn shutdown(mut self) -> Drained {
        // Clients that would wait for nobody are refused at once.
        self.heritage = None;
        let drained = self.lifecycle.drain(self.server.drain).await;
        tracing::info!(?drained, "postern has stopped");
        let Self {
            admin,
            accepting,
            quotas,
            sessions,
            evidence,
            mut exporting,
            reloader,
            ..
        } = self;
        drop((accepting, reloader));
        quotas.close().await;
        drop((quotas, sessions));
        let stopped = tokio::task::spawn_blocking(move || admin.stop()).await;
        if stopped.is_err() {
            tracing::error!("the admin listener could not be stopped");
        }
        exporting.let_go_of_evidence().await;
        evidence.close().await;
        exporting.finish().await;
        drained
    }

    /// Done when the data listener has ended by itself, which it only does on a fault.
    pub async fn stopped(&mut self) {
        if let Err(error) = (&mut self.accepting.task).await {
            tracing::error!(panicked = error.is_panic(), "the data listener has ended");
        }
    }
}

/// What the process that comes next is given.
#[derive(Debug)]
pub(super) struct Heritage {
    listen: Heirloom,
    admin: OwnedFd,
    successors: Option<Successors>,
}

impl Heritage {
    /// What is listened on, and the socket at which a successor asks; none when there can be no successor.
    pub(super) fn of(
        (listener, admin): (&Listener, &TcpListener),
        server: &Server,
        base: &Path,
    ) -> Option<Self> {
        let made = || {
            let addresses = Addresses {
                listen: server.listen.address.clone(),
                admin: server.admin.clone(),
            };
            Ok(Self {
                listen: listener.heirloom()?,
                admin: admin.as_fd().try_clone_to_owned()?,
                successors: Some(Successors::listen(&base.join(&server.state), addresses)?),
            })
        };
        let made: std::io::Result<Self> = made();
        made.inspect_err(|error| {
            tracing::warn!(%error, "no other process can take over with `--upgrade`: nobody can ask in the state folder");
        })
        .ok()
    }
}
