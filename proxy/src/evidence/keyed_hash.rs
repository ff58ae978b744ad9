//! Hashes that stand for customers in the audit log.
//!
//! The key of a month is derived for each tenant from one secret in the state folder: destroying that
//! secret leaves hashes that nobody can tell apart from chance.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac::{HMAC_SHA256, Key, sign};

use super::EvidenceError;
use crate::private_file;

/// The secret's file, in the state folder.
pub(crate) const FILE: &str = "audit.hashkey";
const SECRET_BYTES: usize = 32;
/// How much of a hash is kept, in bytes: enough that two customers never share one.
const HASH_BYTES: usize = 16;
/// A month for this purpose: a twelfth of a year of 365.25 days.
const MONTH: Duration = Duration::from_secs(2_629_800);

/// The secret.
pub(super) struct HashKey(Key);

impl HashKey {
    /// Reads the secret, or makes one when there is none, which only its owner can read.
    pub(super) fn read_or_make(state: &Path) -> Result<Self, EvidenceError> {
        let path = state.join(FILE);
        let secret: [u8; SECRET_BYTES] = private_file::secret(&path).map_err(|message| {
            let path = path.display().to_string();
            EvidenceError::HashKey { path, message }
        })?;
        Ok(Self(Key::new(HMAC_SHA256, &secret)))
    }

    /// The hash of a value in its tenant and month, in hexadecimal.
    pub(super) fn hash(&self, tenant: Option<&str>, at: SystemTime, value: &str) -> String {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let month = since.as_secs() / MONTH.as_secs();
        let mut scope = month.to_be_bytes().to_vec();
        scope.extend_from_slice(tenant.unwrap_or_default().as_bytes());
        let of_month = Key::new(HMAC_SHA256, sign(&self.0, &scope).as_ref());
        let hash = sign(&of_month, value.as_bytes());
        hex::encode(hash.as_ref().get(..HASH_BYTES).unwrap_or_default())
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(..)")
    }
}
