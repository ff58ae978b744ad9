//! What a start would stumble over, all at once: the same parts are read as at a start, and nothing is made, opened
//! for writing or asked.
//!
//! It cannot know whether an address is free, whether a server answers, or whether a store or an audit log that is
//! there is whole: that is found out by the start itself.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use postern_config::server::{AuditLog, KeyRef, StoreAddress};
use postern_config::{Policy, Server};
use rustix::fs::{Access, access};

use super::sessions::{SECRET_BYTES_MIN, beside};
use super::{StartError, quota_store};
use crate::admin::{AdminError, AdminToken, TOKEN_FILE};
use crate::clock::SystemClock;
use crate::evidence::{EvidenceError, anchor_faults};
use crate::forward::Upstream;
use crate::listener::Listener;
use crate::load::{self, PSEUDONYM_SECRET_BYTES_MIN};
use crate::quota::OpenError;
use crate::session::KeepError;

/// One thing that keeps Postern from starting.
#[derive(Debug)]
pub(crate) struct Hindrance {
    /// The key of the server file that it is about.
    key: &'static str,
    /// Which of the keys of a list.
    id: Option<String>,
    /// What the start would say.
    pub(crate) error: StartError,
}

/// What the start says, with the key of the server file, which not every error names by itself.
impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, id, error } = self;
        match (error, id) {
            (
                StartError::Tls { .. }
                | StartError::Upstream { .. }
                | StartError::Evidence(EvidenceError::Anchor { .. }),
                _,
            ) => error.fmt(f),
            (StartError::Load(load::LoadError::Read { .. }), Some(id)) => {
                write!(f, "`{key}`: key `{id}`: {error}")
            }
            (_, _) => write!(f, "`{key}`: {error}"),
        }
    }
}

/// Everything in and around a server file that keeps Postern from starting with this policy.
pub(crate) fn hindrances(server: &Server, base: &Path, policy: Option<&Policy>) -> Vec<Hindrance> {
    let mut found = Vec::new();
    let mut add = |key, error| {
        let id = None;
        found.push(Hindrance { key, id, error });
    };
    let upstream = Upstream::faults(&server.upstream, base, Arc::new(SystemClock));
    for (key, error) in upstream {
        add(key, error);
    }
    for (key, error) in Listener::faults(&server.listen, base) {
        add(key, error);
    }
    if let Err(error) = socket(&server.listen.address, base) {
        add("listen", error);
    }
    if let Err(error) = state(&base.join(&server.state)) {
        add("state", error.into());
    }
    if let Some(audit) = &server.audit {
        for error in evidence(audit, base) {
            add("audit.dir", error.into());
        }
    }
    if let Err(error) = quota_store(server, base) {
        add("store.password", error.into());
    }
    for error in policy.map_or_else(Vec::new, |policy| stores(server, base, policy)) {
        add("store", error);
    }
    found.extend(keys(
        ("keys.pseudonym", &server.pseudonym_keys),
        base,
        PSEUDONYM_SECRET_BYTES_MIN,
    ));
    found.extend(keys(
        ("keys.sessions", &server.session_keys),
        base,
        SECRET_BYTES_MIN,
    ));
    found
}

fn keys<'s>(
    (key, named): (&'static str, &'s [KeyRef]),
    base: &'s Path,
    bytes_min: usize,
) -> impl Iterator<Item = Hindrance> + 's {
    named.iter().filter_map(move |one| {
        let error = load::secret_of(one, base, bytes_min).err()?;
        Some(Hindrance {
            key,
            id: Some(one.id.clone()),
            error: error.into(),
        })
    })
}

/// Whether a Unix socket could be made where clients are to connect.
fn socket(address: &str, base: &Path) -> Result<(), StartError> {
    let Some(path) = address.strip_prefix("unix:") else {
        return Ok(());
    };
    let path = base.join(path);
    let folder = load::base_of(&path);
    let made = std::fs::metadata(folder).and_then(|_there| could_be_made(folder));
    made.map_err(|error| StartError::Listen {
        address: address.to_owned(),
        error,
    })
}

/// Whether the state folder holds a token of use, or could be made to.
fn state(folder: &Path) -> Result<(), AdminError> {
    if AdminToken::read(folder)?.is_some() {
        return Ok(());
    }
    could_be_made(folder).map_err(|error| AdminError::Token {
        path: folder.join(TOKEN_FILE),
        message: error.to_string(),
    })
}

fn evidence(audit: &AuditLog, base: &Path) -> Vec<EvidenceError> {
    let folder = base.join(&audit.dir);
    let made = could_be_made(&folder).map_err(|error| EvidenceError::Folder {
        path: folder.display().to_string(),
        error,
    });
    let mut faults = anchor_faults(audit, base);
    faults.extend(made.err());
    faults
}

/// The stores that a policy needs and that could not be opened or made.
fn stores(server: &Server, base: &Path, policy: &Policy) -> Vec<StartError> {
    let (counts, keeps) = (!policy.quotas.is_empty(), policy.sessions.is_some());
    let path = match &server.store {
        StoreAddress::Embedded(path) => base.join(path),
        StoreAddress::Shared(_) if keeps && server.session_keys.is_empty() => {
            return vec![KeepError::NoSharedKey.into()];
        }
        StoreAddress::Shared(_) => return Vec::new(),
    };
    let fault = |path: &Path| {
        let error = store_file(path, server, base).err()?;
        Some(error.to_string())
    };
    let quotas = || {
        let reason = fault(&path)?;
        Some(
            OpenError::File {
                path: path.clone(),
                reason,
            }
            .into(),
        )
    };
    let sessions = || {
        let path = beside(&path);
        let reason = fault(&path)?;
        Some(KeepError::File { path, reason }.into())
    };
    let quotas = counts.then(quotas).flatten();
    quotas
        .into_iter()
        .chain(keeps.then(sessions).flatten())
        .collect()
}

/// Whether a store's file could be opened, or be made in a folder that is there or that the start makes.
fn store_file(path: &Path, server: &Server, base: &Path) -> Result<(), Error> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(_file) => return allows(path, Access::READ_OK | Access::WRITE_OK),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let folder = load::base_of(path);
    let audit = server.audit.as_ref();
    let made = audit.map(|audit| base.join(&audit.dir));
    let mut made = made.into_iter().chain([base.join(&server.state)]);
    if !folder.exists() && made.any(|made| made.starts_with(folder)) {
        return Ok(());
    }
    std::fs::metadata(folder)?;
    could_be_made(folder)
}

/// Whether there is such a folder that may be written to, or one in which it could be made.
fn could_be_made(folder: &Path) -> Result<(), Error> {
    let mut ancestor = folder;
    let metadata = loop {
        match std::fs::metadata(ancestor) {
            Ok(metadata) => break metadata,
            Err(error) if error.kind() == ErrorKind::NotFound && ancestor.parent().is_some() => {
                ancestor = load::base_of(ancestor);
            }
            Err(error) => return Err(error),
        }
    };
    if !metadata.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    allows(ancestor, Access::WRITE_OK | Access::EXEC_OK)
}

fn allows(path: &Path, wanted: Access) -> Result<(), Error> {
    Ok(access(path, wanted)?)
}
