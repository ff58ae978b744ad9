//! What a character stands for when text is searched: what readers take for the same is the same.
//!
//! Digits of every script are ASCII digits, full-width forms are the plain ones, every dash is `-` and
//! every blank is a blank; characters that show nothing are left out. So neither `４１１１`, nor a
//! non-breaking hyphen, nor a zero-width space between two digits hides a number from the detectors.

/// Where each script's decimal digits begin (Unicode 15, general category Nd, full-width and mathematical ones apart).
const ZEROS: [u32; 61] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0,
    0x16B50, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0,
];

/// The mathematical digits: five sets of ten in a row.
const MATHEMATICAL: std::ops::RangeInclusive<u32> = 0x1D7CE..=0x1D7FF;

/// What full-width forms are away from ASCII.
const FULL_WIDTH: u32 = 0xFEE0;

/// The character that is searched for this one; none for one that shows nothing.
#[must_use]
#[inline]
pub fn fold(character: char) -> Option<char> {
    match character {
        // Control characters that move nothing: most readers show them as nothing.
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' => None,
        '\t'..='\r' | ' '..='\u{7e}' => Some(character),
        _ => fold_beyond_ascii(character),
    }
}

fn fold_beyond_ascii(character: char) -> Option<char> {
    if is_invisible(character) {
        return None;
    }
    Some(match character {
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\u{2800}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => ' ',
        // General category Pd, the hyphen bullet and the minus sign.
        '\u{58a}'
        | '\u{5be}'
        | '\u{1400}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{2e17}'
        | '\u{2e1a}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{2e40}'
        | '\u{2e5d}'
        | '\u{301c}'
        | '\u{3030}'
        | '\u{30a0}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{10d6e}'
        | '\u{10ead}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2024}' | '\u{3002}' | '\u{fe52}' | '\u{ff61}' => '.',
        '\u{fe55}' => ':',
        '\u{fe6b}' => '@',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - FULL_WIDTH).unwrap_or(character)
        }
        _ => digit(character).unwrap_or(character),
    })
}

/// Characters without a width: joiners, marks of direction, soft hyphens, variation selectors, tags,
/// fillers, whatever else Unicode says to show nothing for (the property `Default_Ignorable_Code_Point`, unassigned
/// characters included), and the control characters of ISO 8859 but for the one that ends a line.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{84}'
            | '\u{86}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The ASCII digit of a decimal digit of another script.
fn digit(character: char) -> Option<char> {
    let code = u32::from(character);
    if MATHEMATICAL.contains(&code) {
        return char::from_digit((code - MATHEMATICAL.start()) % 10, 10);
    }
    let value = |zero: &u32| code.checked_sub(*zero).filter(|value| *value < 10);
    ZEROS
        .iter()
        .find_map(value)
        .and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_digits() {
        for (text, folded) in [
            ("４１１１", "4111"),
            ("٤١١١", "4111"),
            ("४१११", "4111"),
            ("𝟒𝟙𝟣𝟷", "4111"),
            ("4\u{200b}1\u{ad}1\u{2060}1", "4111"),
            ("4\u{2011}1\u{a0}1–1", "4-1 1-1"),
            ("ｊ＠ｘ．ｃｏｍ", "j@x.com"),
            ("é日•", "é日•"),
        ] {
            let found: String = text.chars().filter_map(fold).collect();
            assert_eq!(found, folded, "{text}");
        }
    }

    #[test]
    fn what_unicode_shows_nothing_for_is_left_out() {
        // DerivedCoreProperties, Default_Ignorable_Code_Point.
        for range in [
            '\u{ad}'..='\u{ad}',
            '\u{34f}'..='\u{34f}',
            '\u{61c}'..='\u{61c}',
            '\u{115f}'..='\u{1160}',
            '\u{17b4}'..='\u{17b5}',
            '\u{180b}'..='\u{180f}',
            '\u{200b}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{3164}'..='\u{3164}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{fff0}'..='\u{fff8}',
            '\u{1bca0}'..='\u{1bca3}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{e0000}'..='\u{e0fff}',
        ] {
            for character in range {
                assert_eq!(fold(character), None, "{character:?}");
            }
        }
        for beside in ['\u{fff9}', '\u{1bca4}', '\u{1d172}', '\u{e1000}'] {
            assert_eq!(fold(beside), Some(beside));
        }
    }

    #[test]
    fn every_dash_is_one() {
        // UnicodeData, general category Pd, and two that look like one.
        let dashes = "-֊־᐀᠆‐‑‒–—―⸗⸚⸺⸻⹀\u{2e5d}〜〰゠︱︲﹘﹣－\u{10d6e}\u{10ead}⁃−";
        for dash in dashes.chars() {
            assert_eq!(fold(dash), Some('-'), "{dash:?}");
        }
    }

    #[test]
    fn every_decimal_digit_that_the_standard_library_knows_is_folded() {
        let numeric = ('\u{80}'..=char::MAX).filter(|c| c.is_numeric());
        let folded = numeric.filter(|c| fold(*c).is_some_and(|c| c.is_ascii_digit()));
        assert_eq!(folded.count(), 61 * 10 + 50 + 10);
    }
}
