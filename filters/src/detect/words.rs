//! Words before a number that say what it is.
//!
//! They are looked for over letters, blanks and light punctuation only, so that neither another number
//! nor what takes the place of something found comes between. The nearest telling word decides. Of a word
//! such as `number` the word right before it says whose number it is: `phone number` is one of telephones,
//! `order number` and `phone order number` are not.

mod lists;

use unicode_normalization::UnicodeNormalization;

use super::view::View;
use lists::{BEGINNINGS, CALLS, NUMBERS, WORDS};

/// How far back words count, in bytes.
const REACH: usize = 48;

/// What a word makes of the number after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// A telephone number.
    Phone,
    /// A social security number.
    Ssn,
    /// The number of an order, invoice, ticket: of a thing, not of a person.
    Thing,
    /// A version.
    Version,
}

/// What the nearest telling word before `place` says. Apart from it, in another line, cell, bracket or sentence, a
/// word may still say whose number comes, but makes no number a thing's: `Where is my order? 212-555-0187`.
pub(super) fn topic_before(view: View<'_>, place: usize) -> Option<Topic> {
    let mut apart = false;
    let said = nearest(view, place, &mut apart);
    said.filter(|said| !apart || matches!(said, Topic::Phone | Topic::Ssn))
}

/// The same wherever the word stands; whether that is apart.
fn nearest(view: View<'_>, place: usize, apart: &mut bool) -> Option<Topic> {
    let mut at = place;
    while place - at < REACH && may_be_between(view.before(at)) {
        at -= 1;
    }
    // Behind a word or a sign for a number: what it says where the word before it says nothing.
    let mut number = None;
    for (index, (word, gap)) in words_back(view.span(at, place)).enumerate() {
        // A sign right before the digits belongs to them: `order #4155550102`.
        let signs = if index == 0 { b"".as_slice() } else { b"#*{" };
        *apart |= gap.iter().any(|byte| parts(*byte) || signs.contains(byte));
        if number.is_none() && gap.contains(&b'#') {
            number = Some(None);
        }
        let by_itself = numbers(word);
        match number {
            Some(said) if !gap.iter().all(|byte| joins(*byte)) => return said,
            // A security's number is a thing, a social security number is not.
            Some(_) if by_itself.is_some() || word.eq_ignore_ascii_case(b"security") => {}
            Some(said) => return owner(word).or(said),
            None if by_itself.is_some() => number = Some(by_itself),
            None => {
                let said = topic(word);
                if said.is_some() {
                    return said;
                }
            }
        }
    }
    number.flatten()
}

/// The words of a text from its last one on, each with what stands between it and the one after it.
fn words_back(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let begin = |text: &[u8], letters: bool| {
        let before = text.iter().rposition(|byte| is_letter(*byte) != letters);
        before.map_or(0, |before| before + 1)
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let (before, gap) = rest.split_at(begin(rest, false));
        let (left, word) = before.split_at(begin(before, true));
        rest = left;
        (!word.is_empty()).then_some((word, gap))
    })
}

/// What the word right before `place` says, one blank or a sign between.
pub(super) fn word_before(view: View<'_>, place: usize) -> Option<Topic> {
    let mut end = place;
    while place - end < 2 && matches!(view.before(end), b' ' | b':' | b'=') {
        end -= 1;
    }
    let mut at = end;
    while end - at < REACH && is_letter(view.before(at)) {
        at -= 1;
    }
    topic(view.span(at, end))
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

const fn may_be_between(byte: u8) -> bool {
    is_letter(byte) || joins(byte) || parts(byte) || matches!(byte, b'\n' | b',')
}

/// What parts a number from what is said before it.
const fn parts(byte: u8) -> bool {
    matches!(
        byte,
        b'\r' | b'\t' | b')' | b'[' | b'?' | b'!' | b';' | b'>' | b'|' | b'&'
    )
}

/// What may stand between `phone` and `number` that are said together: `"phone_number"`, `tel. (no.)`.
const fn joins(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b':' | b'.' | b'-' | b'\'' | b'"' | b'(' | b'=' | b'_' | b'#' | b'*' | b'{'
    )
}

/// What one word says.
fn topic(word: &[u8]) -> Option<Topic> {
    let text = spelled(word)?;
    exactly(&text)
        .or_else(|| beginning(&text))
        .or_else(|| exactly(stem(&text)?))
}

/// What a word such as `number` says by itself.
fn numbers(word: &[u8]) -> Option<Topic> {
    let is_word = |number: &str| word.eq_ignore_ascii_case(number.as_bytes());
    let number = NUMBERS.iter().find(|(number, _)| is_word(number));
    number.map(|(_, topic)| *topic)
}

/// What a word says of the number whose word or sign it stands before.
fn owner(word: &[u8]) -> Option<Topic> {
    let text = spelled(word)?;
    match text.as_str() {
        // `SS# 123456789`
        "ss" => Some(Topic::Ssn),
        call if CALLS.contains(&call) => None,
        _ => topic(word),
    }
}

/// A word in the spelling of the lists: in lower case, its letters composed.
fn spelled(word: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(word).ok()?.to_lowercase();
    Some(match text.is_ascii() {
        true => text,
        false => text.nfc().collect(),
    })
}

fn exactly(text: &str) -> Option<Topic> {
    let found = WORDS.iter().find(|(_, words)| words.contains(&text));
    found.map(|(topic, _)| *topic)
}

fn beginning(text: &str) -> Option<Topic> {
    // In scripts that write without blanks, or the article as part of the word, a word may be anywhere.
    let anywhere = |word: &str| word >= "\u{600}" && text.contains(word);
    let begins = |word: &&str| text.starts_with(*word) || anywhere(word);
    let found = BEGINNINGS
        .iter()
        .find(|(_, words)| words.iter().any(begins));
    found.map(|(topic, _)| *topic)
}

/// What stands before the word for a number in one word: `faxnummer`, `cellNo`, `FAX番号`.
fn stem(text: &str) -> Option<&str> {
    let ends = ["nummer", "number", "番号", "号码", "號碼", "nr", "no"];
    let stem = ends.iter().find_map(|end| text.strip_suffix(end))?;
    Some(stem).filter(|stem| !CALLS.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_telling_word_decides() {
        for (text, expected) in [
            ("my phone is ", Some(Topic::Phone)),
            ("hotel ", None),
            ("phone for order ", Some(Topic::Thing)),
            ("order by phone: ", Some(Topic::Phone)),
            ("phone 12 or ", None),
            ("phone [redacted] or ", None),
            ("Téléphone : ", Some(Topic::Phone)),
            ("我的电话是", Some(Topic::Phone)),
            ("SSN for verification: ", Some(Topic::Ssn)),
            ("Phone (home); ", Some(Topic::Phone)),
            ("phone: [", Some(Topic::Phone)),
            ("phone?: ", Some(Topic::Phone)),
            ("покупатель ", None),
            ("", None),
        ] {
            let view = View::new(text.as_bytes());
            assert_eq!(topic_before(view, text.len()), expected, "{text}");
        }
        let view = View::new(b"version 1");
        assert_eq!(word_before(view, 8), Some(Topic::Version));
        assert_eq!(word_before(View::new(b"a version of 1"), 13), None);
    }

    #[test]
    fn words_are_listed_as_they_are_compared() {
        let listed = WORDS
            .iter()
            .chain(&BEGINNINGS)
            .flat_map(|(_, words)| *words);
        for word in listed.chain(&CALLS) {
            assert_eq!(spelled(word.as_bytes()).as_deref(), Some(*word));
        }
    }

    #[test]
    fn the_word_before_says_whose_number_it_is() {
        for (text, expected) in [
            ("my phone number is ", Some(Topic::Phone)),
            ("mobile no. ", Some(Topic::Phone)),
            ("contact number ", Some(Topic::Phone)),
            ("tel. (no.): ", Some(Topic::Phone)),
            (r#""phone": {"number": ""#, Some(Topic::Phone)),
            ("Handynummer ", Some(Topic::Phone)),
            ("Rückrufnummer ", Some(Topic::Phone)),
            ("Ru\u{308}ckrufnummer ", Some(Topic::Phone)),
            ("faxNo ", Some(Topic::Phone)),
            ("FAX番号: ", Some(Topic::Phone)),
            ("phone #", Some(Topic::Phone)),
            ("phone no. #", Some(Topic::Phone)),
            ("social security number (", Some(Topic::Ssn)),
            ("SSN No. ", Some(Topic::Ssn)),
            ("security no. ", Some(Topic::Thing)),
            ("SS# ", Some(Topic::Ssn)),
            ("Nummer ", Some(Topic::Phone)),
            ("Bestellung Nummer ", Some(Topic::Thing)),
            ("order number ", Some(Topic::Thing)),
            ("phone order number ", Some(Topic::Thing)),
            ("phone model number ", Some(Topic::Thing)),
            ("by phone, number ", Some(Topic::Thing)),
            ("call no. ", Some(Topic::Thing)),
            ("ticket #", Some(Topic::Thing)),
            ("number #", None),
            ("call #", None),
            ("phone about #", None),
            ("phone, #", None),
            ("#", None),
        ] {
            let view = View::new(text.as_bytes());
            assert_eq!(topic_before(view, text.len()), expected, "{text}");
        }
    }
}
