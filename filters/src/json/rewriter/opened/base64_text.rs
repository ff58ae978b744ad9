//! Base64 (RFC 4648) as it is found in strings, and written again in the form it was found in.
//!
//! Guarantees: one alphabet, padding as its form has it, no bits left over, no line breaks: each document
//! has one text in each form.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base64Text {
    /// The alphabet of section 4, padded; also what could be of either alphabet.
    Standard,
    /// The alphabet of section 5, padded.
    Url,
    /// The alphabet of section 5, or what could be of either, without padding.
    UrlBare,
}

impl Base64Text {
    /// What a text says, and its form; none when it is not base64.
    pub(super) fn decode(text: &str) -> Option<(Vec<u8>, Self)> {
        let form = match (text.contains(['-', '_']), text.contains('=')) {
            (true, true) => Self::Url,
            (true, false) => Self::UrlBare,
            (false, _) if text.len().is_multiple_of(4) => Self::Standard,
            (false, _) if text.contains(['+', '/', '=']) => return None,
            (false, _) => Self::UrlBare,
        };
        let decoded = form.engine().decode(text).ok()?;
        Some((decoded, form))
    }

    /// The text of these bytes.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        self.engine().encode(bytes)
    }

    const fn engine(self) -> &'static GeneralPurpose {
        match self {
            Self::Standard => &STANDARD,
            Self::Url => &URL_SAFE,
            Self::UrlBare => &URL_SAFE_NO_PAD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_and_written_again() {
        use Base64Text::{Standard, Url, UrlBare};
        for (text, form) in [
            ("aGk=", Standard),
            ("aGlq", Standard),
            ("+/8=", Standard),
            ("-_8=", Url),
            ("-_8", UrlBare),
            ("aGk", UrlBare),
            ("-_-_", UrlBare),
        ] {
            let (bytes, told) = Base64Text::decode(text).unwrap();
            assert_eq!(told, form, "{text}");
            assert_eq!(told.encode(&bytes), text);
        }
    }

    #[test]
    fn what_is_not_exactly_one_form_is_refused() {
        for text in [
            "a", "aGl=", "aGk==", "aG=k", "=", "====", "+/8", "+_8=", "-/8", "aGk=\n", "aG k=",
            " aGk=", "aGkéé", "aGk=aGk=", "aGm=", "-_9", "aG\u{0}k",
        ] {
            assert!(Base64Text::decode(text).is_none(), "{text}");
        }
    }
}
