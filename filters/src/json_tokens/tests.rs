//! Answers of real applications, and names and values written in every way JSON has.

use proptest::prelude::*;

use super::*;
use crate::token_rules::samples::{names, none};

const TOKEN: &str = "7c702b61b3500165d61c6baafc65982b8aa637a0";

fn swept(chunks: &[&[u8]]) -> String {
    let mut sweep = JsonTokens::new(none(), |found: FoundToken<'_>| {
        assert_eq!(found.why, Why::Name);
        Instead::Text("pnp_\"".to_owned())
    });
    let mut out = Vec::new();
    for chunk in chunks {
        sweep.push(chunk, &mut out).expect("not spent");
    }
    sweep.finish(&mut out).expect("complete");
    String::from_utf8(out).expect("text")
}

fn whole(text: &str) -> String {
    swept(&[text.as_bytes()])
}

/// Split in two anywhere, or nowhere, and byte by byte.
#[track_caller]
fn assert_left_however_split(text: &str, left: &str) {
    for split in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(split);
        assert_eq!(swept(&[first, second]), left, "split at {split}: {text}");
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(swept(&bytes), left, "{text}");
}

const BOTH: [(&str, &str); 9] = [
    ("{\"token\":\"TOKEN\"}", "{\"token\":\"pnp_\\\"\"}"),
    (
        "{\"a\":[{\"Access-Token\" : \n\"TOKEN\"}],\"b\":1}",
        "{\"a\":[{\"Access-Token\" : \n\"pnp_\\\"\"}],\"b\":1}",
    ),
    (
        "{\"acc\\u0065ss_token\":\"TOKEN\"}",
        "{\"acc\\u0065ss_token\":\"pnp_\\\"\"}",
    ),
    (
        "{\"sessionId\":\"a\\/b\\\"c\\\\\"}",
        "{\"sessionId\":\"pnp_\\\"\"}",
    ),
    (
        "{\"ticket\":\"TOKEN\",\"sid\":\"TOKEN\"}",
        "{\"ticket\":\"pnp_\\\"\",\"sid\":\"pnp_\\\"\"}",
    ),
    (
        "{\"token\":\"TOKEN\",\"token\":\"TOKEN\"}",
        "{\"token\":\"pnp_\\\"\",\"token\":\"pnp_\\\"\"}",
    ),
    (
        "{\"token\":{\"token\":\"TOKEN\"}}",
        "{\"token\":{\"token\":\"pnp_\\\"\"}}",
    ),
    (
        "{\"a\":\"\\\\\",\"jwt\":\"Bearer TOKEN\"}",
        "{\"a\":\"\\\\\",\"jwt\":\"pnp_\\\"\"}",
    ),
    (
        "{\"token\":\"TOKEN\"}\n{\"token\":\"TOKEN\"}\n",
        "{\"token\":\"pnp_\\\"\"}\n{\"token\":\"pnp_\\\"\"}\n",
    ),
];

#[test]
fn tokens_are_found_by_name_at_any_depth_however_written() {
    for (text, left) in BOTH {
        assert_eq!(whole(&text.replace("TOKEN", TOKEN)), left, "{text}");
    }
}

#[test]
fn splitting_does_not_matter() {
    for (text, left) in BOTH {
        assert_left_however_split(&text.replace("TOKEN", TOKEN), left);
    }
}

#[test]
fn everything_else_stays_byte_for_byte() {
    for text in [
        "{\"token\":null,\"sid\":12,\"jwt\":true,\"csrf\":[\"TOKEN\"]}",
        "{\"ticket\":\"HELP-2026-000123\",\"session\":\"open\"}",
        "{\"token\":[\"This field is required.\"],\"sid\":\"\"}",
        "{\"token\":\"This field is required.\"}",
        "[\"token\",\"TOKEN\",\"token:\",\"TOKEN\"]",
        "{\"a\":\"token\",\"b\":\"TOKEN\"}",
        "{\"next_page_token\":\"TOKEN\",\"id\":\"TOKEN\"}",
        "plain text, \"token\"; \"TOKEN",
        "\"a\"+token+\":\"+encodeURIComponent(x)+\"b\"",
        "[\"a\",token,\":\",payload.data,\"b\"].join(\"\")",
        "\"?\"+sid+\":\"+this.name+\"&\"",
        "e?\"a\":token?\":\":\"TOKEN\"",
        "'{\"csrf\":\"'+getCsrf()+'\"}'",
        "",
    ] {
        let text = text.replace("TOKEN", TOKEN);
        assert_eq!(whole(&text), text);
    }
}

#[test]
fn a_name_is_only_looked_at_up_to_its_limit() {
    let name = |length: usize| format!("{{\"{}token\":\"{TOKEN}\"}}", "_".repeat(length - 5));
    assert_ne!(whole(&name(NAME_BYTES_MAX)), name(NAME_BYTES_MAX));
    assert_eq!(whole(&name(NAME_BYTES_MAX + 1)), name(NAME_BYTES_MAX + 1));
}

#[test]
fn a_value_that_is_too_long_is_emptied_unseen() {
    let text = |length: usize| format!("{{\"token\":\"{}\",\"a\":1}}", "x".repeat(length));
    assert_eq!(
        whole(&text(VALUE_BYTES_MAX)),
        "{\"token\":\"pnp_\\\"\",\"a\":1}"
    );
    let long = text(VALUE_BYTES_MAX + 1);
    assert_eq!(whole(&long), "{\"token\":\"\",\"a\":1}");
    let chunks: Vec<&[u8]> = long.as_bytes().chunks(1000).collect();
    assert_eq!(swept(&chunks), "{\"token\":\"\",\"a\":1}");
}

/// What is no JSON: an odd quote before a token hides none, and none that is missing holds anything back.
const LIKE_JSON: [(&str, &str); 14] = [
    (
        "data: a 5\" screen\n\ndata: {\"token\":\"TOKEN\"}\n\n",
        "data: a 5\" screen\n\ndata: {\"token\":\"pnp_\\\"\"}\n\n",
    ),
    (
        "var q='\"'; var s={\"token\" : \"TOKEN\"};",
        "var q='\"'; var s={\"token\" : \"pnp_\\\"\"};",
    ),
    (
        "a(/[\"\\\\]/,{\"token\":\"TOKEN\"})",
        "a(/[\"\\\\]/,{\"token\":\"pnp_\\\"\"})",
    ),
    (
        "\"\\\"\",{\"token\":\"TOKEN\"}",
        "\"\\\"\",{\"token\":\"pnp_\\\"\"}",
    ),
    ("\"{\"token\":\"TOKEN\"}", "\"{\"token\":\"pnp_\\\"\"}"),
    (
        "{\"token\":\"TOKEN\n\"token\":\"TOKEN\r\n",
        "{\"token\":\"pnp_\\\"\n\"token\":\"pnp_\\\"\r\n",
    ),
    (
        "he wrote \"token\":\"abc\n\nand more",
        "he wrote \"token\":\"abc\n\nand more",
    ),
    (
        "var help='\"token\":\"'; var more = {token: 'TOKEN'};",
        "var help='\"token\":\"'; var more = {token: 'TOKEN'};",
    ),
    (
        "'\"token\":\"'; s={\"sid\":\"TOKEN\"}",
        "'\"token\":\"'; s={\"sid\":\"pnp_\\\"\"}",
    ),
    ("\"token\":\"Bearer  TOKEN\"", "\"token\":\"Bearer  TOKEN\""),
    ("\"token\":\"Bearer TOKEN", "\"token\":\"pnp_\\\""),
    ("\"token\":\"TOKEN", "\"token\":\"pnp_\\\""),
    ("\"token\":\"TOKEN\\", "\"token\":\"pnp_\\\""),
    ("\"token\":\"", "\"token\":\""),
];

#[test]
fn what_is_no_json_hides_no_token_and_loses_nothing_however_it_is_split() {
    for (text, left) in LIKE_JSON {
        let (text, left) = (text.replace("TOKEN", TOKEN), left.replace("TOKEN", TOKEN));
        assert_left_however_split(&text, &left);
    }
}

#[test]
fn what_can_be_no_token_is_not_held() {
    for text in [
        "\"token\":\"'; ",
        "\"token\":\"abc\n",
        "\"token\":\"abc\"",
        "a 5\" screen",
    ] {
        let mut sweep = JsonTokens::new(none(), |_: FoundToken<'_>| Instead::Strip);
        let mut out = Vec::new();
        sweep.push(text.as_bytes(), &mut out).expect("not spent");
        assert_eq!(out, text.as_bytes(), "{text}");
    }
}

#[test]
fn what_has_ended_takes_no_more() {
    let mut sweep = JsonTokens::new(none(), |_: FoundToken<'_>| Instead::Keep);
    let mut out = Vec::new();
    sweep.finish(&mut out).expect("complete");
    assert_eq!(sweep.push(b"\"", &mut out), Err(BodyError::Spent));
}

#[test]
fn white_space_beside_a_colon_has_no_limit() {
    let space = " \n".repeat(NAME_BYTES_MAX);
    let text = format!("{{\"token\"{space}:{space}\"{TOKEN}\"}}");
    let left = text.replace(TOKEN, "pnp_\\\"");
    let chunks: Vec<&[u8]> = text.as_bytes().chunks(100).collect();
    assert_eq!((whole(&text), swept(&chunks)), (left.clone(), left));
}

#[test]
fn the_keeper_sees_decoded_names_and_values() {
    let mut seen = Vec::new();
    let mut sweep = JsonTokens::new(none(), |found: FoundToken<'_>| {
        seen.push((
            found.name.unwrap_or_default().to_vec(),
            found.value.to_vec(),
        ));
        Instead::Strip
    });
    let mut out = Vec::new();
    sweep
        .push(b"{\"to\\u006ben\":\"a\\/b\\u0063d1\"}", &mut out)
        .expect("not spent");
    assert_eq!(sweep.found(), 1);
    assert_eq!(out, b"{\"to\\u006ben\":\"\"}");
    assert_eq!(seen, [(b"token".to_vec(), b"a/bcd1".to_vec())]);
}

#[test]
fn a_member_that_the_policy_names_is_a_token_whatever_its_value_looks_like() {
    let own = names("{ json: [desk_ref, 'entry*'], cookies: [DESK-COOKIE] }");
    let text = "{\"deskRef\":\"agent-7\",\"Entry-Pass\":\"agent-8\",\"desk-cookie\":\"agent-9\",\
                \"a\":{\"d\\u0065sk_ref\":\"agent-7\"},\"desk\":\"agent-7\",\"token\":\"agent-7\"}";
    let read = |names| {
        let mut sweep = JsonTokens::new(names, |_: FoundToken<'_>| Instead::Strip);
        let mut out = Vec::new();
        for byte in text.as_bytes().chunks(1) {
            sweep.push(byte, &mut out).expect("not spent");
        }
        sweep.finish(&mut out).expect("complete");
        (String::from_utf8(out).expect("text"), sweep.found())
    };
    let expected = "{\"deskRef\":\"\",\"Entry-Pass\":\"\",\"desk-cookie\":\"\",\
                    \"a\":{\"d\\u0065sk_ref\":\"\"},\"desk\":\"agent-7\",\"token\":\"\"}";
    assert_eq!(read(own), (expected.to_owned(), 5));
    assert_eq!(read(none()).1, 1, "only what is always one");
}

/// What names, values and what is around them can be made of.
const PIECES: [&str; 16] = [
    "\"", "\"", "\"", "\\", "\\", ":", ":", " ", "\n", "token", "sid", TOKEN, "x", ",", "'+",
    "\":\"",
];

proptest! {
    /// Byte by byte nothing is looked for ahead of what is read.
    #[test]
    fn looking_ahead_finds_what_reading_each_quote_finds(
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
        long in proptest::option::of(NAME_BYTES_MAX - 6..NAME_BYTES_MAX + 3),
    ) {
        let long = long.map(|length| format!("\"{}token\":\"{TOKEN}\"", "_".repeat(length - 5)));
        let text = pieces.concat() + &long.unwrap_or_default();
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        prop_assert_eq!(whole(&text), swept(&bytes), "{}", text);
    }
}
