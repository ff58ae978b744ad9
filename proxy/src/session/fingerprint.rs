//! Fingerprints: what stands in a store for something that the application gave out, so that it is known again when
//! somebody brings it.
//!
//! Nobody without the server key can make one, try values, or go back from one. A value has one fingerprint
//! however it is quoted, and percent-encoded once or not at all.

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::digest::{Digest, keyed};
use super::keys::{KeyId, ServerKeys};

const PURPOSE: &str = "postern/fingerprint/v1";
/// Shorter values are brought by chance.
const BYTES_MIN: usize = 8;
/// Longer ones are no tokens that a request's head would bring.
const BYTES_MAX: usize = 16 << 10;

/// The fingerprint of a value under one server key; none when it is too short or too long, or without the key.
pub(super) fn fingerprint(keys: &ServerKeys, kid: KeyId, value: &[u8]) -> Option<Digest> {
    let value = plain(value)?;
    let key = keys.derive(kid, PURPOSE)?;
    Some(keyed(key.as_slice(), &value))
}

/// A value as it is compared.
fn plain(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let value = value.trim_ascii();
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    let plain: Vec<u8> = percent_decode(quoted.unwrap_or(value)).collect();
    let plain = Zeroizing::new(plain);
    (BYTES_MIN..=BYTES_MAX)
        .contains(&plain.len())
        .then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_fingerprint_however_it_is_written() {
        let keys = ServerKeys::new([1; 32]).and_older([2; 32]);
        let of = |value: &[u8]| fingerprint(&keys, keys.newest(), value);
        let plain = of(b"s:abcdefgh/+1").unwrap();
        for same in ["\"s:abcdefgh/+1\"", "s%3Aabcdefgh%2F%2b1", " s:abcdefgh/+1"] {
            assert_eq!(of(same.as_bytes()), Some(plain), "{same}");
        }
        for other in ["S:abcdefgh/+1", "s:abcdefgh/+1\"", "s:abcdefgh/+"] {
            assert_ne!(of(other.as_bytes()), Some(plain), "{other}");
        }
        for kid in keys.ids().filter(|kid| *kid != keys.newest()) {
            assert_ne!(fingerprint(&keys, kid, b"s:abcdefgh/+1"), Some(plain));
        }
        assert_ne!(keyed(&[1; 32], b"s:abcdefgh/+1"), plain, "a key of its own");
    }

    #[test]
    fn what_is_too_short_or_too_long_has_none() {
        let keys = ServerKeys::new([1; 32]);
        let has = |length| fingerprint(&keys, keys.newest(), &vec![b'a'; length]).is_some();
        assert_eq!(
            [7, 8, 16 << 10, (16 << 10) + 1].map(has),
            [false, true, true, false]
        );
    }
}
