//! Public keys as C2SP signed-note writes them: `name+id+key`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::cosignature;
use crate::note::is_key_name;

/// The length of an Ed25519 public key.
const PUBLIC_KEY_BYTES: usize = 32;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Note texts: `0x01`, Ed25519.
    Log,
    /// Checkpoints with the time at which they were seen: `0x04`, cosignature/v1.
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }
}

/// A public key with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; PUBLIC_KEY_BYTES],
    id: u32,
}

impl VerifierKey {
    /// The key with this name, kind and Ed25519 public key; nothing when no key may be called so.
    #[must_use]
    pub fn new(name: &str, kind: KeyKind, public: [u8; PUBLIC_KEY_BYTES]) -> Option<Self> {
        is_key_name(name).then(|| Self {
            name: name.to_owned(),
            kind,
            public,
            id: key_id(name, kind, &public),
        })
    }

    /// Reads `name+id+key`; nothing when it is malformed, of a kind that is not known here, or when its
    /// id is not that of the key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, encoded) = rest.split_once('+')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (kind, public) = bytes.split_first()?;
        let kind = [KeyKind::Log, KeyKind::Witness]
            .into_iter()
            .find(|known| known.byte() == *kind)?;
        let key = Self::new(name, kind, public.try_into().ok()?)?;
        (format!("{:08x}", key.id) == id).then_some(key)
    }

    /// Its name; for a log its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Its id, which signature lines carry.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The Ed25519 public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public
    }

    /// Whether the signature, as it follows the key's id in a line, is this key's over the text.
    #[must_use]
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match self.kind {
            KeyKind::Log => key.verify(text.as_bytes(), signature).is_ok(),
            KeyKind::Witness => {
                cosignature::split(signature).is_some_and(|(seconds, signature)| {
                    let message = cosignature::message(seconds, text);
                    key.verify(message.as_bytes(), signature).is_ok()
                })
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(&self.public);
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            STANDARD.encode(bytes)
        )
    }
}

fn key_id(name: &str, kind: KeyKind, public: &[u8]) -> u32 {
    let hashed = [name.as_bytes(), b"\n", &[kind.byte()], public].concat();
    let hash = digest(&SHA256, &hashed);
    let first = hash.as_ref().first_chunk::<4>();
    first.copied().map(u32::from_be_bytes).unwrap_or_default()
}
