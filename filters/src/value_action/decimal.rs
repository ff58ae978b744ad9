//! The exact value of a JSON number, whatever its lexeme.
//!
//! `1`, `1.0`, `10e-1` are one value here. Nothing is rounded: a number that cannot be held exactly
//! gives no answer. It does no arithmetic beyond what the actions need.

use std::cmp::Ordering;

/// An exponent that no number comes near.
const FARTHEST: i64 = 1 << 60;

/// A number as `±digits × 10^exponent`. INVARIANT: `digits` are ASCII digits without leading or
/// trailing zeros; zero has none, no sign and the exponent 0.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads a validated JSON number; none when its exponent is beyond counting.
    pub(crate) fn parse(raw: &[u8]) -> Option<Self> {
        Self::parse_with(raw, |written| written.parse().ok())
    }

    /// Reads a validated JSON number to be compared: an exponent beyond counting is the farthest that
    /// is counted, so that the number is still larger, or nearer to zero, than any other.
    pub(crate) fn parse_to_compare(raw: &[u8]) -> Option<Self> {
        Self::parse_with(raw, |written| {
            let farthest = match written.starts_with('-') {
                true => -FARTHEST,
                false => FARTHEST,
            };
            let counted: i64 = written.parse().unwrap_or(farthest);
            Some(counted.clamp(-FARTHEST, FARTHEST))
        })
    }

    fn parse_with(raw: &[u8], exponent: impl Fn(&str) -> Option<i64>) -> Option<Self> {
        let (negative, unsigned) = match raw.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, raw),
        };
        let mut halves = unsigned.splitn(2, |byte| matches!(byte, b'e' | b'E'));
        let mantissa = halves.next()?;
        let written = halves.next();
        let mut parts = mantissa.splitn(2, |byte| *byte == b'.');
        let whole = parts.next()?;
        let fraction = parts.next().unwrap_or_default();
        let mut digits: Vec<u8> = whole.iter().chain(fraction).copied().collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let trailing = digits
            .iter()
            .rev()
            .take_while(|digit| **digit == b'0')
            .count();
        digits.truncate(digits.len() - trailing);
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let written: i64 = match written {
            Some(text) => exponent(std::str::from_utf8(text).ok()?)?,
            None => 0,
        };
        let exponent = written
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(trailing).ok()?)?;
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }

    /// The one spelling of this value: `0`, or sign, digits, `e`, exponent.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        if self.digits.is_empty() {
            return b"0".to_vec();
        }
        let mut text = Vec::with_capacity(self.digits.len() + 8);
        if self.negative {
            text.push(b'-');
        }
        text.extend_from_slice(&self.digits);
        text.extend_from_slice(format!("e{}", self.exponent).as_bytes());
        text
    }

    /// Compares two values.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let sign = |value: &Self| match (value.negative, value.digits.is_empty()) {
            (_, true) => 0,
            (true, false) => -1,
            (false, false) => 1,
        };
        let magnitude = |value: &Self| value.digits.len() as i128 + i128::from(value.exponent);
        // INVARIANT: without zeros at either end, the digits compare as a fraction does.
        let sizes = magnitude(self)
            .cmp(&magnitude(other))
            .then_with(|| self.digits.cmp(&other.digits));
        match sign(self).cmp(&sign(other)) {
            Ordering::Equal if self.digits.is_empty() => Ordering::Equal,
            Ordering::Equal if self.negative => sizes.reverse(),
            Ordering::Equal => sizes,
            unequal @ (Ordering::Less | Ordering::Greater) => unequal,
        }
    }

    /// The greatest integer that is not above this value; none when it does not fit.
    pub(crate) fn floor(&self) -> Option<i128> {
        let count = i64::try_from(self.digits.len()).ok()?;
        let whole_digits = usize::try_from(count.checked_add(self.exponent)?.max(0)).ok()?;
        if whole_digits > 39 {
            return None;
        }
        let mut whole: i128 = 0;
        let padded = self.digits.iter().chain(std::iter::repeat(&b'0'));
        for digit in padded.take(whole_digits) {
            whole = whole
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        // INVARIANT: the last digit is no zero, so a negative exponent means a fraction.
        match (self.negative, self.exponent < 0) {
            (false, _) => Some(whole),
            (true, false) => Some(-whole),
            (true, true) => (-whole).checked_sub(1),
        }
    }
}
