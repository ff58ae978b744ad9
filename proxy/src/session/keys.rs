//! The server's keys: everything else that is secret about sessions is derived from them.

use std::collections::BTreeMap;

use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::digest::sha256;

/// The length of every key here.
pub(super) const KEY_BYTES: usize = 32;

/// A key of this length, wiped when it is dropped.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The name of a server key: it stands in front of everything that the key has sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// The server keys: the newest seals, all of them open.
#[derive(Clone)]
pub struct ServerKeys {
    newest: KeyId,
    keys: BTreeMap<KeyId, Key>,
}

impl ServerKeys {
    /// One key.
    #[must_use]
    pub fn new(secret: [u8; KEY_BYTES]) -> Self {
        let id = id_of(&secret);
        Self {
            newest: id,
            keys: BTreeMap::from([(id, Zeroizing::new(secret))]),
        }
    }

    /// The same, and another that still opens what it sealed.
    #[must_use]
    pub fn and_older(mut self, secret: [u8; KEY_BYTES]) -> Self {
        self.keys.insert(id_of(&secret), Zeroizing::new(secret));
        self
    }

    /// One key, made from a secret of any length.
    #[must_use]
    pub fn of_secret(secret: &[u8]) -> Self {
        Self::new(sha256(secret))
    }

    /// The same, and another that still opens what it sealed.
    #[must_use]
    pub fn and_older_secret(self, secret: &[u8]) -> Self {
        self.and_older(sha256(secret))
    }

    /// A secret of the newest key for one purpose, as bytes for others to make a key of.
    pub(super) fn secret(&self, purpose: &str) -> Option<[u8; KEY_BYTES]> {
        Some(*self.derive(self.newest, purpose)?)
    }

    /// The key that seals.
    pub(super) const fn newest(&self) -> KeyId {
        self.newest
    }

    /// All of them.
    pub(super) fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.keys().copied()
    }

    /// A key for one purpose; none when the server key is not here (any more).
    pub(super) fn derive(&self, id: KeyId, purpose: &str) -> Option<Key> {
        self.derive_with(id, &[], purpose)
    }

    /// The same, of the server key and something that somebody else holds: nobody has it without both.
    pub(super) fn derive_with(&self, id: KeyId, held: &[u8], purpose: &str) -> Option<Key> {
        let secret = self.keys.get(&id)?;
        let material = Zeroizing::new([secret.as_slice(), held].concat());
        expand(&material, purpose)
    }
}

/// A name that says nothing about the secret.
fn id_of(secret: &[u8]) -> KeyId {
    let name = expand(secret, "postern/kid/v1").unwrap_or_default();
    let [a, b, c, d, ..] = *name;
    KeyId([a, b, c, d])
}

/// HKDF-SHA256 (RFC 5869) without salt.
fn expand(material: &[u8], purpose: &str) -> Option<Key> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_BYTES
        }
    }
    let info = [purpose.as_bytes()];
    let secret = Salt::new(HKDF_SHA256, &[]).extract(material);
    let mut key = Key::default();
    let expanded = secret.expand(&info, Length).ok()?;
    expanded.fill(key.as_mut_slice()).ok()?;
    Some(key)
}

impl std::fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerKeys")
            .field("newest", &self.newest)
            .field("keys", &self.keys.len())
            .finish()
    }
}
