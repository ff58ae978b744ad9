//! Masks: what is kept of a string, and three dots for the rest.
//!
//! Guarantees: kept pieces are whole grapheme clusters (UAX #29); what is not kept becomes exactly
//! three `•`, so its length stays unknown; a value so short that everything would be kept keeps
//! nothing. It works on decoded characters and knows nothing about JSON.

mod account;

use postern_config::Mask;
use unicode_segmentation::UnicodeSegmentation;

/// What stands for everything that is not kept.
pub(crate) const DOTS: &str = "•••";

/// E.164 allows no more digits; longer runs are card or account numbers.
const PHONE_DIGITS_MAX: usize = 15;
/// Fewer digits are taken for no telephone number.
const PHONE_DIGITS_MIN: usize = 7;
/// What may stand between the digits of a telephone number: what people type, and the spaces and
/// hyphens that do not break or that word processors put there.
const PHONE_DIVIDERS: &str = " ()-./\u{a0}\u{2009}\u{202f}\u{2010}\u{2011}\u{2012}\u{2013}";
/// The digits of a telephone number that stay.
const PHONE_LAST: usize = 4;
/// A country code is kept only when at least this many digits stay hidden.
const PHONE_HIDDEN_MIN: usize = 3;

/// Masks the characters of a string.
pub(crate) fn mask(how: &Mask, text: &str) -> String {
    match how {
        Mask::Keep { first, last } => keep(text, *first, *last),
        Mask::ByShape => by_shape(text),
    }
}

fn keep(text: &str, first: usize, last: usize) -> String {
    let count = text.graphemes(true).count();
    if first.saturating_add(last) >= count {
        return DOTS.to_owned();
    }
    let start: String = text.graphemes(true).take(first).collect();
    let end: String = text.graphemes(true).skip(count - last).collect();
    format!("{start}{DOTS}{end}")
}

/// An e-mail address keeps its first character and its domain; an IBAN its country and its last four
/// characters; a card number its last four digits; a telephone number its country code and its last
/// four digits; anything else nothing.
fn by_shape(text: &str) -> String {
    let card = || account::card_last(text).map(|last| format!("{DOTS}{last}"));
    let iban = || account::iban_ends(text).map(|(country, last)| format!("{country}{DOTS}{last}"));
    email(text)
        .or_else(iban)
        .or_else(card)
        .or_else(|| phone(text))
        .unwrap_or_else(|| DOTS.to_owned())
}

fn email(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let local_ok = !local.is_empty()
        && local
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !"@<>()[],;:\"\\".contains(c));
    let labels_ok = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    if !local_ok || !labels_ok {
        return None;
    }
    let kept = match local.graphemes(true).count() {
        1 => "",
        _ => local.graphemes(true).next()?,
    };
    Some(format!("{kept}{DOTS}@{domain}"))
}

fn phone(text: &str) -> Option<String> {
    let body = text.strip_prefix('+').unwrap_or(text);
    if !body
        .chars()
        .all(|c| c.is_ascii_digit() || PHONE_DIVIDERS.contains(c))
        || is_date_or_address(body)
    {
        return None;
    }
    let digits: Vec<char> = body.chars().filter(char::is_ascii_digit).collect();
    if !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    let country = match body.len() < text.len() {
        true => country_code_digits(&digits),
        false => 0,
    };
    let hidden = digits.len().saturating_sub(PHONE_LAST + country);
    let country: String = match country > 0 && hidden >= PHONE_HIDDEN_MIN {
        true => std::iter::once('+')
            .chain(digits.iter().copied().take(country))
            .collect(),
        false => String::new(),
    };
    let last: String = digits.iter().skip(digits.len() - PHONE_LAST).collect();
    Some(format!("{country}{DOTS}{last}"))
}

/// How many digits the country code has that a number begins with (ITU-T E.164, assigned codes):
/// one for zones 1 and 7, two for the listed ones, three for all others.
fn country_code_digits(digits: &[char]) -> usize {
    let (Some(zone), Some(next)) = (digits.first(), digits.get(1)) else {
        return 0;
    };
    let two = match zone {
        '1' | '7' => return 1,
        '2' => "07",
        '3' => "0123469",
        '4' => "013456789",
        '5' => "12345678",
        '6' => "0123456",
        '8' => "1246",
        '9' => "0123458",
        _ => "",
    };
    if two.contains(*next) { 2 } else { 3 }
}

/// Whether digits and separators look like a date (`2024-05-17`, `17.05.2024`, `20240517`) or an IPv4
/// address: their last digits are not to be shown as if they were those of a telephone number.
fn is_date_or_address(body: &str) -> bool {
    if is_compact_date(body) {
        return true;
    }
    let groups: Vec<&str> = body.split(['-', '.', '/', ' ']).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let date = matches!(
        lengths.as_slice(),
        [4, 1..=2, 1..=2, ..] | [1..=2, 1..=2, 4, ..]
    );
    let address = lengths.len() == 4 && lengths.iter().all(|length| (1..=3).contains(length));
    date || (address && body.matches('.').count() == 3)
}

/// Whether eight digits begin or end with a year of this century or the last, and the other four can be
/// a day and a month in either order.
fn is_compact_date(body: &str) -> bool {
    let bytes = body.as_bytes();
    let (Some((first, last)), 8) = (bytes.split_first_chunk::<4>(), bytes.len()) else {
        return false;
    };
    let is_year = |digits: &[u8]| digits.starts_with(b"19") || digits.starts_with(b"20");
    let is_day = |digits: &[u8]| (&b"01"[..]..=&b"31"[..]).contains(&digits);
    let is_day_and_month = |digits: &[u8]| digits.chunks(2).all(is_day);
    bytes.iter().all(u8::is_ascii_digit)
        && ((is_year(first) && is_day_and_month(last))
            || (is_day_and_month(first) && is_year(last)))
}
