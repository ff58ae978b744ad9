//! Starts Postern in the current process, and stops it: used by `postern run` and by tests alike.
//!
//! Everything that can be wrong is found before the first connection is accepted. Signals are not
//! handled here; whoever starts Postern decides when it stops.

mod quotas;
mod rehearsal;
mod running;
mod sessions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::uri::Authority;
use postern_audit::{Disk, OnDamage};
use postern_config::Server;
use postern_config::server::Limits;
use postern_filters::EngineLimits;

use crate::admin::{self, AdminError, AdminState, AdminToken};
use crate::clock::{AnchoredClock, Clock};
use crate::evidence::{Evidence, EvidenceError, Opening};
use crate::forward::Upstream;
use crate::hygiene::{HeadLimits, HostRule};
use crate::lifecycle::Lifecycle;
use crate::listener::{Listener, TlsFiles};
use crate::load::{self, LoadError};
use crate::metrics::{Live, Metrics};
use crate::policy_signature::{self, PolicySigners};
use crate::policy_store::PolicyStore;
use crate::quota::OpenError;
use crate::reload::{PolicyReloader, ReloadOptions};
use crate::service::Service;
use crate::session::KeepError;
use crate::telemetry::{Served, Telemetry, TelemetryError};
use crate::upgrade::Inherited;

pub(crate) use quotas::quota_store;
use quotas::{open_if_needed, quota_keeper};
pub(crate) use rehearsal::hindrances;
pub use running::Running;
use running::{Accepting, Heritage};

/// What a start needs.
#[derive(Debug)]
pub struct StartOptions {
    /// The server file.
    pub server: Server,
    /// Where relative paths of the server file start from.
    pub base: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is done about an audit log that is damaged or was rolled back.
    pub on_damage: OnDamage,
    /// Where the audit log's files are, if not on the disk of its folder: tests let its calls fail.
    pub audit_disk: Option<Arc<dyn Disk>>,
    /// What is exported over OTLP.
    pub telemetry: Telemetry,
    /// The sockets of the process that this one takes the place of.
    pub inherited: Option<Inherited>,
}

/// Why Postern cannot start. The operator, or the policy's author, must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The policy, a key or a secret cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The data address cannot be listened on.
    #[error("cannot listen on `{address}`: {error}")]
    Listen {
        /// The address, as configured.
        address: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// A certificate or a key is of no use.
    #[error("`{field}`: {message}")]
    Tls {
        /// The field of the server file.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// What the server file says about the upstream is of no use.
    #[error("`upstream`: {message}")]
    Upstream {
        /// What is wrong, and what to do.
        message: &'static str,
    },
    /// The admin listener cannot start.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The store of the quotas cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Sessions cannot be kept.
    #[error(transparent)]
    Sessions(#[from] KeepError),
    /// The audit log cannot be opened.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Telemetry cannot be exported as the variables say.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// Two metrics have one name: a fault of ours.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
}

impl StartError {
    /// The text for people: every error of a policy with its place in the file, one line for the rest.
    /// `color` marks the parts for a terminal.
    #[must_use]
    pub fn report(&self, color: bool) -> String {
        match self {
            Self::Load(error) => error.report(color),
            Self::Listen { .. }
            | Self::Tls { .. }
            | Self::Upstream { .. }
            | Self::Admin(_)
            | Self::Store(_)
            | Self::Sessions(_)
            | Self::Evidence(_)
            | Self::Telemetry(_)
            | Self::Metrics(_) => format!("error: {self}\n"),
        }
    }
}

/// Postern itself.
#[derive(Debug, Clone, Copy)]
pub struct Postern;

impl Postern {
    /// Whether the files are of use that a start reads which takes its sockets over, and those that it makes could be
    /// made; nothing is changed, and stores, sockets and the network are left alone.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn check(server: &Server, base: &Path) -> Result<(), StartError> {
        let keys = load::pseudonym_keys(server, base)?;
        let loaded = load::load_policy(
            &base.join(&server.policy),
            keys,
            engine_limits(&server.limits),
        )?;
        let judged = policy_signature::judged(server, base, loaded)?;
        let hindrances = rehearsal::hindrances_of_heir(server, base, judged.compiled.policy());
        let first = hindrances.into_iter().next();
        first.map_or(Ok(()), |hindrance| Err(hindrance.error))
    }

    /// Starts Postern on the current Tokio runtime; clients can connect when this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(mut options: StartOptions) -> Result<Running, StartError> {
        let (data_socket, admin_socket) = Inherited::parts(options.inherited.take());
        let metrics = Arc::new(Metrics::new()?);
        let lifecycle = Arc::new(Lifecycle::new(&options.server.limits));
        let store = Arc::new(PolicyStore::deny_all());
        let (server, base) = (&options.server, &options.base);
        let upstream = Upstream::new(&server.upstream, base, Arc::clone(&options.clock))?;
        let listener = Listener::bind(&server.listen, base, &server.limits, data_socket)?;
        let token = AdminToken::read_or_make(&base.join(&server.state))?;
        let evidence = evidence(&options, &metrics).await?;
        let (server, base) = (options.server, options.base);
        // Only the audit log says what the system's clock said, wrong or not.
        let clock: Arc<dyn Clock> = Arc::new(AnchoredClock::new(options.clock));
        live(&store, &lifecycle, &evidence).register(metrics.registry())?;
        let (counted, served) = ((&metrics, &store), served(&server, &listener));
        let exporting = options.telemetry.start(counted, &evidence, served)?;
        let told = (&clock, &metrics, &evidence);
        let quotas = quota_keeper(&server, &base, told)?;
        let (files, recording) = ((&server, &base), (&clock, &evidence));
        let reloader = reloader(files, recording, &store, listener.tls())?;
        open_if_needed(&quotas, &store).await?;
        let listening = listener.socket().address();
        let sessions = sessions::ready(&server, &base, listening, (told, &store)).await?;
        let (listen, address) = (listener.socket().shown(), listener.socket().address());
        let service = Arc::new(Service {
            store: Arc::clone(&store),
            lifecycle: Arc::clone(&lifecycle),
            metrics,
            quotas: Arc::clone(&quotas),
            sessions: Arc::clone(&sessions),
            evidence: evidence.clone(),
            tracer: exporting.tracer(),
            clock,
            upstream,
            head_limits: HeadLimits::of(&server.limits),
            request_body_max: u64::try_from(server.limits.request_body).unwrap_or(u64::MAX),
            hosts: HostRule::new(&server.listen.hosts),
        });
        let shown = (listen.clone(), base.join(&server.policy));
        let state = admin_state(&service, &reloader, token, shown);
        let admin_listener = admin::bind(&server.admin, admin_socket)?;
        let heritage = Heritage::of((&listener, &admin_listener), &server, &base);
        let admin = admin::spawn(admin_listener, state)?;
        let accepting = Accepting::new(tokio::spawn(listener.run(service)), &lifecycle);
        tracing::info!(%listen, revision = %store.snapshot().compiled.revision(), "postern is ready");
        Ok(Running {
            server,
            store,
            reloader,
            lifecycle,
            quotas,
            sessions,
            evidence,
            exporting,
            admin,
            accepting,
            heritage,
            address,
            listen,
        })
    }
}

/// What the admin listener shows and does: what exchanges share, where clients connect and the policy file.
fn admin_state(
    service: &Service,
    reloader: &PolicyReloader,
    token: AdminToken,
    (listen, policy): (String, PathBuf),
) -> AdminState {
    AdminState {
        store: Arc::clone(&service.store),
        reloader: reloader.clone(),
        token,
        metrics: Arc::clone(&service.metrics),
        quotas: Arc::clone(&service.quotas),
        sessions: Arc::clone(&service.sessions),
        evidence: service.evidence.clone(),
        vitals: Arc::clone(&service.lifecycle) as Arc<dyn admin::Vitals>,
        listen: vec![listen],
        policy,
    }
}

/// What metrics show of what others count.
fn live(store: &Arc<PolicyStore>, lifecycle: &Arc<Lifecycle>, evidence: &Evidence) -> Live {
    Live {
        store: Arc::clone(store),
        vitals: Arc::clone(lifecycle) as Arc<dyn admin::Vitals>,
        evidence: evidence.watched(),
    }
}

/// Opens the audit log.
async fn evidence(options: &StartOptions, metrics: &Metrics) -> Result<Evidence, EvidenceError> {
    let clock = Arc::clone(&options.clock);
    let Some(audit) = &options.server.audit else {
        tracing::warn!(
            "no audit log is kept (`audit: off`): nobody can say afterwards who saw what"
        );
        return Ok(Evidence::off(clock));
    };
    let opening = Opening {
        audit,
        on_damage: options.on_damage,
        base: &options.base,
        state: &options.base.join(&options.server.state),
        clock,
        disk: options.audit_disk.clone(),
    };
    Evidence::start(opening, metrics.registry()).await
}

/// Loads the policy that the server file names, and reloads it from now on.
fn reloader(
    (server, base): (&Server, &PathBuf),
    (clock, evidence): (&Arc<dyn Clock>, &Evidence),
    store: &Arc<PolicyStore>,
    tls: Option<&Arc<TlsFiles>>,
) -> Result<PolicyReloader, StartError> {
    let options = ReloadOptions {
        policy: base.join(&server.policy),
        keys: load::pseudonym_keys(server, base)?,
        limits: engine_limits(&server.limits),
        signers: PolicySigners::of(server, base)?,
        tls: tls.cloned(),
        clock: Arc::clone(clock),
        evidence: evidence.clone(),
    };
    Ok(PolicyReloader::start(options, Arc::clone(store))?)
}

/// Where clients connect, for telemetry: by the name that is served if there is one.
fn served(server: &Server, listener: &Listener) -> Served {
    let address = listener.socket().address();
    let shown = || match address {
        Some(address) => address.ip().to_string(),
        None => listener.socket().shown(),
    };
    let named: Option<Authority> = server
        .listen
        .hosts
        .first()
        .and_then(|host| host.parse().ok());
    let port = named.as_ref().and_then(Authority::port_u16);
    Served {
        address: named.map_or_else(shown, |named| named.host().to_owned()),
        port: port.or_else(|| address.map(|address| address.port())),
    }
}

/// The engine's limits among those of a server file.
#[must_use]
pub const fn engine_limits(limits: &Limits) -> EngineLimits {
    EngineLimits {
        json_depth: limits.json_depth,
        held_bytes: limits.held_bytes,
        expand_ratio: limits.expand_ratio,
    }
}
