//! What a client holds in place of a token: names that say nothing, can be found by scanners of secrets,
//! and are told from anything else by a checksum.
//!
//! ```text
//! pnp_ 22 digits of 128 bits  6 digits of a CRC-32     a placeholder, swapped back on requests beside its name
//! pnh_ 43 digits of 256 bits  6 digits of a CRC-32     a handle, which names a session
//! ```
//!
//! Digits are base62. The checksum (IEEE 802.3) covers everything before it, the beginning included. Each
//! value has exactly one text. Every character is a letter, a digit or `_`, which no encoding of URLs,
//! JSON or HTML changes.

mod names;
mod swap;

use std::fmt;

use flate2::Crc;

use crate::base62::{DIGITS_OF_128_BITS, base62, of_base62};

pub use swap::{Place, SwapError, Swapped, swap_field, swap_text, swap_value};

/// How many digits the checksum has.
const CHECK_DIGITS: usize = 6;
/// How many characters there are before the digits.
const BEGINS: usize = 4;

/// Stands for one token of the upstream's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Placeholder(String);

impl Placeholder {
    /// How it begins.
    pub const BEGINS: &'static str = "pnp_";
    /// How many characters it has.
    pub const LENGTH: usize = BEGINS + Self::DIGITS + CHECK_DIGITS;
    const DIGITS: usize = DIGITS_OF_128_BITS;

    /// The placeholder for 128 random bits.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        Self(written(Self::BEGINS, &random, Self::DIGITS))
    }

    /// The placeholder that is exactly this text; none when it is no placeholder or its checksum is wrong.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let random: [u8; 16] = read(Self::BEGINS, text, Self::DIGITS)?;
        Some(Self::new(random))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Placeholder")
    }
}

/// Names a session. `Debug` shows nothing of it, and there is no `==`: whoever compares two of them compares
/// digests, or bytes in constant time.
#[derive(Clone)]
pub struct Handle([u8; 32]);

impl Handle {
    /// How it begins.
    pub const BEGINS: &'static str = "pnh_";
    /// How many characters it has.
    pub const LENGTH: usize = BEGINS + Self::DIGITS + CHECK_DIGITS;
    /// Base62 digits of 256 bits: 62^43 is just above 2^256.
    const DIGITS: usize = 43;

    /// The handle of 256 random bits.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The handle that is exactly this text; none when it is no handle or its checksum is wrong.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        read(Self::BEGINS, text, Self::DIGITS).map(Self)
    }

    /// Its random bits.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its text, for the one cookie or header that carries it.
    #[must_use]
    pub fn text(&self) -> String {
        written(Self::BEGINS, &self.0, Self::DIGITS)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

fn written(begins: &str, random: &[u8], digits: usize) -> String {
    let mut text = format!("{begins}{}", base62(random, digits));
    let check = checksum(text.as_bytes());
    text.push_str(&base62(&check, CHECK_DIGITS));
    text
}

fn read<const N: usize>(begins: &str, text: &[u8], digits: usize) -> Option<[u8; N]> {
    if text.len() != begins.len() + digits + CHECK_DIGITS {
        return None;
    }
    let (checked, check) = text.split_at_checked(begins.len() + digits)?;
    let number = checked.strip_prefix(begins.as_bytes())?;
    let check: [u8; 4] = of_base62(check)?;
    (check == checksum(checked)).then(|| of_base62(number))?
}

fn checksum(text: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(text);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
mod tests;
