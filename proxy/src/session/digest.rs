//! Digests of 32 bytes.

use ring::digest::{SHA256, digest};
use ring::hmac;

/// A SHA-256, or a keyed one: bytes that say nothing by themselves.
pub type Digest = [u8; 32];

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    fixed(digest(&SHA256, bytes).as_ref())
}

/// HMAC-SHA-256 (RFC 2104).
pub(super) fn keyed(key: &[u8], bytes: &[u8]) -> Digest {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    fixed(hmac::sign(&key, bytes).as_ref())
}

fn fixed(from: &[u8]) -> Digest {
    let mut bytes = Digest::default();
    for (byte, from) in bytes.iter_mut().zip(from) {
        *byte = *from;
    }
    bytes
}
