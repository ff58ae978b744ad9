//! Numbers compared by value, exactly, from their text.
//!
//! No floating point: `1`, `1.0` and `10e-1` are equal, `1e400` and `1e401` are not.

use std::cmp::Ordering;

/// A number as sign, significant digits and the power of ten of the point before the first digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i128,
}

impl Decimal {
    /// Reads a JSON number; anything else is a mistake of the caller.
    pub(crate) fn read(lexeme: &str) -> Self {
        let (negative, unsigned) = match lexeme.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, lexeme),
        };
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let leading_zeros = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Self::zero();
        }
        let point = i128::try_from(whole.len()).unwrap() - i128::try_from(leading_zeros).unwrap();
        Self {
            negative,
            digits,
            exponent: read_power(power).saturating_add(point),
        }
    }

    /// A count.
    pub(crate) fn count(count: usize) -> Self {
        Self::read(&count.to_string())
    }

    fn zero() -> Self {
        Self {
            negative: false,
            digits: String::new(),
            exponent: 0,
        }
    }

    /// Compares by value.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (1, 1) => self.magnitude(other),
            (-1, -1) => other.magnitude(self),
            (mine, theirs) => mine.cmp(&theirs),
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Digits have no leading zeros, so exponents decide first and text order second.
    fn magnitude(&self, other: &Self) -> Ordering {
        self.exponent
            .cmp(&other.exponent)
            .then_with(|| self.digits.cmp(&other.digits))
    }
}

/// An exponent; one of more than 37 digits saturates.
fn read_power(power: &str) -> i128 {
    let unsigned = power.trim_start_matches(['+', '-']);
    let size = unsigned.parse().unwrap_or(i128::MAX / 4);
    if power.starts_with('-') { -size } else { size }
}

#[test]
fn decimals_compare_by_value_whatever_their_lexeme() {
    let equal = [
        ("1", "1.0"),
        ("1", "10e-1"),
        ("0", "-0"),
        ("0", "0e99"),
        ("1e99999999999999999999", "10e99999999999999999998"),
        ("100", "1E+2"),
        ("12.50", "1.25e1"),
        ("0.001", "1e-3"),
    ];
    for (left, right) in equal {
        let order = Decimal::read(left).order(&Decimal::read(right));
        assert_eq!(order, Ordering::Equal, "{left} and {right}");
    }
    let less = [
        ("-1", "0"),
        ("0", "0.1"),
        ("2", "10"),
        ("-10", "-2"),
        ("1e400", "1e401"),
        ("1e99999999999999999998", "1e99999999999999999999"),
        ("1e-99999999999999999999", "1e-99999999999999999998"),
        ("9007199254740992", "9007199254740993"),
        ("0.12", "0.123"),
    ];
    for (left, right) in less {
        let order = Decimal::read(left).order(&Decimal::read(right));
        assert_eq!(order, Ordering::Less, "{left} and {right}");
    }
}
