//! What a start would stumble over, all at once: the same parts are read as at a start, and nothing is made, opened
//! for writing or asked.
//!
//! It cannot know whether an address is free, whether a server answers, or whether what another start has made is
//! whole: a store, an audit log, the secrets beside the admin token. That is found out by the start itself. Folders
//! that are still to be made are compared as their paths are written, so that a `..` behind a symbolic link may lead
//! elsewhere than it seems. Who may write is what the system says of the effective user: no full disk is foreseen, no
//! link to nothing in a store's place, and no lost `audit.seed` in a state folder that has the rest.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use postern_config::server::{AuditLog, KeyRef, StoreAddress};
use postern_config::{Policy, Server};
use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::sessions::{self, SECRET_BYTES_MIN, beside};
use super::{StartError, quota_store};
use crate::admin::{AdminError, AdminToken, TOKEN_FILE};
use crate::clock::SystemClock;
use crate::evidence::{EvidenceError, HASH_KEY_FILE, anchor_faults};
use crate::forward::Upstream;
use crate::listener::{Listener, Socket};
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
    let socket = socket(&server.listen.address, base).err();
    let socket = socket.map(|error| Hindrance {
        key: "listen",
        id: None,
        error,
    });
    let mut found = hindrances_of_heir(server, base, policy);
    found.extend(socket);
    found
}

/// The same for a start that is given the sockets of the process before it, and makes none.
pub(super) fn hindrances_of_heir(
    server: &Server,
    base: &Path,
    policy: Option<&Policy>,
) -> Vec<Hindrance> {
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
    for error in state(&base.join(&server.state), server, policy) {
        add("state", error);
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
    let made = Socket::could_have_name(&path)
        .and_then(|()| std::fs::metadata(folder))
        .and_then(|_there| could_be_made(folder));
    made.map_err(|error| StartError::Listen {
        address: address.to_owned(),
        error,
    })
}

/// Whether the state folder holds a token of use, or could be made to; and with a token whether it holds the secrets
/// that the start would make there, or could.
fn state(folder: &Path, server: &Server, policy: Option<&Policy>) -> Vec<StartError> {
    let token = AdminToken::read(folder);
    let made = could_be_made(folder).map_err(|error| error.to_string());
    let (token, message) = match (token, made) {
        (Err(error), _) => return vec![error.into()],
        (Ok(_), Ok(())) => return Vec::new(),
        (Ok(token), Err(message)) => (token, message),
    };
    if token.is_none() {
        let path = folder.join(TOKEN_FILE);
        return vec![AdminError::Token { path, message }.into()];
    }
    let lacks = |name: &str| Some(folder.join(name)).filter(|path| !path.exists());
    let reason = format!("cannot be made: {message}");
    let hashes = server.audit.as_ref().and_then(|_kept| lacks(HASH_KEY_FILE));
    let hashes = hashes.map(|path| EvidenceError::HashKey {
        path: path.display().to_string(),
        message: reason.clone(),
    });
    let is_ours = server.session_keys.is_empty()
        && matches!(server.store, StoreAddress::Embedded(_))
        && policy.is_some_and(|policy| policy.sessions.is_some());
    let key = is_ours.then(|| lacks(sessions::KEY_FILE)).flatten();
    let key = key.map(|path| KeepError::Key { path, reason });
    let hashes = hashes.map(StartError::from);
    hashes
        .into_iter()
        .chain(key.map(StartError::from))
        .collect()
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
    let wanted = resolved(folder);
    if !folder.exists() && made.any(|made| resolved(&made).starts_with(&wanted)) {
        return Ok(());
    }
    std::fs::metadata(folder)?;
    could_be_made(folder)
}

/// A path without its `.` and `..`, by its letters alone.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        let is_named = matches!(
            resolved.components().next_back(),
            Some(Component::Normal(_))
        );
        match component {
            Component::CurDir => {}
            Component::ParentDir if is_named => {
                resolved.pop();
            }
            Component::ParentDir
            | Component::Normal(_)
            | Component::RootDir
            | Component::Prefix(_) => resolved.push(component),
        }
    }
    resolved
}

/// Whether there is such a folder that may be written to, or one in which it could be made.
fn could_be_made(folder: &Path) -> Result<(), Error> {
    let mut ancestor = folder;
    let metadata = loop {
        match std::fs::metadata(ancestor) {
            Ok(metadata) => break metadata,
            // A link to nothing takes the name, and is no folder.
            Err(_) if std::fs::symlink_metadata(ancestor).is_ok_and(|link| link.is_symlink()) => {
                return Err(ErrorKind::AlreadyExists.into());
            }
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

/// Whether the effective user, who is the one that opens files, may do so.
fn allows(path: &Path, wanted: Access) -> Result<(), Error> {
    Ok(accessat(CWD, path, wanted, AtFlags::EACCESS)?)
}
