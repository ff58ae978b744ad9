//! Looks for canaries in everything a client could make of the bytes it received.
//!
//! Beside the raw bytes it reads them dechunked, with up to three content codings undone, unescaped,
//! percent-, entity-, base64- and quoted-printable-decoded, in the wide encodings, folded, and as bare
//! digits: a canary that a client could recover must be found. It reports false alarms rather than
//! miss one; short canaries are therefore only looked for as they are.

mod views;

use regex::bytes::Regex;
use unicode_normalization::UnicodeNormalization as _;

/// Raw bytes past this size are searched as they are, but derived views see runs of one byte cut short.
const LONG: usize = 64 << 10;
/// How long a run of one byte may be in a derived view of a long message.
const RUN_MAX: usize = 64;
/// Canaries with at least this many digits are also looked for as bare digits.
const DIGITS_MIN: usize = 9;

/// Everything a client could read in some bytes.
pub(super) struct Views {
    raw: Vec<u8>,
    derived: Vec<(String, Vec<u8>)>,
}

impl Views {
    /// The views of what was received: all bytes of the connection, and the body without its framing.
    pub(super) fn of(raw: &[u8], body: &[u8]) -> Self {
        let short = |bytes: &[u8]| {
            if bytes.len() > LONG {
                cut_runs(bytes)
            } else {
                bytes.to_vec()
            }
        };
        let mut starts = vec![("bytes".to_owned(), short(raw))];
        if !body.is_empty() && body != raw {
            starts.push(("body".to_owned(), short(body)));
        }
        for (name, bytes) in views::undo_codings(body) {
            starts.push((name, short(&bytes)));
        }
        Self {
            raw: raw.to_vec(),
            derived: views::derive(starts),
        }
    }

    /// In which view a canary is found.
    pub(super) fn find(&self, canary: &str) -> Option<String> {
        let exact =
            Regex::new(&format!("(?-u){}", bytes_pattern(canary.as_bytes()))).expect("escaped");
        if exact.is_match(&self.raw) {
            return Some("bytes".to_owned());
        }
        let folded = Regex::new(&regex::escape(&fold(canary))).expect("escaped");
        let digits = digits(canary.as_bytes());
        for (name, bytes) in &self.derived {
            if exact.is_match(bytes) {
                return Some(name.clone());
            }
            if canary.len() >= 6
                && folded.is_match(fold(&String::from_utf8_lossy(bytes)).as_bytes())
            {
                return Some(format!("{name}, folded"));
            }
            let bare = digits.len() >= DIGITS_MIN && contains_digits(bytes, &digits);
            if bare {
                return Some(format!("{name}, digits"));
            }
        }
        None
    }
}

/// Compatibility form, lower case: how a forgiving reader compares.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

fn digits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(u8::is_ascii_digit).collect()
}

fn contains_digits(bytes: &[u8], wanted: &[u8]) -> bool {
    let all = digits(bytes);
    all.windows(wanted.len()).any(|window| window == wanted)
}

fn bytes_pattern(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

fn cut_runs(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut run = 0;
    for &byte in bytes {
        run = if out.last() == Some(&byte) {
            run + 1
        } else {
            0
        };
        if run < RUN_MAX {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use std::io::Write as _;

    use super::*;

    const CANARY: &str = "912-04-7731";

    fn found(bytes: &[u8]) -> Option<String> {
        Views::of(bytes, bytes).find(CANARY)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 4, 20)
            .write_all(bytes)
            .expect("memory");
        out
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn finds_the_canary_in_every_derived_view() {
        let plain = format!("{{\"ssn\":\"{CANARY}\"}}");
        let plain = plain.as_bytes();
        let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide_be: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let wider: Vec<u8> = CANARY
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        let wider_be: Vec<u8> = CANARY
            .chars()
            .flat_map(|c| u32::from(c).to_be_bytes())
            .collect();
        let escaped = CANARY
            .bytes()
            .map(|b| format!("\\u{b:04X}"))
            .collect::<String>();
        let nested =
            serde_json::to_string(&serde_json::to_string(&escaped).expect("text")).expect("text");
        let percent = CANARY
            .bytes()
            .map(|b| format!("%{b:02x}"))
            .collect::<String>();
        let planted: Vec<(&str, Vec<u8>)> = vec![
            ("plain", plain.to_vec()),
            ("gzip", gzip(plain)),
            ("second gzip member", [gzip(b"{}"), gzip(plain)].concat()),
            ("zlib", zlib(plain)),
            ("brotli", brotli(plain)),
            ("zstd", zstd::encode_all(plain, 3).expect("memory")),
            ("three codings", gzip(&brotli(&gzip(plain)))),
            ("JSON escapes", escaped.into_bytes()),
            ("JSON in JSON", nested.into_bytes()),
            ("percent", percent.into_bytes()),
            ("entities", b"&#57;1&#x32;&#45;04-7731".to_vec()),
            (
                "base64",
                format!("x={}", STANDARD.encode(plain)).into_bytes(),
            ),
            (
                "base64url",
                format!("a.{}.b", URL_SAFE_NO_PAD.encode(plain)).into_bytes(),
            ),
            ("quoted-printable", b"=3912-0=\r\n4-7731".to_vec()),
            ("UTF-16LE", wide),
            ("UTF-16BE", wide_be),
            ("UTF-32LE", wider),
            ("UTF-32BE", wider_be),
            ("full width", "９１２－０４－７７３１".as_bytes().to_vec()),
            ("digits", b"912 04 7731".to_vec()),
            (
                "EBCDIC",
                vec![
                    0xf9, 0xf1, 0xf2, 0x60, 0xf0, 0xf4, 0x60, 0xf7, 0xf7, 0xf3, 0xf1,
                ],
            ),
            ("gzip of escapes", gzip(b"\\u0039\\u0031\\u0032-04-7731")),
        ];
        for (name, bytes) in planted {
            assert!(found(&bytes).is_some(), "{name} is not seen through");
        }
    }

    #[test]
    fn stays_silent_where_nothing_was_planted() {
        for bytes in [
            &b"{\"ssn\":\"[REDACTED]\"}"[..],
            &gzip(b"{\"id\":1}"),
            b"912-04-773",
            b"MTIzNA==",
        ] {
            assert_eq!(found(bytes), None);
        }
    }

    #[test]
    fn sees_a_canary_behind_a_long_run() {
        let bytes = [&vec![b'A'; 2 * LONG][..], b"\\u0039\\u0031\\u0032-04-7731"].concat();
        assert!(found(&bytes).is_some());
    }
}
