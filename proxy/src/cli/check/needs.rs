//! What a policy and a server file need besides themselves: key files, secrets, certificates, folders, an upstream.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postern_config::identity::{IdentityRule, KeySource};
use postern_config::{Policy, Server};

use crate::cli::findings::Finding;
use crate::clock::SystemClock;
use crate::load::LoadedPolicy;
use crate::start;

/// How long an upstream may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// What of a server file would keep `run` from starting with this policy.
pub(super) fn start(
    server: &Server,
    base: &Path,
    policy: Option<&Policy>,
    file: &str,
) -> Vec<Finding> {
    let hindrances = start::hindrances(server, base, policy);
    hindrances
        .into_iter()
        .map(|hindrance| Finding::of_file(file, hindrance.to_string()))
        .collect()
}

/// Why nobody could be recognised by a policy: its key file is not there, or holds no usable key. Keys
/// behind a URL are not asked for.
pub(super) fn identity_keys(loaded: LoadedPolicy) -> Option<Finding> {
    if loaded.compiled.policy().is_some_and(asks_a_url) {
        return None;
    }
    let file = loaded.source.path.display().to_string();
    let error = loaded.snapshot(Arc::new(SystemClock), None).err()?;
    let message = format!("`identity`: {error}; `--offline` checks without keys");
    Some(Finding::of_file(&file, message))
}

fn asks_a_url(policy: &Policy) -> bool {
    match &policy.identity {
        IdentityRule::Jwt(rule) => match rule.keys {
            KeySource::Url(_) => true,
            KeySource::Reference(_) => false,
        },
        IdentityRule::Mtls(_) | IdentityRule::Header(_) | IdentityRule::Session(_) => false,
    }
}

/// Why the upstream accepts no connection.
pub(super) fn upstream(server: &Server, file: &str) -> Option<Finding> {
    let url = &server.upstream.url;
    let reason = match connect(url) {
        Ok(()) => return None,
        Err(reason) => reason,
    };
    let message = format!("the upstream `{url}` cannot be reached: {reason}");
    Some(Finding::of_file(file, message))
}

fn connect(url: &str) -> Result<(), String> {
    let uri: http::Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| error.to_string())?;
    let host = uri.host().ok_or("it names no host")?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("https")) => 443,
        (None, _) => 80,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| error.to_string())?;
    let mut reason = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_connection) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}
