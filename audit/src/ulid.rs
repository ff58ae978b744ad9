//! ULIDs: a time in milliseconds and 80 random bits, in Crockford's base 32.

use crate::signer::random;

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_BYTES: usize = 10;

/// A new ULID of this time, in milliseconds since 1970. Without randomness the rest is zeros.
pub(crate) fn at(millis: u64) -> String {
    let random = random::<RANDOM_BYTES>().unwrap_or_default();
    let low = random
        .iter()
        .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let number = (u128::from(millis) << (8 * RANDOM_BYTES)) | low;
    let digits = (0..26_u32).rev().map(|place| {
        let digit = usize::try_from((number >> (5 * place)) & 31).unwrap_or_default();
        char::from(DIGITS.get(digit).copied().unwrap_or(b'0'))
    });
    digits.collect()
}
