//! Numbers of accounts: payment cards (ISO/IEC 7812-1) and IBANs (ISO 13616-1), told by their check digits.
//!
//! Guarantees: only a number whose check digits are right is taken for one, written in one run or in
//! groups with one kind of separator; what is kept of it has a fixed length.

/// The digits of a card number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// The characters of an IBAN: Norway's is the shortest; none may be longer than the standard has it.
const IBAN_CHARACTERS: std::ops::RangeInclusive<usize> = 15..=34;
/// The characters at the end that stay, of either.
const LAST: usize = 4;

/// The last four digits of a card number; none when the text is no card number.
pub(super) fn card_last(text: &str) -> Option<String> {
    let digits = ungrouped(text)?;
    let is_card = CARD_DIGITS.contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().any(|digit| *digit != b'0')
        && luhn(&digits).is_multiple_of(10);
    is_card.then(|| last(&digits))
}

/// The country and the last four characters of an IBAN; none when the text is no IBAN.
pub(super) fn iban_ends(text: &str) -> Option<(String, String)> {
    let mut characters = ungrouped(text)?;
    characters.make_ascii_uppercase();
    let (country, rest) = characters.split_first_chunk::<2>()?;
    let (check, account) = rest.split_first_chunk::<2>()?;
    let is_iban = IBAN_CHARACTERS.contains(&characters.len())
        && country.iter().all(u8::is_ascii_uppercase)
        && check.iter().all(u8::is_ascii_digit)
        && account.iter().all(u8::is_ascii_alphanumeric)
        && rest_of_97(account.iter().chain(country).chain(check)) == 1;
    let country = country.iter().copied().map(char::from).collect();
    is_iban.then(|| (country, last(&characters)))
}

/// The characters without the spaces, or else hyphens, that divide them into groups: single ones, and
/// none at either end.
fn ungrouped(text: &str) -> Option<Vec<u8>> {
    let divider = match text.contains('-') {
        true => '-',
        false => ' ',
    };
    let groups: Vec<&str> = text.split(divider).collect();
    let whole = groups
        .iter()
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    whole.then(|| groups.concat().into_bytes())
}

/// The sum whose last digit is zero for a card number (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> u32 {
    let digits = digits.iter().rev().map(|digit| u32::from(digit - b'0'));
    let doubled = digits.enumerate().map(|(place, digit)| match place % 2 {
        0 => digit,
        _ if digit > 4 => digit * 2 - 9,
        _ => digit * 2,
    });
    doubled.sum()
}

/// What is left when the number that the characters spell, letters as 10 to 35, is divided by 97.
fn rest_of_97<'c>(characters: impl Iterator<Item = &'c u8>) -> u32 {
    characters.fold(0, |rest, character| match character {
        b'0'..=b'9' => (rest * 10 + u32::from(character - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(character - b'A') + 10) % 97,
        _ => rest,
    })
}

fn last(characters: &[u8]) -> String {
    let from = characters.len().saturating_sub(LAST);
    let kept = characters.iter().skip(from);
    kept.copied().map(char::from).collect()
}
