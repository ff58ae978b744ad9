//! Policies and folders for the tests of this crate.

use std::path::{Path, PathBuf};

use postern_filters::{EngineLimits, PseudonymKeys};

use crate::load::{LoadError, LoadedPolicy, load_policy};

/// An identity that needs no keys.
pub(crate) const HEADER: &str = "{ from: header, subject: X-Subject, roles: X-Roles, \
    trusted: [unix, 127.0.0.1/32], without_a_role: deny }";

/// An identity whose keys are a file beside the policy.
pub(crate) const KEY_FILE: &str = "{ from: jwt, issuer: https://idp.example.com, \
    audience: case-api, keys: file:jwks.json, subject: $.sub, roles: '$.groups[*]', without_a_role: deny }";

/// A small policy. Its last line is needed, so that none of its beginnings is a policy.
pub(crate) fn policy(name: &str, identity: &str) -> String {
    format!(
        "policy: v1\nname: {name}\nidentity: {identity}\n\
         labels: {{ secret: Secrets }}\nunlabelled: show\n\
         routes:\n  everything_else: {{ match: 'ANY /{{path...}}', deny: true }}\n\
         roles:\n  agent: {{ sees: {{ secret: remove }} }}\n"
    )
}

/// Writes a policy file the way editors do: whole, under another name, then renamed.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.new")));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, &path).unwrap();
    path
}

pub(crate) fn key_set() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/keys/jwks.json");
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn limits() -> EngineLimits {
    EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    }
}

pub(crate) fn load(path: &Path) -> Result<LoadedPolicy, LoadError> {
    load_policy(path, PseudonymKeys::for_offline_use(), limits())
}
