//! Characters that are written in more than one way: a letter with its marks may be one character or
//! several (UAX #15).

use std::iter::once;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Whether a character is a mark on the letter before it.
pub(super) fn is_mark(character: char) -> bool {
    character >= '\u{300}' && canonical_combining_class(character) != 0
}

/// A text's letters, each with where it begins and with all that may be one character with it.
pub(super) fn letters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let first = rest.chars().next()?;
        let after = rest.get(first.len_utf8()..)?;
        let goes_on = after.find(|character| !goes_on(character));
        let (letter, _) = rest.split_at(first.len_utf8() + goes_on.unwrap_or(after.len()));
        let start = from;
        from += letter.len();
        Some((start, letter))
    })
}

/// Whether a character may be one with the character before it.
fn goes_on(character: char) -> bool {
    let joins = || is_nfc_quick(once(character)) == IsNormalized::Maybe;
    character >= '\u{300}' && (is_mark(character) || joins())
}

/// Appends a text as it is compared, however it is written and whatever its case: its letters composed,
/// both spellings of sharp s and of the Greek sigma, and every i, with or without a dot, as one.
pub(super) fn push_comparable(text: &str, out: &mut String) {
    // PERF: most letters are of ASCII.
    if text.is_ascii() {
        out.extend(text.chars().map(|letter| letter.to_ascii_lowercase()));
        return;
    }
    for lower in text.chars().flat_map(char::to_lowercase).nfc() {
        match lower {
            'ß' => out.push_str("ss"),
            'ς' => out.push('σ'),
            'ı' => out.push('i'),
            // What lower case makes of the dot of a capital i.
            '\u{307}' => {}
            _ => out.push(lower),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparable(text: &str) -> String {
        let mut out = String::new();
        push_comparable(text, &mut out);
        out
    }

    #[test]
    fn letter_by_letter_is_the_same_as_all_at_once() {
        for text in [
            "José Ünal",
            "Nguyễn Ệ",
            "김민수",
            "パスワード",
            "İJ\u{30c}x\u{301}\u{323}",
        ] {
            for text in [text.nfc().collect::<String>(), text.nfd().collect()] {
                let mut out = String::new();
                for (start, letter) in letters(&text) {
                    assert_eq!(text.get(start..start + letter.len()), Some(letter));
                    push_comparable(letter, &mut out);
                }
                assert_eq!(out, comparable(&text));
                assert_eq!(out, comparable(&text.nfc().collect::<String>()));
            }
        }
    }

    /// What is composed of several characters is one letter, whichever they are.
    #[test]
    fn every_character_is_one_letter_when_it_is_taken_apart() {
        for character in '\0'..=char::MAX {
            let apart: String = once(character).nfd().collect();
            let whole: String = apart.nfc().collect();
            if whole.chars().eq([character]) && apart.chars().nth(1).is_some() {
                assert_eq!(letters(&apart).count(), 1, "{character:?}");
            }
        }
    }
}
