//! Hashes that stand for customers in the audit log.
//!
//! The key of a month is derived for each tenant from one secret in the state folder: destroying that
//! secret leaves hashes that nobody can tell apart from chance.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::EvidenceError;

/// The secret's file, in the state folder.
const FILE: &str = "audit.hashkey";
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
        let wrong = |message: String| EvidenceError::HashKey {
            path: path.display().to_string(),
            message,
        };
        if !path.exists() {
            let secret = random().ok_or_else(|| wrong("no random bytes can be had".to_owned()))?;
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .and_then(|mut file| file.write_all(&secret).and_then(|()| file.sync_all()));
            made.map_err(|error| wrong(format!("cannot be made: {error}")))?;
        }
        let read = fs::metadata(&path).and_then(|found| Ok((found, fs::read(&path)?)));
        let (found, secret) = read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if found.permissions().mode() & 0o077 != 0 {
            return Err(wrong("others can read it: `chmod 600` it".to_owned()));
        }
        if secret.len() != SECRET_BYTES {
            return Err(wrong(
                "it is not 32 bytes long: restore it, or remove it to begin with another"
                    .to_owned(),
            ));
        }
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

fn random() -> Option<[u8; SECRET_BYTES]> {
    let mut secret = [0_u8; SECRET_BYTES];
    SystemRandom::new().fill(&mut secret).ok()?;
    Some(secret)
}
