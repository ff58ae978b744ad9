//! What a start makes of the sessions' part of the server file.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use postern_config::Server;
use postern_config::sessions::Binding;

use super::{StartError, quota_store};
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::load::{self, LoadError};
use crate::metrics::Metrics;
use crate::policy_store::PolicyStore;
use crate::quota::StoreAddress;
use crate::session::{KeepError, ServerKeys, SessionKeeper, SessionPlace};

/// The file in the state folder that holds the key of sessions, where the server file names none.
pub(super) const KEY_FILE: &str = "session.key";
/// The time, and who is told what happens.
type Told<'t> = (&'t Arc<dyn Clock>, &'t Arc<Metrics>, &'t Evidence);

/// The shortest secret that may keep sessions, in bytes.
pub(super) const SECRET_BYTES_MIN: usize = 32;

/// The sessions that the server file describes, opened when the policy has some.
///
/// # Errors
/// A password or a key cannot be read, or the store cannot be opened.
pub(super) async fn ready(
    server: &Server,
    base: &Path,
    listening: Option<SocketAddr>,
    (told, store): (Told<'_>, &PolicyStore),
) -> Result<Arc<SessionKeeper>, StartError> {
    let keeper = keeper(server, base, listening, told)?;
    open_if_needed(&keeper, store).await?;
    if server.listen.hosts.is_empty() && names_origins(store) {
        tracing::warn!(
            "clients prove their sessions by `dpop` or `dbsc` for the address that is listened on, since \
             `listen.hosts` names no host: name there, with its port, where clients find this"
        );
    }
    Ok(keeper)
}

/// The keeper of the sessions that the server file describes.
///
/// # Errors
/// A password or a key cannot be read, or is too short.
fn keeper(
    server: &Server,
    base: &Path,
    listening: Option<SocketAddr>,
    (clock, metrics, evidence): Told<'_>,
) -> Result<Arc<SessionKeeper>, LoadError> {
    let place = SessionPlace {
        origins: origins(server, listening),
        store: match quota_store(server, base)? {
            StoreAddress::Embedded(path) => StoreAddress::Embedded(beside(&path)),
            shared @ StoreAddress::Shared(_) => shared,
        },
        keys: match keys(server, base)? {
            Some(keys) => Ok(keys),
            None => Err(base.join(&server.state).join(KEY_FILE)),
        },
    };
    Ok(Arc::new(SessionKeeper::new(
        place,
        Arc::clone(clock),
        Arc::clone(metrics),
        evidence.clone(),
    )))
}

/// Opens the sessions' store when the policy has sessions.
async fn open_if_needed(sessions: &SessionKeeper, store: &PolicyStore) -> Result<(), KeepError> {
    if let Some(terms) = &store.snapshot().sessions {
        sessions.open(&terms.sessions).await?;
    }
    Ok(())
}

/// Whether clients sign where they found us.
fn names_origins(store: &PolicyStore) -> bool {
    let snapshot = store.snapshot();
    let terms = snapshot.sessions.as_ref();
    terms.is_some_and(|terms| {
        let mut bindings = terms.sessions.bind.iter();
        bindings.any(|binding| matches!(binding, Binding::Dpop | Binding::Dbsc))
    })
}

/// Where clients find us: at the hosts that are served, over TLS, and without it where it is not we who speak TLS;
/// a host without a port is served at every port, so that the one that is listened on is ours too. Where no host is
/// named, at the address that is listened on.
fn origins(server: &Server, listening: Option<SocketAddr>) -> Vec<String> {
    let listen = &server.listen;
    let schemes: &[&str] = match listen.tls {
        Some(_) => &["https"],
        None => &["https", "http"],
    };
    let port = listening.map(|address| address.port());
    let unnamed = || {
        let address = listening.map(|address| address.to_string());
        let local = port.map(|port| format!("localhost:{port}"));
        address.into_iter().chain(local).collect()
    };
    let at_port = |host: &String| match (port, names_port(host)) {
        (Some(port), false) => vec![host.clone(), format!("{host}:{port}")],
        (Some(_) | None, _) => vec![host.clone()],
    };
    let hosts: Vec<String> = match listen.hosts.is_empty() {
        true => unnamed(),
        false => listen.hosts.iter().flat_map(at_port).collect(),
    };
    let of_host = |host: &String| {
        let origin = |scheme: &&str| format!("{scheme}://{host}");
        schemes.iter().map(origin).collect::<Vec<_>>()
    };
    hosts.iter().flat_map(of_host).collect()
}

/// Whether a host of the server file is written with its port; an IPv6 address is in brackets.
fn names_port(host: &str) -> bool {
    host.rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'))
}

/// The file beside the quotas' own: `postern.redb` has `postern-sessions.redb` beside it.
pub(super) fn beside(quotas: &Path) -> std::path::PathBuf {
    let stem = quotas.file_stem().unwrap_or_default().to_string_lossy();
    quotas.with_file_name(format!("{stem}-sessions.redb"))
}

/// The keys that the server file names, the newest first.
fn keys(server: &Server, base: &Path) -> Result<Option<ServerKeys>, LoadError> {
    let mut keys: Option<ServerKeys> = None;
    for key in &server.session_keys {
        let secret = load::secret_of(key, base, SECRET_BYTES_MIN)?;
        keys = Some(match keys {
            None => ServerKeys::of_secret(&secret),
            Some(keys) => keys.and_older_secret(&secret),
        });
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins_of(listen: &str, listening: Option<&str>) -> Vec<String> {
        let text = format!("listen: {listen}\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\n");
        let server = Server::parse("postern.yaml", &text)
            .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
        origins(&server, listening.map(|address| address.parse().unwrap()))
    }

    #[test]
    fn a_host_without_a_port_is_found_at_the_one_that_is_listened_on() {
        let listen = "{ address: \"127.0.0.1:0\", hosts: [desk.example, \"other.example:444\", \"[::1]\"], \
             tls: { cert: \"file:c\", key: \"file:k\" } }";
        assert_eq!(
            origins_of(listen, Some("127.0.0.1:8443")),
            [
                "https://desk.example",
                "https://desk.example:8443",
                "https://other.example:444",
                "https://[::1]",
                "https://[::1]:8443",
            ]
        );
        let nowhere = origins_of("{ address: \"127.0.0.1:0\", hosts: [desk.example] }", None);
        assert_eq!(nowhere, ["https://desk.example", "http://desk.example"]);
    }
}
