//! The certificates of the data listener, kept equal to the files on disk without a restart.
//!
//! Guarantees: what is there of a new certificate, key or authority comes into force whole or not at all; what is
//! of no use changes nothing. When the authorities of client certificates change, connections that were let in by
//! the old ones get no further answer: whoever was withdrawn cannot stay, and everybody else connects again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use pingora::listeners::tls::Acceptor;
use postern_config::secret::Reference;
use postern_config::server::ListenTls;
use ring::digest::{SHA256, digest};

use super::tls;
use crate::load;
use crate::start::StartError;

/// See the module's documentation.
pub(crate) struct TlsFiles {
    tls: ListenTls,
    base: PathBuf,
    current: ArcSwap<Acceptor>,
    authorities: Arc<Authorities>,
    /// What is in force.
    seen: Mutex<Seen>,
}

/// Which authorities let clients in: a number that goes up when they change.
#[derive(Debug, Default)]
pub(crate) struct Authorities(AtomicU64);

/// Digests of what was read: of certificate, key and authorities.
#[derive(Clone, PartialEq, Eq)]
struct Seen([Option<Vec<u8>>; 3]);

/// What a look at the files found.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Nothing new.
    Unchanged,
    /// They are in force now.
    Renewed,
    /// They are of no use: those before stay in force.
    Refused(StartError),
}

impl TlsFiles {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// They cannot be read or are of no use.
    pub(super) fn read(tls: &ListenTls, base: &Path) -> Result<Self, StartError> {
        let seen = Seen::of(tls, base)?;
        Ok(Self {
            current: ArcSwap::from_pointee(tls::acceptor(tls, base)?),
            tls: tls.clone(),
            base: base.to_owned(),
            authorities: Arc::default(),
            seen: Mutex::new(seen),
        })
    }

    /// What makes connections secure from now on.
    pub(super) fn acceptor(&self) -> Arc<Acceptor> {
        self.current.load_full()
    }

    /// Who lets clients in.
    pub(super) const fn authorities(&self) -> &Arc<Authorities> {
        &self.authorities
    }

    /// The files whose folders are to be watched.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let references = [
            Some(&self.tls.cert),
            Some(&self.tls.key),
            self.tls.client_ca.as_ref(),
        ];
        let references = references.into_iter().flatten();
        references
            .filter_map(|reference| match reference {
                Reference::File(path) => Some(self.base.join(path)),
                Reference::Env(_) => None,
            })
            .collect()
    }

    /// Looks at the files, and puts them into force if they are others.
    pub(crate) fn look(&self) -> Looked {
        // Held throughout: two looks at once could put the older files into force.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match Seen::of(&self.tls, &self.base) {
            Ok(found) => found,
            // They may be on their way; the next look tells.
            Err(error) => return Looked::Refused(error),
        };
        if found == *seen {
            return Looked::Unchanged;
        }
        let others = found.0.last() != seen.0.last();
        match tls::acceptor(&self.tls, &self.base) {
            Err(error) => Looked::Refused(error),
            Ok(acceptor) => {
                self.current.store(Arc::new(acceptor));
                // Between the two reads they may have changed again: then the next look finds that.
                *seen = found;
                if others {
                    self.authorities.0.fetch_add(1, Ordering::AcqRel);
                }
                Looked::Renewed
            }
        }
    }
}

impl Seen {
    fn of(tls: &ListenTls, base: &Path) -> Result<Self, StartError> {
        let of = |reference: &Reference| -> Result<Vec<u8>, StartError> {
            let read = load::resolve(reference, base)?;
            Ok(digest(&SHA256, &read).as_ref().to_vec())
        };
        let authorities = tls.client_ca.as_ref().map(of).transpose()?;
        Ok(Self([
            Some(of(&tls.cert)?),
            Some(of(&tls.key)?),
            authorities,
        ]))
    }
}

impl Authorities {
    /// Those that let clients in now.
    pub(super) fn now(self: &Arc<Self>) -> LetInBy {
        LetInBy {
            authorities: Arc::clone(self),
            number: self.0.load(Ordering::Acquire),
        }
    }
}

/// The authorities by which one connection was let in.
#[derive(Debug, Clone)]
pub(crate) struct LetInBy {
    authorities: Arc<Authorities>,
    number: u64,
}

impl LetInBy {
    /// Whether there are others by now.
    pub(crate) fn is_outdated(&self) -> bool {
        self.authorities.0.load(Ordering::Acquire) != self.number
    }
}

impl std::fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsFiles").finish_non_exhaustive()
    }
}
