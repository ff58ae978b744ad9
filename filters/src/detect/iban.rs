//! International bank account numbers (ISO 13616): a country of the registry, the length it uses, and
//! check digits that are right (ISO/IEC 7064, mod 97-10). Written in one piece or in groups.

use super::view::{View, is_word};
use super::{Detector, Found};

/// How long each country's numbers are, by the registry.
const COUNTRIES: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The longest of them.
const LENGTH_MAX: usize = 34;

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    let mut start = 0;
    while start < view.len() {
        let end = begins(view, start).then(|| ends(view, start)).flatten();
        if let Some(end) = end {
            found.push(Found::closed(Detector::Iban, start, end));
        }
        start = end.unwrap_or(start + 1);
    }
}

fn begins(view: View<'_>, start: usize) -> bool {
    view.at(start + 3).is_ascii_digit()
        && view.at(start).is_ascii_alphabetic()
        && view.at(start + 1).is_ascii_alphabetic()
        && view.at(start + 2).is_ascii_digit()
        && (!is_word(view.before(start)) || is_named(view, start))
}

/// Whether the word IBAN stands right before the number.
fn is_named(view: View<'_>, start: usize) -> bool {
    start
        .checked_sub(4)
        .is_some_and(|from| view.has(from, "iban"))
}

fn ends(view: View<'_>, start: usize) -> Option<usize> {
    let country = [view.at(start), view.at(start + 1)].map(|letter| letter.to_ascii_uppercase());
    let (_, length) = COUNTRIES.iter().find(|(code, _)| **code == country)?;
    let mut number = [0_u8; LENGTH_MAX];
    let mut at = start;
    for slot in number.get_mut(..*length).filter(|all| !all.is_empty())? {
        if matches!(view.at(at), b' ' | b'-') {
            at += 1;
        }
        at = view.after_escaped_blank(at).unwrap_or(at);
        *slot = view.at(at).to_ascii_uppercase();
        if !slot.is_ascii_alphanumeric() {
            return None;
        }
        at += 1;
    }
    let number = number.get(..*length)?;
    (!is_word(view.at(at)) && remainder(number) == 1).then_some(at)
}

/// What is left of the number by 97, its first four characters last and letters counted from ten.
fn remainder(number: &[u8]) -> u32 {
    let (first, rest) = number.split_at(number.len().min(4));
    rest.iter().chain(first).fold(0, |left, character| {
        match char::from(*character).to_digit(36) {
            Some(value @ 10..) => (left * 100 + value) % 97,
            Some(value) => (left * 10 + value) % 97,
            None => left,
        }
    })
}
