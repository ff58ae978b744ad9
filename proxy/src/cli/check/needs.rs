//! What a policy and a server file need besides themselves: key files, secrets, certificates, folders.

use std::path::Path;
use std::sync::Arc;

use postern_config::identity::{IdentityRule, KeySource};
use postern_config::{Policy, Server};

use crate::cli::findings::Finding;
use crate::clock::SystemClock;
use crate::load::LoadedPolicy;
use crate::start;

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
    if loaded
        .compiled
        .policy()
        .is_some_and(|policy| key_url(policy).is_some())
    {
        return None;
    }
    let file = loaded.source.path.display().to_string();
    let error = loaded.snapshot(Arc::new(SystemClock), None).err()?;
    let message = format!("`identity`: {error}; `--offline` checks without keys");
    Some(Finding::of_file(&file, message))
}

/// Where a policy's keys are fetched; none when they are a file, or there are none.
pub(super) fn key_url(policy: &Policy) -> Option<&str> {
    match &policy.identity {
        IdentityRule::Jwt(rule) => match &rule.keys {
            KeySource::Url(url) => Some(url),
            KeySource::Reference(_) => None,
        },
        IdentityRule::Mtls(_) | IdentityRule::Header(_) | IdentityRule::Session(_) => None,
    }
}
