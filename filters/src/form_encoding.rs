//! Names and values of forms and queries (`application/x-www-form-urlencoded`), decoded once: a plus sign is a space,
//! and `%` begins an escape.

use percent_encoding::percent_decode;

/// The bytes that a lenient reader makes of a name or a value: what is no escape stays as it is written.
pub(crate) fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).collect()
}

/// The text that every reader makes of a name or a value; none where an escape is malformed, or where what was escaped
/// is not UTF-8.
pub(crate) fn decoded_alike(text: &str) -> Option<String> {
    let is_hex = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut escapes = text.split('%').skip(1);
    let well_formed = escapes.all(|after| after.get(..2).is_some_and(is_hex));
    well_formed
        .then(|| String::from_utf8(decoded(text.as_bytes())).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_sign_is_a_space_and_an_escaped_one_is_itself() {
        assert_eq!(decoded(b"a+b%2Bc%20d"), b"a b+c d");
        assert_eq!(decoded_alike("a+b%2Bc%20d").unwrap(), "a b+c d");
        assert_eq!(decoded_alike("").unwrap(), "");
    }

    #[test]
    fn what_readers_take_differently_is_left_as_it_is_or_refused() {
        for (text, lenient) in [
            ("50%", "50%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%%41", "%A"),
            ("%4é", "%4é"),
            ("%+1", "% 1"),
        ] {
            assert_eq!(decoded(text.as_bytes()), lenient.as_bytes(), "{text}");
            assert_eq!(decoded_alike(text), None, "{text}");
        }
        assert_eq!(decoded(b"%ff"), b"\xff");
        assert_eq!(decoded_alike("%ff"), None);
    }

    #[test]
    fn what_an_escape_makes_is_not_decoded_again() {
        assert_eq!(decoded_alike("%2541%2b").unwrap(), "%41+");
    }
}
