//! UTF-8 by the window: the vectorised check of `simdutf8`, for texts that may end within a character.

/// How many bytes of a text are whole characters; none when the text is not UTF-8. At most three bytes
/// at the end are left over, and they begin a valid character.
pub(super) fn whole_characters(text: &[u8]) -> Option<usize> {
    let whole = text.len() - begun(text);
    let (characters, rest) = text.split_at_checked(whole)?;
    simdutf8::basic::from_utf8(characters).ok()?;
    match std::str::from_utf8(rest) {
        Ok(_) => Some(text.len()),
        Err(error) => error.error_len().is_none().then_some(whole),
    }
}

/// How many bytes at the end are the beginning of a longer character.
fn begun(text: &[u8]) -> usize {
    let mut length = 0;
    for byte in text.iter().rev().take(3) {
        length += 1;
        match byte {
            0x80..=0xBF => {}
            0xC0..=0xDF if length < 2 => return length,
            0xE0..=0xEF if length < 3 => return length,
            0xF0..=0xFF if length < 4 => return length,
            _ => return 0,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    /// What the standard library says of the same text.
    fn expected(text: &[u8]) -> Option<usize> {
        match std::str::from_utf8(text) {
            Ok(_) => Some(text.len()),
            Err(error) => error.error_len().is_none().then_some(error.valid_up_to()),
        }
    }

    /// Bytes at the ends of every range that RFC 3629 section 4 distinguishes.
    const EDGES: &[u8] = &[
        0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
        0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];

    #[test]
    fn agrees_with_the_standard_library_on_every_end() {
        let mut compared = 0;
        for before in [
            "",
            "a",
            "żółć",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
        ] {
            for at in 0..EDGES.len().pow(4) {
                let digit = |place: u32| EDGES[at / EDGES.len().pow(place) % EDGES.len()];
                let end = [digit(0), digit(1), digit(2), digit(3)];
                for length in 0..=4 {
                    let text = [before.as_bytes(), &end[..length]].concat();
                    assert_eq!(whole_characters(&text), expected(&text), "{text:x?}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 4 * 5 * 390_625);
    }

    #[test]
    fn agrees_at_every_cut_of_a_long_text() {
        let text =
            "the invoice für Größe żółć 💶 παρακαλώ привет \u{7FF}\u{800}\u{FFFF}\u{10FFFF} "
                .repeat(9);
        for cut in 0..text.len() {
            let text = &text.as_bytes()[..cut];
            assert_eq!(whole_characters(text), expected(text), "{cut}");
            let mut wrong = text.to_vec();
            if let Some(byte) = wrong.get_mut(cut / 2) {
                *byte = 0xFF;
                assert_eq!(whole_characters(&wrong), None, "{cut}");
            }
        }
    }
}
