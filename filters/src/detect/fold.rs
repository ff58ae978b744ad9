//! Which bytes may begin a character that is searched as another one ([`fold`] says as which).

use std::sync::LazyLock;

pub(super) use postern_config::detect::fold;

/// Whether a byte can be part of a character that is searched for as a digit or as `@`: those, and
/// the first bytes of characters beyond ASCII that [`fold`] turns into one.
pub(super) const fn may_be_digit_or_at(byte: u8) -> bool {
    matches!(
        byte,
        b'0'..=b'9' | b'@' | 0xD9 | 0xDB | 0xDF | 0xE0 | 0xE1 | 0xEA | 0xEF | 0xF0
    )
}

/// Whether a byte can be the first of a character that [`fold`] changes or leaves out, or whose
/// lower case a list of words may not spell out (Greek, Cyrillic, the Kelvin sign).
pub(super) const fn may_change(byte: u8) -> bool {
    matches!(
        byte,
        0..=0x08 | 0x0E..=0x1F | 0x7F | 0xC2 | 0xCD..=0xD1 | 0xD6 | 0xD8 | 0xE1..=0xE3 | 0xF3
    ) || byte > 0x7F && may_be_digit_or_at(byte)
}

/// Whether any byte of a text [`may_change`].
pub(super) fn any_may_change(text: &[u8]) -> bool {
    // PERF: most texts have none: all are looked up, without a branch for each (`postern bench`, free text).
    static CHANGES: LazyLock<[bool; 256]> =
        LazyLock::new(|| std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(may_change)));
    let table: &[bool; 256] = &CHANGES;
    let changes = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(true);
    text.iter().fold(false, |found, byte| found | changes(byte))
}

/// How many bytes at the front are characters of ASCII that are searched as they are, and are no backslash.
pub(crate) fn plain_length(text: &[u8]) -> usize {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\';
    let first = text.iter().position(|byte| !plain(byte));
    first.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_searched_as_it_is() {
        for byte in 0..=u8::MAX {
            let plain = plain_length(&[byte, b'a']) == 2;
            let character = char::from(byte);
            let is_itself = byte.is_ascii() && fold(character) == Some(character);
            assert!(is_itself || !plain, "{byte}");
        }
        assert_eq!(plain_length("Jane Doe\\u0041".as_bytes()), 8);
        assert_eq!(plain_length("Zoé".as_bytes()), 2);
    }

    #[test]
    fn the_prefilter_knows_every_character_that_becomes_a_digit_or_an_at() {
        for character in '\0'..=char::MAX {
            let Some(folded) = fold(character) else {
                continue;
            };
            if folded.is_ascii_digit() || folded == '@' {
                let mut bytes = [0; 4];
                let first = character.encode_utf8(&mut bytes).as_bytes()[0];
                assert!(may_be_digit_or_at(first), "{character:?}");
            }
        }
    }

    #[test]
    fn the_prefilter_of_secrets_knows_every_character_that_is_changed_or_left_out() {
        for character in '\0'..=char::MAX {
            let mut bytes = [0; 4];
            let first = character.encode_utf8(&mut bytes).as_bytes()[0];
            assert!(
                fold(character) == Some(character) || may_change(first),
                "{character:?}"
            );
        }
    }
}
