//! The admin listener: health, metrics, status, reload, quotas, sessions and the live view, on loopback and
//! on a thread of its own.
//!
//! It shares nothing with the data listener but the state it reports, so that it answers when the data
//! plane is overloaded, and nothing of it can be reached through the data listener. Health and metrics
//! are open; everything else needs the admin token. The `Host` header must name loopback, so that no
//! web page can reach it by rebinding a name. It shows counts, revisions and text about the policy
//! file, never data that passes.

mod audit;
mod guard;
mod health;
mod metrics;
mod on_record;
mod quotas;
mod routes;
mod server;
mod sessions;
mod tap;
mod token;
mod top;

use std::fmt;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::evidence::Evidence;
use crate::metering::QuotaKeeper;
use crate::metrics::Metrics;
use crate::policy_store::PolicyStore;
use crate::reload::PolicyReloader;
use crate::session::SessionKeeper;

pub use server::{AdminThread, serve, spawn};
pub use token::{AdminToken, TOKEN_FILE};

/// Why the admin listener cannot start. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The address is not on loopback.
    #[error("the admin address `{address}` is not on loopback; this build listens nowhere else")]
    NotLoopback {
        /// The address, as configured.
        address: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on the admin address `{address}`: {error}")]
    Listen {
        /// The address, as configured.
        address: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The token file cannot be read or made.
    #[error("the admin token `{path}`: {message}")]
    Token {
        /// The token file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The thread or its runtime cannot be started.
    #[error("cannot start the admin listener: {0}")]
    Thread(std::io::Error),
}

/// What the admin listener asks of the data plane.
pub trait Vitals: Send + Sync + fmt::Debug {
    /// Whether the process has begun to stop.
    fn is_draining(&self) -> bool;

    /// How many exchanges are running.
    fn in_flight(&self) -> u64;
}

/// What the admin listener shows and does.
#[derive(Debug, Clone)]
pub struct AdminState {
    /// The policy in force.
    pub store: Arc<PolicyStore>,
    /// Who reloads it.
    pub reloader: PolicyReloader,
    /// Who may ask for more than health.
    pub token: AdminToken,
    /// What is counted, and who watches.
    pub metrics: Arc<Metrics>,
    /// What may leave.
    pub quotas: Arc<QuotaKeeper>,
    /// Whose sessions run.
    pub sessions: Arc<SessionKeeper>,
    /// What is put on record.
    pub(crate) evidence: Evidence,
    /// The data plane.
    pub vitals: Arc<dyn Vitals>,
    /// Where clients connect.
    pub listen: Vec<String>,
    /// The policy file.
    pub policy: PathBuf,
}

/// Binds the admin address, `host:port`, or goes on listening where another process did.
///
/// # Errors
/// It is not on loopback, or cannot be listened on.
pub fn bind(address: &str, inherited: Option<OwnedFd>) -> Result<TcpListener, AdminError> {
    let failed = |error| AdminError::Listen {
        address: address.to_owned(),
        error,
    };
    let resolved: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.collect();
    if resolved.is_empty() || !resolved.iter().all(|address| address.ip().is_loopback()) {
        return Err(AdminError::NotLoopback {
            address: address.to_owned(),
        });
    }
    match inherited.map(TcpListener::from) {
        Some(listener) => listener.local_addr().map_err(failed).map(|_here| listener),
        None => TcpListener::bind(resolved.as_slice()).map_err(failed),
    }
}

#[cfg(test)]
mod tests;
