//! Private keys: Ed25519 from a seed of 32 bytes.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::cosignature;
use crate::note::{Note, SignatureLine};
use crate::vkey::{KeyKind, VerifierKey};

/// The length of a seed.
pub(crate) const SEED_BYTES: usize = 32;

/// A private key with its name.
pub struct Signer {
    pair: Ed25519KeyPair,
    key: VerifierKey,
}

impl Signer {
    /// The key of this seed; nothing when no key may have this name.
    #[must_use]
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; SEED_BYTES]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        let key = VerifierKey::new(name, kind, public)?;
        Some(Self { pair, key })
    }

    /// The public key.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Signs a note's text, which ends in a newline.
    #[must_use]
    pub fn sign(&self, text: String) -> Note {
        let signature = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        Note::new(text, self.line(signature))
    }

    /// Signs that a checkpoint was seen at a time, in seconds since 1970.
    #[must_use]
    pub fn cosign(&self, checkpoint: &str, seconds: u64) -> SignatureLine {
        let message = cosignature::message(seconds, checkpoint);
        let signature = self.pair.sign(message.as_bytes());
        self.line(cosignature::join(seconds, signature.as_ref()))
    }

    fn line(&self, signature: Vec<u8>) -> SignatureLine {
        SignatureLine {
            name: self.key.name().to_owned(),
            key_id: self.key.id(),
            signature,
        }
    }
}

/// SECURITY: shows the public key only.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Bytes that nobody can guess; nothing when the system has none to give.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}
