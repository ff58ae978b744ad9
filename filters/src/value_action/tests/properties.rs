//! What holds of every value: valid JSON comes out, and no more of the value than the action keeps.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;

/// The JSON string of these characters with every one of them escaped.
fn escaped(text: &str) -> String {
    let units: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect();
    format!("\"{units}\"")
}

fn plain(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn parsed(json: &str) -> String {
    serde_json::from_str(json).unwrap()
}

proptest! {
    #[test]
    fn encoding_and_decoding_a_string_is_the_identity(text in ".*") {
        let mut encoded = Vec::new();
        encode(&text, &mut encoded);
        prop_assert_eq!(decode(&encoded).unwrap(), text.as_str());
        prop_assert_eq!(decode(escaped(&text).as_bytes()).unwrap(), text.as_str());
        prop_assert_eq!(parsed(std::str::from_utf8(&encoded).unwrap()), text);
    }

    #[test]
    fn a_mask_keeps_whole_ends_and_never_everything(
        text in "(?s).{0,12}|[a-z👨‍👩‍👧é\u{301}🇩🇪]{0,12}",
        first in 0_usize..5,
        last in 0_usize..5,
    ) {
        let masked = parsed(&apply(&Action::Mask(Mask::Keep { first, last }), &plain(&text)));
        let count = text.graphemes(true).count();
        let kept = if first + last < count { first + last } else { 0 };
        let (start, end) = if kept == 0 { (0, 0) } else { (first, last) };
        let expected: String = text
            .graphemes(true)
            .take(start)
            .chain(["•••"])
            .chain(text.graphemes(true).skip(count - end))
            .collect();
        prop_assert_eq!(masked, expected);
    }

    #[test]
    fn a_mask_by_shape_never_shows_the_whole_value(text in "[+]?[0-9 ()./-]{0,20}|[a-z]{1,3}@[a-z]{1,3}[.][a-z]{2}") {
        let masked = parsed(&apply(&BY_SHAPE, &plain(&text)));
        prop_assert!(masked.contains("•••"));
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        prop_assert!(digits(&masked) == 0 || digits(&masked) + 3 <= digits(&text), "{text} {masked}");
    }

    #[test]
    fn every_action_gives_valid_json_of_every_scalar(
        text in ".*",
        number in "-?(0|[1-9][0-9]{0,40})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,20})?",
        which in 0_usize..8,
    ) {
        let actions = [
            REDACT,
            BY_SHAPE,
            KEEP_LAST_4,
            Action::Generalize(Generalize::Year),
            Action::Generalize(Generalize::Month),
            Action::Generalize(Generalize::Bucket(7)),
            Action::Generalize(Generalize::Prefix(2)),
            Action::Pseudonym(PseudonymScope::Tenant),
        ];
        for raw in [plain(&text), escaped(&text), number] {
            let out = apply(&actions[which], &raw);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{raw} {out}");
        }
    }

    #[test]
    fn a_bucket_holds_its_number(value in -1_000_000_i64..1_000_000, cents in 0_u8..100, width in 1_u64..5_000) {
        let out = apply(&Action::Generalize(Generalize::Bucket(width)), &format!("{value}.{cents:02}"));
        let lower: i128 = out.parse().unwrap();
        let (width, hundred) = (i128::from(width), 100);
        let sign = if value < 0 { -1 } else { 1 };
        let exact = i128::from(value) * hundred + sign * i128::from(cents);
        prop_assert_eq!(lower.rem_euclid(width), 0);
        prop_assert!(lower * hundred <= exact && exact < (lower + width) * hundred);
    }

    #[test]
    fn one_value_has_one_token_however_it_is_written(value in any::<i64>(), zeros in 0_usize..9, text in ".*") {
        let who = reader("a", "t");
        let of = |raw: &str| token(PseudonymScope::Role, &who, &["r"], raw);
        let decimals = format!("{value}.{}", "0".repeat(zeros + 1));
        let shifted = format!("{value}{}e-{zeros}", "0".repeat(zeros));
        prop_assert_eq!(of(&value.to_string()), of(&decimals));
        prop_assert_eq!(of(&value.to_string()), of(&shifted));
        prop_assert_eq!(of(&plain(&text)), of(&escaped(&text)));
    }
}
