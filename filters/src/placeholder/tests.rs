//! Placeholders and handles are told from everything else, and tokens come back in the encoding of their
//! place, however a text is split.

use proptest::prelude::*;

use super::*;
use crate::body_filter::{BodyError, BodyFilter};

const TOKEN: &[u8] = b"a/b+c= \"q\\r<%&";

fn placeholder() -> Placeholder {
    Placeholder::new([0xC5; 16])
}

fn known(asked: &Placeholder) -> Option<Vec<u8>> {
    (*asked == placeholder()).then(|| TOKEN.to_vec())
}

fn swapped(place: Place, text: &str) -> String {
    let (text_after, _) = swap_text(text.as_bytes(), place, known).expect("writable");
    String::from_utf8(text_after.unwrap_or_else(|| text.into())).expect("text")
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
        (Place::Header, "a/b+c= \"q\\r<%&"),
        (Place::Plain, "a/b+c= \"q\\r<%&"),
        (Place::Url, "a%2Fb%2Bc%3D%20%22q%5Cr%3C%25%26"),
        (Place::Form, "a%2Fb%2Bc%3D+%22q%5Cr%3C%25%26"),
        (Place::Json, "a/b+c= \\\"q\\\\r<%&"),
    ];
    for (place, expected) in cases {
        let text = format!("Bearer {name}, pnp_pnp_{name}pnp_");
        let after = format!("Bearer {expected}, pnp_pnp_{expected}pnp_");
        assert_eq!(swapped(place, &text), after, "{place:?}");
    }
}

#[test]
fn what_is_not_known_stays_and_is_counted() {
    let other = Placeholder::new([1; 16]);
    let text = format!("{other} {} pnp_ pnp_short", placeholder());
    let (_, found) = swap_text(text.as_bytes(), Place::Header, known).expect("writable");
    assert_eq!((found.swapped, found.unknown), (1, 1));
    let (unchanged, found) = swap_text(b"nothing pnp_", Place::Url, known).expect("writable");
    assert_eq!((unchanged, found.swapped + found.unknown), (None, 0));
}

#[test]
fn a_token_that_would_end_its_place_is_refused() {
    let text = placeholder().to_string();
    let with = |token: &'static [u8]| move |_: &Placeholder| Some(token.to_vec());
    let header = swap_text(text.as_bytes(), Place::Header, with(b"a\r\nb"));
    assert_eq!(header, Err(SwapError::Control));
    let json = swap_text(text.as_bytes(), Place::Json, with(b"\xFF"));
    assert_eq!(json, Err(SwapError::Encoding));
    let mut stream = PlaceholderSwap::new(Place::Json, with(b"\xFF"));
    let mut out = Vec::new();
    let failed = stream.push(format!("abc{text}").as_bytes(), &mut out);
    assert!(matches!(failed, Err(BodyError::Malformed { .. })));
    assert_eq!(stream.push(b"x", &mut out), Err(BodyError::Spent));
    assert!(out.is_empty());
}

#[test]
fn nothing_of_a_handle_is_shown() {
    assert_eq!(
        format!("{:?} {:?}", Handle::new([9; 32]), placeholder()),
        "Handle Placeholder"
    );
}

#[test]
fn splitting_does_not_matter() {
    let name = placeholder();
    let text = format!("{{\"a\":\"{name}\",\"pnp_\":\"pnp_{name}{name}pn\"}}p");
    let whole = swapped(Place::Json, &text);
    for split in 0..=text.len() {
        let mut swap = PlaceholderSwap::new(Place::Json, known);
        let mut out = Vec::new();
        let (first, second) = text.as_bytes().split_at(split);
        swap.push(first, &mut out).expect("writable");
        assert!(swap.held.len() < Placeholder::LENGTH);
        swap.push(second, &mut out).expect("writable");
        swap.finish(&mut out).expect("not spent");
        assert_eq!(out, whole.as_bytes());
    }
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
