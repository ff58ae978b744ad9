//! The documents themselves. What the ten selectors select stands in angle quotes, which are not sent.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::policy::CONSTANT;

/// What every hidden value holds, and nothing else does.
pub(super) const HIDDEN: &str = "hidden-";
/// Around what is to be redacted.
const QUOTES: (char, char) = ('«', '»');
/// How deep the nested document goes. Postern goes to 128 unless it is told otherwise.
const DEPTH: usize = 100;

/// A document that is hard to redact.
#[derive(Debug)]
pub(super) struct Trap {
    /// What tables call it, and the last part of its path.
    pub(super) name: &'static str,
    /// Before the deepest place, or all of it.
    text: &'static str,
    /// How it is sent.
    sent: Sent,
    /// What has to be in the answer as it stands here.
    pub(super) kept: &'static [&'static str],
}

/// How a document is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// As it is.
    Plain,
    /// With arrays around a text in the place of `@`.
    Nested,
    /// In chunks of one byte, one after another.
    ByteByByte,
    /// As gzip, whatever was asked for.
    Gzip,
    /// As if it ended where it breaks off.
    CutOff,
}

/// All of them.
pub(super) const TRAPS: [Trap; 11] = [
    Trap {
        name: "plain",
        text: r#"{"cases":[{"id":7,"customer":{"name":«"hidden-name"»,"email":«"hidden-a@example.com"»,"tier":"gold"},"payments":[{"amount":"12.50","card_number":«"hidden-card"»},{"holder":«"hidden-holder"»}],"internal_note":«"hidden-note"»}]}"#,
        sent: Sent::Plain,
        kept: &[r#""gold""#, r#""12.50""#],
    },
    Trap {
        name: "escaped-names",
        text: r#"{"cases":[{"id":7,"cust\u006fmer":{"\u0065mail":«"hidden-b@example.com"»,"tier":"gold"}}]}"#,
        sent: Sent::Plain,
        kept: &[r#""gold""#],
    },
    Trap {
        name: "members-twice",
        text: r#"{"cases":[{"customer":{"email":«"hidden-c@example.com"»},"status":"first","customer":{"email":«"hidden-d@example.com"»,"email":«"hidden-e@example.com"»},"status":"second"}]}"#,
        sent: Sent::Plain,
        kept: &[r#""first""#, r#""second""#],
    },
    Trap {
        name: "large-integers",
        text: r#"{"cases":[{"id":9007199254740993,"next":18446744073709551615,"last":-9223372036854775807,"internal_note":«"hidden-f"»}]}"#,
        sent: Sent::Plain,
        kept: &[
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775807",
        ],
    },
    Trap {
        name: "decimals",
        text: r#"{"cases":[{"amount":12.50,"rate":0.1000000000000000055,"internal_note":«"hidden-g"»}]}"#,
        sent: Sent::Plain,
        kept: &["12.50", "0.1000000000000000055"],
    },
    Trap {
        name: "exponents",
        text: r#"{"cases":[{"limit":1e400,"moles":6.02214076E23,"drift":-0.0,"internal_note":«"hidden-n"»}]}"#,
        sent: Sent::Plain,
        kept: &["1e400", "6.02214076E23", "-0.0"],
    },
    Trap {
        name: "empty-lists",
        text: r#"{"cases":[{"tags":[],"extra":{},"none":null,"payments":[],"internal_note":«"hidden-h"»}]}"#,
        sent: Sent::Plain,
        kept: &[
            r#""tags":[]"#,
            r#""extra":{}"#,
            r#""none":null"#,
            r#""payments":[]"#,
        ],
    },
    Trap {
        name: "nested",
        text: r#"{"cases":[{"thread":@,"internal_note":«"hidden-i"»}]}"#,
        sent: Sent::Nested,
        kept: &["deepest"],
    },
    Trap {
        name: "byte-by-byte",
        text: r#"{"cases":[{"subject":"Größe 😀","customer":{"name":«"hidden-jé😀"»,"street":"Süd"},"internal_note":«"hidden-k"»}]}"#,
        sent: Sent::ByteByByte,
        kept: &["Größe 😀", "Süd"],
    },
    Trap {
        name: "gzip",
        text: r#"{"cases":[{"id":7,"customer":{"email":«"hidden-l@example.com"»,"tier":"gold"}}]}"#,
        sent: Sent::Gzip,
        kept: &[r#""gold""#],
    },
    Trap {
        name: "cut-off",
        text: r#"{"cases":[{"id":7,"status":"open","customer":{"email":"hidden-m@example.com","tier":"gold"#,
        sent: Sent::CutOff,
        kept: &[],
    },
];

impl Trap {
    /// What has to leave; none when nothing may.
    pub(super) fn redacted(&self) -> Option<String> {
        let (open, close) = QUOTES;
        let mut redacted = String::new();
        for (index, part) in self.nested().split(open).enumerate() {
            match part.split_once(close) {
                Some((_hidden, shown)) => {
                    redacted.push_str(&format!("\"{CONSTANT}\"{shown}"));
                }
                None if index == 0 => redacted.push_str(part),
                None => return None,
            }
        }
        (self.sent != Sent::CutOff).then_some(redacted)
    }

    /// The whole answer of the application, in the pieces in which it is sent.
    fn pieces(&self) -> Vec<Bytes> {
        let text = self.nested().replace([QUOTES.0, QUOTES.1], "");
        let whole = |fields: &str, body: &[u8]| {
            let length = format!("{fields}Content-Length: {}", body.len());
            vec![Bytes::from([head(&length).as_bytes(), body].concat())]
        };
        match self.sent {
            Sent::Plain | Sent::Nested | Sent::CutOff => whole("", text.as_bytes()),
            Sent::Gzip => whole("Content-Encoding: gzip\r\n", &packed(&text)),
            Sent::ByteByByte => {
                let chunks = text.bytes();
                let chunks = chunks.map(|byte| [b"1\r\n", &[byte][..], b"\r\n"].concat());
                [head("Transfer-Encoding: chunked").into_bytes()]
                    .into_iter()
                    .chain(chunks)
                    .chain([b"0\r\n\r\n".to_vec()])
                    .map(Bytes::from)
                    .collect()
            }
        }
    }

    fn nested(&self) -> String {
        let thread = format!("{}\"deepest\"{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        match self.sent {
            Sent::Nested => self.text.replace('@', &thread),
            Sent::Plain | Sent::ByteByByte | Sent::Gzip | Sent::CutOff => self.text.to_owned(),
        }
    }
}

/// What the application sends for each document, by the document's name.
pub(in crate::bench) fn pieces_by_name() -> impl Iterator<Item = (&'static str, Vec<Bytes>)> {
    TRAPS.iter().map(|trap| (trap.name, trap.pieces()))
}

fn head(framing: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{framing}\r\n\r\n")
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // A vector takes everything.
    encoder.write_all(text.as_bytes()).unwrap_or_default();
    encoder.finish().unwrap_or_default()
}
