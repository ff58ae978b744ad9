//! The one way a policy or a server file gets from disk into the process: `check`, `redact`, `matrix`,
//! `explain`, `run` and every reload call [`load_policy`].
//!
//! It reads the whole closure (the policy and the key file it names), bounds what it reads, refuses
//! files that anybody may write, parses, compiles, and names the result by its revision. It touches no
//! network and needs no key: an absent key file only matters when [`LoadedPolicy::snapshot`] is asked
//! for something that can recognise people.

mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use postern_config::identity::{IdentityRule, KeySource};
use postern_config::secret::Reference;
use postern_config::server::KeyRef;
use postern_config::{Policy, PolicyErrors, Revision, Server};
use postern_filters::{CompileError, CompiledPolicy, EngineLimits, PseudonymKeys};

use crate::clock::Clock;
use crate::identity::{Authenticator, AuthenticatorError};
use crate::policy_store::Snapshot;
use crate::visit::SessionTerms;

/// The largest policy or server file that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 1 << 20;
/// The largest key, certificate or secret that is read, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 1 << 20;
/// The shortest secret that may make pseudonyms, in bytes.
pub const PSEUDONYM_SECRET_BYTES_MIN: usize = 16;

/// Why a policy or a server file cannot be used. Its author, or whoever placed the file, must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or an environment variable cannot be read, or must not be trusted.
    #[error("cannot read `{path}`: {message}")]
    Read {
        /// What was to be read: a path, or `env:NAME`.
        path: String,
        /// Why not, and what to do.
        message: String,
    },
    /// The file was read and is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyErrors),
    /// The policy is valid and cannot be enforced as it is.
    #[error("{path}: {error}")]
    Compile {
        /// The policy file.
        path: String,
        /// Why not.
        error: CompileError,
    },
    /// It has to be signed, and is not, or its version is not the newest.
    #[error("`{path}`: {message}")]
    Unsigned {
        /// The file that is wrong or missing.
        path: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The policy is valid and nobody could be recognised by it.
    #[error("identity: {0}")]
    Identity(#[from] AuthenticatorError),
    /// A secret of the server file is of no use.
    #[error("key `{id}`: {message}")]
    Secret {
        /// The key's id.
        id: String,
        /// What is wrong with it, without showing any of it.
        message: String,
    },
    /// The policy is valid, and that it comes into force cannot be put on record.
    #[error("the change cannot be put on record: {0}")]
    Unrecorded(#[from] postern_audit::LogError),
}

impl LoadError {
    /// The text for people: every error with its place in the file for what the author wrote, one line
    /// for the rest; `color` adds terminal colours.
    #[must_use]
    pub fn report(&self, color: bool) -> String {
        match self {
            Self::Policy(errors) => errors.render(color),
            Self::Read { .. }
            | Self::Compile { .. }
            | Self::Unsigned { .. }
            | Self::Identity(_)
            | Self::Secret { .. }
            | Self::Unrecorded(_) => {
                format!("error: {self}\n")
            }
        }
    }

    /// The same, with where the policy file is named when it is that which cannot be read.
    pub(crate) fn of_policy_in(mut self, config: &Path, server: &Server) -> Self {
        let named = base_of(config).join(&server.policy).display().to_string();
        if let Self::Read { path, message } = &mut self
            && *path == named
        {
            message.push_str(&format!("; `policy` in `{}` names it", config.display()));
        }
        self
    }
}

/// Where a policy came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    /// The policy file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A policy that was read, parsed and compiled.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadedPolicy {
    /// The policy, ready to decide.
    pub compiled: Arc<CompiledPolicy>,
    /// The digest of the whole closure.
    pub revision: Revision,
    /// What was read.
    pub source: PolicySource,
    /// The key file that belongs to the closure, as it was when the revision was computed.
    keys: ClosureKeys,
}

/// The key file of a closure. `Debug` shows nothing of it.
enum ClosureKeys {
    /// The policy names none, or names a URL.
    None,
    /// It was read.
    Read(Reference, Vec<u8>),
    /// It could not be read; why.
    Absent(Reference, LoadError),
}

impl fmt::Debug for ClosureKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Read(..) => "Read",
            Self::Absent(..) => "Absent",
        })
    }
}

impl ClosureKeys {
    fn of(reference: Option<Reference>, base: &Path) -> Self {
        match reference {
            None => Self::None,
            Some(reference) => match resolve(&reference, base) {
                Ok(bytes) => Self::Read(reference, bytes),
                Err(error) => Self::Absent(reference, error),
            },
        }
    }

    fn revision(&self, text: &str) -> Revision {
        let policy = ("policy", text.as_bytes());
        match self {
            Self::Read(_, bytes) => Revision::of_closure(&[policy, ("identity.keys", bytes)]),
            Self::None | Self::Absent(..) => Revision::of_closure(&[policy]),
        }
    }
}

impl LoadedPolicy {
    /// The key file's reference, when the policy names one.
    #[must_use]
    pub fn key_reference(&self) -> Option<&Reference> {
        match &self.keys {
            ClosureKeys::None => None,
            ClosureKeys::Read(reference, _) | ClosureKeys::Absent(reference, _) => Some(reference),
        }
    }

    /// Whether all that the revision stands for was there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !matches!(self.keys, ClosureKeys::Absent(..))
    }

    /// Makes what an exchange runs on. With a key URL this must be called on a Tokio runtime, and the
    /// keys that `previous` already fetched from the same URL are kept.
    ///
    /// # Errors
    /// The key file cannot be read or holds no usable key.
    pub fn snapshot(
        self,
        clock: Arc<dyn Clock>,
        previous: Option<&Authenticator>,
    ) -> Result<Snapshot, LoadError> {
        let keys = match self.keys {
            ClosureKeys::None => None,
            ClosureKeys::Read(_, bytes) => Some(bytes),
            ClosureKeys::Absent(_, error) => return Err(error),
        };
        let authenticator = match self.compiled.policy() {
            None => None,
            Some(policy) => Some(Arc::new(Authenticator::new(
                &policy.identity,
                keys.as_deref(),
                clock,
                previous,
            )?)),
        };
        let sessions = match self.compiled.policy() {
            None => None,
            Some(policy) => SessionTerms::of(policy)?.map(Arc::new),
        };
        Ok(Snapshot {
            compiled: self.compiled,
            authenticator,
            sessions,
        })
    }
}

/// Reads, parses and compiles a policy.
///
/// # Errors
/// The file cannot be read or trusted, everything that is wrong in it, or why it cannot be compiled.
pub fn load_policy(
    path: &Path,
    keys: PseudonymKeys,
    limits: EngineLimits,
) -> Result<LoadedPolicy, LoadError> {
    let text = read_text(path)?;
    let name = path.display().to_string();
    let policy = Policy::parse(&name, &text)?;
    let closure = ClosureKeys::of(key_reference(&policy), base_of(path));
    let revision = closure.revision(&text);
    let compiled = CompiledPolicy::compile(policy, revision.clone(), limits, keys)
        .map_err(|error| LoadError::Compile { path: name, error })?;
    Ok(LoadedPolicy {
        compiled: Arc::new(compiled),
        revision,
        source: PolicySource {
            path: path.to_owned(),
            text,
        },
        keys: closure,
    })
}

/// The revision that the files on disk have now, given the key file the policy named when it was last
/// read. When the policy's text did not change, neither did that name.
///
/// # Errors
/// The policy file cannot be read or trusted.
pub fn revision_on_disk(path: &Path, keys: Option<&Reference>) -> Result<Revision, LoadError> {
    let text = read_text(path)?;
    Ok(ClosureKeys::of(keys.cloned(), base_of(path)).revision(&text))
}

/// Reads and parses a server file.
///
/// # Errors
/// The file cannot be read or trusted, or everything that is wrong in it.
pub fn load_server(path: &Path) -> Result<Server, LoadError> {
    let text = read_text(path).map_err(|mut error| {
        if let LoadError::Read { message, .. } = &mut error
            && !path.exists()
        {
            message.push_str("; name the server file with `-c FILE`, or in `POSTERN_CONFIG`");
        }
        error
    })?;
    Ok(Server::parse(&path.display().to_string(), &text)?)
}

/// Reads what a reference names. A relative path is relative to `base`, the folder of the file that
/// holds the reference.
///
/// # Errors
/// [`LoadError::Read`] when it is absent, too large, or writable by anybody.
pub fn resolve(reference: &Reference, base: &Path) -> Result<Vec<u8>, LoadError> {
    match reference {
        Reference::Env(name) => {
            let value = std::env::var(name).map_err(|error| LoadError::Read {
                path: format!("env:{name}"),
                message: match error {
                    std::env::VarError::NotPresent => "the variable is not set".to_owned(),
                    std::env::VarError::NotUnicode(_) => "the value is not UTF-8".to_owned(),
                },
            })?;
            Ok(value.into_bytes())
        }
        Reference::File(path) => file::read(&base.join(path), REFERENCE_BYTES_MAX),
    }
}

/// Reads a file that belongs to a policy.
///
/// # Errors
/// [`LoadError::Read`] when it is absent, too large, or writable by anybody.
pub(crate) fn read_reference(path: &Path) -> Result<Vec<u8>, LoadError> {
    file::read(path, REFERENCE_BYTES_MAX)
}

/// The keys for pseudonyms that a server file names, newest first. One trailing line break of a secret
/// is not part of it.
///
/// # Errors
/// A secret cannot be read, or is shorter than [`PSEUDONYM_SECRET_BYTES_MIN`].
pub fn pseudonym_keys(server: &Server, base: &Path) -> Result<PseudonymKeys, LoadError> {
    let mut keys = Vec::with_capacity(server.pseudonym_keys.len());
    for key in &server.pseudonym_keys {
        let secret = secret_of(key, base, PSEUDONYM_SECRET_BYTES_MIN)?;
        keys.push((key.id.clone(), secret));
    }
    Ok(PseudonymKeys::new(keys))
}

/// The secret of a named key, without one trailing line break.
///
/// # Errors
/// It cannot be read, or is shorter than `bytes_min`.
pub(crate) fn secret_of(key: &KeyRef, base: &Path, bytes_min: usize) -> Result<Vec<u8>, LoadError> {
    let bytes = resolve(&key.secret, base)?;
    let secret = without_line_break(&bytes);
    if secret.len() < bytes_min {
        return Err(LoadError::Secret {
            id: key.id.clone(),
            message: format!("shorter than {bytes_min} bytes; make a new one"),
        });
    }
    Ok(secret.to_vec())
}

/// What a file holds without one trailing `\n` or `\r\n`, as editors and `echo` leave it.
#[must_use]
pub fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// The folder that relative references of a file start from.
#[must_use]
pub fn base_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

fn key_reference(policy: &Policy) -> Option<Reference> {
    match &policy.identity {
        IdentityRule::Jwt(rule) => match &rule.keys {
            KeySource::Reference(reference) => Some(reference.clone()),
            KeySource::Url(_) => None,
        },
        IdentityRule::Mtls(_) | IdentityRule::Header(_) | IdentityRule::Session(_) => None,
    }
}

fn read_text(path: &Path) -> Result<String, LoadError> {
    let bytes = file::read(path, POLICY_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|error| LoadError::Read {
        path: path.display().to_string(),
        message: format!(
            "not UTF-8 from byte {} on",
            error.utf8_error().valid_up_to()
        ),
    })
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
