//! Placeholders and handles are told from everything else, and tokens come back beside their names, in the encoding of
//! their place.

use proptest::prelude::*;

use super::*;

const TOKEN: &[u8] = b"a/b+c= \"q\\r<%&";

fn placeholder() -> Placeholder {
    Placeholder::new([0xC5; 16])
}

fn known(asked: &Placeholder) -> Option<Vec<u8>> {
    (*asked == placeholder()).then(|| TOKEN.to_vec())
}

/// What stands for a token under the name `t`.
fn named(asked: &Placeholder, name: &[u8]) -> Option<Vec<u8>> {
    known(asked).filter(|_| name == b"t")
}

fn text_of(swapped: Option<Vec<u8>>) -> Option<String> {
    swapped.map(|text| String::from_utf8(text).expect("text"))
}

#[test]
fn texts_have_their_fixed_forms() {
    let zero = Placeholder::new([0; 16]);
    assert_eq!(zero.as_str().len(), Placeholder::LENGTH);
    assert!(zero.as_str().starts_with("pnp_0000000000000000000000"));
    let most = Placeholder::new([0xFF; 16]);
    assert!(most.as_str().starts_with("pnp_7n42DGM5Tflk9n8mt7Fhc7"));
    let handle = Handle::new([0xFF; 32]).text();
    assert_eq!((handle.len(), Handle::LENGTH), (53, 53));
    assert_eq!(Placeholder::LENGTH, 32);
}

#[test]
fn a_changed_character_is_noticed_at_every_place() {
    let text = placeholder().to_string();
    for at in 0..text.len() {
        for other in ['0', 'A', 'z', '_'] {
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other.to_string());
            let parsed = Placeholder::parse(changed.as_bytes());
            assert_eq!(parsed.is_some(), changed == text, "{changed}");
        }
    }
    assert_eq!(Placeholder::parse(&text.as_bytes()[..31]), None);
    assert_eq!(Placeholder::parse(format!("{text}0").as_bytes()), None);
    assert_eq!(Placeholder::parse(b""), None);
}

#[test]
fn a_number_that_does_not_fit_is_none() {
    // A valid checksum over digits that stand for 2^128 and more.
    for digits in ["7n42DGM5Tflk9n8mt7Fhc8", "zzzzzzzzzzzzzzzzzzzzzz"] {
        let mut text = format!("pnp_{digits}");
        let check = checksum(text.as_bytes());
        text.push_str(&base62(&check, CHECK_DIGITS));
        assert_eq!(Placeholder::parse(text.as_bytes()), None);
    }
}

#[test]
fn one_kind_is_not_the_other() {
    let handle = Handle::new([7; 32]).text();
    assert!(Placeholder::parse(handle.as_bytes()).is_none());
    assert!(Handle::parse(handle.replace("pnh_", "pnp_").as_bytes()).is_none());
    assert!(Handle::parse(handle.as_bytes()).is_some_and(|parsed| parsed.bytes() == &[7; 32]));
}

#[test]
fn a_token_comes_back_in_the_encoding_of_its_place() {
    let name = placeholder();
    let cases = [
        (
            Place::Url,
            "/{}?t={}&u={}",
            "a%2Fb%2Bc%3D%20%22q%5Cr%3C%25%26",
        ),
        (
            Place::Form,
            "u={}&t={}&{}",
            "a%2Fb%2Bc%3D+%22q%5Cr%3C%25%26",
        ),
        (
            Place::Json,
            r#"[{"u":"{}","t":"{}"},"{}"]"#,
            "a/b+c= \\\"q\\\\r<%&",
        ),
        (
            Place::Xml,
            "<u>{}</u><t>{}</t>{}",
            "a/b+c= &#34;q\\r&lt;%&amp;",
        ),
    ];
    for (place, text, written) in cases {
        let text = text.replace("{}", name.as_str());
        let (after, found) = swap_text(text.as_bytes(), place, named).expect("writable");
        let mut pieces = text.split(name.as_str());
        let mut next = || pieces.next().expect("a piece");
        let expected = [
            next(),
            name.as_str(),
            next(),
            written,
            next(),
            name.as_str(),
            next(),
        ];
        assert_eq!(text_of(after), Some(expected.concat()), "{place:?}");
        assert_eq!((found.swapped, found.unknown), (1, 2));
    }
    let text = format!("Bearer {name}, pnp_pnp_{name}pnp_");
    let (after, found) = swap_field(text.as_bytes(), known).expect("writable");
    let token = String::from_utf8_lossy(TOKEN);
    assert_eq!(
        text_of(after),
        Some(format!("Bearer {token}, pnp_pnp_{token}pnp_"))
    );
    assert_eq!(found.swapped, 2);
}

#[test]
fn a_value_of_its_own_is_swapped_as_a_whole() {
    let swapped = |text: &str, name: &str| {
        let text = text.replace("{}", placeholder().as_str());
        let (after, _) = swap_value(text.as_bytes(), name.as_bytes(), named).expect("writable");
        text_of(after)
    };
    let token = String::from_utf8_lossy(TOKEN);
    assert_eq!(swapped("{}", "t"), Some(token.clone().into_owned()));
    assert_eq!(swapped("Bearer {}", "t"), Some(format!("Bearer {token}")));
    for (text, name) in [("{}", "u"), ("{} ", "t"), ("t={}", "t"), ("{}{}", "t")] {
        assert_eq!(swapped(text, name), None, "{text}");
    }
}

#[test]
fn what_is_not_known_stays_and_is_counted() {
    let other = Placeholder::new([1; 16]);
    let text = format!("{other} {} pnp_ pnp_short", placeholder());
    let (_, found) = swap_field(text.as_bytes(), known).expect("writable");
    assert_eq!((found.swapped, found.unknown), (1, 1));
    let (unchanged, found) = swap_text(b"nothing pnp_", Place::Url, named).expect("writable");
    assert_eq!((unchanged, found.swapped + found.unknown), (None, 0));
}

#[test]
fn a_token_that_would_end_its_place_is_refused() {
    let text = placeholder().to_string();
    let header = swap_field(text.as_bytes(), |_| Some(b"a\r\nb".to_vec()));
    assert_eq!(header, Err(SwapError::Control));
    let text = format!("{{\"t\":\"{text}\"}}");
    let json = swap_text(text.as_bytes(), Place::Json, |_, _| Some(b"\xFF".to_vec()));
    assert_eq!(json, Err(SwapError::Encoding));
}

#[test]
fn nothing_of_a_handle_is_shown() {
    assert_eq!(
        format!("{:?} {:?}", Handle::new([9; 32]), placeholder()),
        "Handle Placeholder"
    );
}

proptest! {
    #[test]
    fn every_number_has_one_text(placed: [u8; 16], handled: [u8; 32]) {
        let name = Placeholder::new(placed);
        prop_assert_eq!(Placeholder::parse(name.as_str().as_bytes()), Some(name.clone()));
        let number: Option<[u8; 16]> = of_base62(&name.as_str().as_bytes()[4..26]);
        prop_assert_eq!(number, Some(placed));
        let handle = Handle::new(handled).text();
        prop_assert_eq!(handle.len(), Handle::LENGTH);
        prop_assert!(Handle::parse(handle.as_bytes()).is_some_and(|h| h.bytes() == &handled));
    }
}
