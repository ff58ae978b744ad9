//! Numbers in base62, as pseudonyms, placeholders and handles are written: digits, then capital letters, then small
//! ones, and the most significant digit first.
//!
//! In so many digits each number has exactly one text. Numbers are big-endian, and a multiple of four bytes up to
//! [`WORDS`] times four: they are read and written five digits at a time, in words of 32 bits.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many words a number has at most.
const WORDS: usize = 8;
/// How many digits are taken at a time, and how many numbers that many digits can say: fewer than a word can.
const AT_A_TIME: usize = 5;
const NUMBERS: u64 = 62_u64.pow(5);

/// How many digits a number of 128 bits has: 62^22 is just above 2^130.
pub(crate) const DIGITS_OF_128_BITS: usize = 22;

/// A number in so many digits, which are enough for every number of that size.
pub(crate) fn base62(number: &[u8], digits: usize) -> String {
    let mut words = [0_u32; WORDS];
    for (word, bytes) in words.iter_mut().zip(number.rchunks(4)) {
        *word = bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let mut text = vec![b'0'; digits];
    for five in text.rchunks_mut(AT_A_TIME) {
        let mut rest = 0_u64;
        for word in words.iter_mut().take(number.len() / 4).rev() {
            let part = rest << 32 | u64::from(*word);
            *word = u32::try_from(part / NUMBERS).unwrap_or(u32::MAX);
            rest = part % NUMBERS;
        }
        for place in five.iter_mut().rev() {
            let digit = usize::try_from(rest % 62).ok();
            *place = digit
                .and_then(|digit| DIGITS.get(digit))
                .copied()
                .unwrap_or(b'0');
            rest /= 62;
        }
    }
    text.into_iter().map(char::from).collect()
}

/// The number that digits stand for; none when it does not fit or a character is no digit.
///
/// PERF: each request of a session brings a handle (`postern bench`).
pub(crate) fn of_base62<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    // The last words of the number come first.
    let mut words = [0_u32; WORDS];
    for five in digits.chunks(AT_A_TIME) {
        let (mut carry, mut base) = (0_u64, 1_u64);
        for digit in five {
            carry = carry * 62 + of_digit(*digit)?;
            base *= 62;
        }
        for word in words.iter_mut().take(N / 4) {
            let part = u64::from(*word) * base + carry;
            *word = u32::try_from(part & u64::from(u32::MAX)).ok()?;
            carry = part >> 32;
        }
        if carry != 0 {
            return None;
        }
    }
    let mut number = [0; N];
    for (bytes, word) in number.rchunks_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Some(number)
}

/// What a digit stands for.
fn of_digit(digit: u8) -> Option<u64> {
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'Z' => digit - b'A' + 10,
        b'a'..=b'z' => digit - b'a' + 36,
        _ => return None,
    };
    Some(u64::from(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_and_the_greatest_number_are_written_in_all_their_digits() {
        assert_eq!(base62(&[0; 16], 22), "0".repeat(22));
        assert_eq!(base62(&[0xff; 16], 22), "7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(base62(&[0xff; 4], 6), "4gfFC3");
    }

    #[test]
    fn what_is_one_too_great_or_no_digit_is_no_number() {
        assert_eq!(of_base62::<16>(b"7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(of_base62::<4>(b"4gfFC4"), None);
        assert_eq!(of_base62::<4>(b"4gfFC-"), None);
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_it_was_written(short: [u8; 4], middle: [u8; 16], long: [u8; 32]) {
            prop_assert_eq!(of_base62(base62(&short, 6).as_bytes()), Some(short));
            prop_assert_eq!(of_base62(base62(&middle, 22).as_bytes()), Some(middle));
            prop_assert_eq!(of_base62(base62(&long, 43).as_bytes()), Some(long));
        }

        #[test]
        fn digits_are_those_of_long_division(number: u128) {
            let mut rest = number;
            let mut digits = Vec::new();
            for _ in 0..DIGITS_OF_128_BITS {
                digits.push(char::from(DIGITS[usize::try_from(rest % 62).unwrap()]));
                rest /= 62;
            }
            let expected: String = digits.iter().rev().collect();
            prop_assert_eq!(base62(&number.to_be_bytes(), DIGITS_OF_128_BITS), expected);
        }
    }
}
