//! The log's keys: a private seed in a file that only its owner may read, and the public keys beside
//! the log, one a line, the first one first.
//!
//! A new key is prepared in a second file before the old key signs it, and takes the first one's place
//! after that is durable. What a crash leaves in between is settled when the log is opened.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::error::{LogError, OpenError};
use super::settings::LogSettings;
use crate::disk::{Access, Disk};
use crate::signer::{SEED_BYTES, Signer, random};
use crate::store::{StoreError, read_optional, replace};
use crate::vkey::{KeyKind, VerifierKey};

/// The public keys, beside the log.
pub(crate) const PUBLIC: &str = "keys/log.vkey";

/// Where keys are kept.
#[derive(Clone)]
pub(crate) struct KeyStore {
    disk: Arc<dyn Disk>,
    seed_disk: Arc<dyn Disk>,
    seed_name: String,
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore")
            .field("seed_name", &self.seed_name)
            .finish_non_exhaustive()
    }
}

impl KeyStore {
    pub(super) fn new(settings: &LogSettings) -> Self {
        Self {
            disk: Arc::clone(&settings.disk),
            seed_disk: Arc::clone(&settings.seed_disk),
            seed_name: settings.seed_name.clone(),
        }
    }

    /// The public keys; none when there is no log.
    pub(super) fn public(&self) -> Result<Vec<VerifierKey>, OpenError> {
        let bytes = read_optional(self.disk.as_ref(), PUBLIC)?.unwrap_or_default();
        parse_public(&bytes).ok_or(OpenError::Key {
            what: "`keys/log.vkey` is damaged",
        })
    }

    /// The private key of the last public one, which a crash may have left as the next seed.
    pub(super) fn signer(&self, keys: &[VerifierKey]) -> Result<Signer, OpenError> {
        let wanted = keys.last().ok_or(OpenError::Key {
            what: "`keys/log.vkey` is empty",
        })?;
        for name in [self.seed_name.clone(), self.next_name()] {
            let signer = self.read(&name, wanted.name())?;
            if let Some(signer) = signer.filter(|signer| signer.key() == wanted) {
                return Ok(signer);
            }
        }
        Err(OpenError::Key {
            what: "the seed file is not that of the last key in `keys/log.vkey`",
        })
    }

    /// Makes the first key of a log with this origin; the seed may be there already.
    pub(super) fn begin(&self, origin: &str) -> Result<Signer, OpenError> {
        let signer = match self.read(&self.seed_name, origin)? {
            Some(signer) => signer,
            None => self
                .make(&self.seed_name, origin)
                .map_err(OpenError::Append)?,
        };
        self.put_public(std::slice::from_ref(signer.key()))?;
        Ok(signer)
    }

    /// The key that was prepared and has not taken the first one's place.
    pub(super) fn next(&self, origin: &str) -> Result<Option<Signer>, OpenError> {
        self.read(&self.next_name(), origin)
    }

    /// Makes the key that follows; the old one stays in force.
    pub(super) fn prepare_next(&self, origin: &str) -> Result<Signer, LogError> {
        self.make(&self.next_name(), origin)
    }

    /// Puts the next key in the first one's place, which the old key has to have signed durably.
    pub(super) fn adopt_next(&self, key: &VerifierKey) -> Result<(), StoreError> {
        let bytes = read_optional(self.disk.as_ref(), PUBLIC).map_err(StoreError::Write)?;
        let mut keys = parse_public(&bytes.unwrap_or_default()).unwrap_or_default();
        if !keys.contains(key) {
            keys.push(key.clone());
            self.put_public(&keys)?;
        }
        let renamed = self.seed_disk.rename(&self.next_name(), &self.seed_name);
        renamed.map_err(StoreError::Write)?;
        self.seed_disk.sync_folder("").map_err(StoreError::Sync)
    }

    /// Forgets a key that was prepared and never signed.
    pub(super) fn forget_next(&self) -> io::Result<()> {
        self.seed_disk.remove(&self.next_name())
    }

    fn next_name(&self) -> String {
        format!("{}.next", self.seed_name)
    }

    fn read(&self, name: &str, origin: &str) -> Result<Option<Signer>, OpenError> {
        let Some(bytes) = read_optional(self.seed_disk.as_ref(), name)? else {
            return Ok(None);
        };
        let seed: Option<[u8; SEED_BYTES]> = bytes.try_into().ok();
        let signer = seed.and_then(|seed| Signer::from_seed(origin, KeyKind::Log, &seed));
        signer.map(Some).ok_or(OpenError::Key {
            what: "the seed file does not hold 32 bytes",
        })
    }

    fn make(&self, name: &str, origin: &str) -> Result<Signer, LogError> {
        let seed = random::<SEED_BYTES>().ok_or(LogError::NoRandomness)?;
        let signer = Signer::from_seed(origin, KeyKind::Log, &seed);
        let signer = signer.ok_or(LogError::Damaged)?;
        replace(self.seed_disk.as_ref(), name, &seed, Access::Private)?;
        Ok(signer)
    }

    fn put_public(&self, keys: &[VerifierKey]) -> Result<(), StoreError> {
        let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
        replace(self.disk.as_ref(), PUBLIC, lines.as_bytes(), Access::Public)
    }
}

fn parse_public(bytes: &[u8]) -> Option<Vec<VerifierKey>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().map(VerifierKey::parse).collect()
}
