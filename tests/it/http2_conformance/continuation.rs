//! CONTINUATION (RFC 9113 section 6.10): it continues a block of its own stream, and nothing else.

use crate::bypass::h2::frames::{END_HEADERS, END_STREAM, data, frame, headers, kind};

use super::case::code::{COMPRESSION, ENHANCE_YOUR_CALM, PROTOCOL};
use super::case::{Case, case};
use super::given::{Fields, Given};

/// More frames than any block of ours has.
const FLOOD: usize = 200;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [continued(given), misplaced(given), endless(given)]
        .into_iter()
        .flatten()
        .collect()
}

fn row(claim: &'static str) -> Case {
    case("6.10", claim)
}

/// HEADERS of a whole request, after which more is to come.
fn open(given: &Given, stream: u32) -> Vec<u8> {
    frame(kind::HEADERS, END_STREAM, stream, &given.get())
}

/// A CONTINUATION with one field.
fn more(flags: u8, stream: u32, name: &str) -> Vec<u8> {
    let block = Fields::default().with(name, "1").block();
    frame(kind::CONTINUATION, flags, stream, &block)
}

/// The last CONTINUATION of a block.
fn last(stream: u32, name: &str) -> Vec<u8> {
    more(END_HEADERS, stream, name)
}

/// A CONTINUATION of some thousand octets.
fn large() -> Vec<u8> {
    let block = Fields::default().with("x-large", &"x".repeat(4000)).block();
    frame(kind::CONTINUATION, 0, 1, &block)
}

fn continued(given: &Given) -> Vec<Case> {
    let several = [
        open(given, 1),
        more(0, 1, "x-a"),
        more(0, 1, "x-b"),
        last(1, "x-c"),
    ];
    vec![
        row("one continues HEADERS")
            .sends([open(given, 1), last(1, "x-a")].concat())
            .serves(1),
        row("several continue HEADERS")
            .sends(several.concat())
            .serves(1),
        row("large ones continue HEADERS")
            .sends([open(given, 1), large(), large(), last(1, "x-c")].concat())
            .serves(1),
        row("trailers may be continued")
            .sends(given.posted(1))
            .sends(data(1, b"{}", false))
            .sends(frame(kind::HEADERS, END_STREAM, 1, &[]))
            .sends(last(1, "x-checked"))
            .answers(1),
    ]
}

fn misplaced(given: &Given) -> Vec<Case> {
    vec![
        row("DATA instead of one ends the connection")
            .sends([open(given, 1), more(0, 1, "x-a"), data(1, b"{}", true)].concat())
            .goes_away(&[PROTOCOL]),
        row("one of no stream ends the connection")
            .sends([open(given, 1), last(0, "x-a")].concat())
            .goes_away(&[PROTOCOL]),
        row("one of another stream ends the connection")
            .sends([open(given, 1), last(3, "x-a")].concat())
            .goes_away(&[PROTOCOL]),
        row("one of an older stream ends the connection")
            .sends(given.posted(1))
            .sends([open(given, 3), last(1, "x-a")].concat())
            .goes_away(&[PROTOCOL]),
        row("one after a whole HEADERS ends the connection")
            .sends([given.got(1), last(1, "x-a")].concat())
            .goes_away(&[PROTOCOL]),
        row("one after the last ends the connection")
            .sends([open(given, 1), last(1, "x-a"), last(1, "x-b")].concat())
            .goes_away(&[PROTOCOL]),
        row("one after DATA ends the connection")
            .sends([given.posted(1), data(1, b"{", false), last(1, "x-a")].concat())
            .goes_away(&[PROTOCOL]),
        row("one on an idle stream ends the connection")
            .sends(last(1, "x-a"))
            .goes_away(&[PROTOCOL]),
    ]
}

fn endless(given: &Given) -> Vec<Case> {
    vec![
        row("a block that never ends ends the connection")
            .sends([open(given, 1), more(0, 1, "x-a").repeat(FLOOD)].concat())
            .goes_away(&[ENHANCE_YOUR_CALM]),
        row("a block that never ends and says nothing ends the connection")
            .sends(
                [
                    open(given, 1),
                    frame(kind::CONTINUATION, 0, 1, &[]).repeat(FLOOD),
                ]
                .concat(),
            )
            .goes_away(&[ENHANCE_YOUR_CALM]),
        row("a large block that never ends ends the connection")
            .sends([open(given, 1), large().repeat(FLOOD)].concat())
            .goes_away(&[ENHANCE_YOUR_CALM, COMPRESSION]),
        row("what was cut is not what was asked")
            .sends(frame(kind::HEADERS, END_STREAM, 1, &given.get()))
            .sends(headers(1, &[], true))
            .goes_away(&[PROTOCOL]),
    ]
}
