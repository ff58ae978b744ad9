//! Attachments as they are downloaded, split everywhere.

use super::*;
use crate::token_rules::samples::none;

const HAR: &str =
    "\u{feff} {\n \"log\" : {\"entries\":[{\"cookies\":[{\"name\":\"a\",\"value\":\"live\"}]}]}}";
const CLEAN: &str =
    "{\"log\":{\"entries\":[{\"cookies\":[{\"name\":\"a\",\"value\":\"[redacted]\"}]}]}}";

fn swept(chunks: &[&[u8]]) -> Result<String, BodyError> {
    let mut filter = RecordingTokens::new(none(), |_: FoundToken<'_>| Instead::Strip);
    let mut out = Vec::new();
    for chunk in chunks {
        filter.push(chunk, &mut out)?;
    }
    filter.finish(&mut out)?;
    assert_eq!(filter.push(b"", &mut out), Err(BodyError::Spent));
    Ok(String::from_utf8(out).expect("text"))
}

/// What is left of a text, however it is split.
fn whole(text: &str) -> Result<String, BodyError> {
    let left = swept(&[text.as_bytes()]);
    for split in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(split);
        assert_eq!(swept(&[first, second]), left, "{split}");
    }
    assert_eq!(swept(&text.as_bytes().chunks(1).collect::<Vec<_>>()), left);
    left
}

#[test]
fn a_recording_is_written_anew_and_anything_else_streams_past_the_names_of_tokens() {
    assert_eq!(whole(HAR).as_deref(), Ok(CLEAN));
    let cases = [
        ("{\"token\":\"abcdef\",\"a\":1}", "{\"token\":\"\",\"a\":1}"),
        ("[{\"token\":\"abcdef\"}]", "[{\"token\":\"\"}]"),
        // It begins as a recording does, and is none.
        (
            "{\"log\":{\"token\":\"abcdef\"}}",
            "{\"log\":{\"token\":\"\"}}",
        ),
        ("\"token\":\"abcdef\"", "\"token\":\"\""),
        (
            "a 5\" disk\n12:00 asked {\"token\":\"abcdef\"}\n",
            "a 5\" disk\n12:00 asked {\"token\":\"\"}\n",
        ),
        ("2026-11-29 started\n{", "2026-11-29 started\n{"),
        (
            "PK\u{3}\u{4}\0{\"token\":\"abcdef\"}",
            "PK\u{3}\u{4}\0{\"token\":\"abcdef\"}",
        ),
        (
            "{\"token\":\"abcdef\0{\"token\":\"abcdef\"}",
            "{\"token\":\"\0{\"token\":\"abcdef\"}",
        ),
        ("\u{feff}", "\u{feff}"),
        ("{ \"lo", "{ \"lo"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(whole(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn nothing_of_a_recording_leaves_before_its_end_and_nothing_else_is_held() {
    let mut filter = RecordingTokens::new(none(), |_: FoundToken<'_>| Instead::Keep);
    let mut out = Vec::new();
    filter.push(HAR.as_bytes(), &mut out).expect("not spent");
    assert_eq!(out, b"");
    filter.finish(&mut out).expect("readable");
    assert_eq!(filter.found(), 1);
    for text in ["[1,", "{\"a\":1,", "a"] {
        let mut filter = RecordingTokens::new(none(), |_: FoundToken<'_>| Instead::Keep);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out).expect("not spent");
        assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn blanks_do_not_hide_a_recording() {
    for blanks in [BEGINNING_BYTES_MAX - 6, BEGINNING_BYTES_MAX, 1000] {
        let text = " ".repeat(blanks) + HAR.trim_start_matches('\u{feff}');
        assert_eq!(whole(&text).as_deref(), Ok(CLEAN), "{blanks}");
    }
}

#[test]
fn what_cannot_be_read_does_not_leave() {
    let malformed =
        |text: &str| matches!(swept(&[text.as_bytes()]), Err(BodyError::Malformed { .. }));
    assert!(malformed("{\"log\":{\"entries\":["));
    let mut long = HAR.as_bytes().to_vec();
    long.resize(HAR_BYTES_MAX, b' ');
    for chunk in [1 << 20, HAR_BYTES_MAX] {
        let chunks: Vec<&[u8]> = long.chunks(chunk).collect();
        assert_eq!(swept(&chunks).as_deref(), Ok(CLEAN));
        let longer = [chunks.as_slice(), &[b" "]].concat();
        assert_eq!(swept(&longer), Err(TOO_LARGE));
    }
}
