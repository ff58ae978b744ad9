//! The preface (RFC 9113 section 3.4), the form and size of frames, and field blocks (section 4).

use crate::bypass::h2::frames::{END_HEADERS, PREFACE, data, frame, headers, kind, settings};

use super::case::code::{COMPRESSION, FRAME_SIZE, PROTOCOL};
use super::case::{Case, case};
use super::given::Given;

/// The largest payload that nobody has to be asked for (section 4.2).
const FRAME_BYTES_MAX: usize = 1 << 14;
/// A type that no document defines.
const UNKNOWN: u8 = 0x5a;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        prefaces(given),
        forms(given),
        sizes(given),
        blocks(given),
        interrupted(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn prefaces(given: &Given) -> Vec<Case> {
    let silent = |claim| case("3.4", claim).unasked();
    let opening = [PREFACE, &settings(&[])].concat();
    let with = |more: &[u8]| [&opening, more].concat();
    vec![
        silent("the server begins with SETTINGS")
            .sends(opening.clone())
            .begins_with(kind::SETTINGS),
        silent("the client's SETTINGS are acknowledged")
            .sends(opening.clone())
            .acknowledges(),
        silent("something else is no preface")
            .sends(*b"QUITE SOMETHING ELSE ENTIRELY\r\n\r\n")
            .closes(),
        silent("HTTP/1.1 is no preface")
            .sends(*b"GET / HTTP/1.1\r\nHost: a.example\r\nX: 12345678\r\n\r\n")
            .closes(),
        silent("a preface that is wrong in its last octet is none")
            .sends([&PREFACE[..23], b"\r", &settings(&[])].concat())
            .closes(),
        silent("a preface may come in pieces")
            .sends(&opening[..1])
            .sends(&opening[1..20])
            .sends(&opening[20..30])
            .sends(with(&given.got(1))[30..].to_vec())
            .serves(1),
        silent("a request need not wait for the server's SETTINGS")
            .sends(with(&given.got(1)))
            .serves(1),
        silent("a preface without SETTINGS is none: PING")
            .sends([PREFACE, &frame(kind::PING, 0, 0, &[0; 8])].concat())
            .closes(),
        silent("a preface without SETTINGS is none: HEADERS")
            .sends([PREFACE, &given.got(1)].concat())
            .closes(),
        silent("a preface without SETTINGS is none: an acknowledgement")
            .sends([PREFACE, &frame(kind::SETTINGS, 1, 0, &[])].concat())
            .closes(),
    ]
}

fn forms(given: &Given) -> Vec<Case> {
    let form = |claim| case("4.1", claim);
    let reserved = |mut bytes: Vec<u8>| {
        bytes[5] |= 0x80;
        bytes
    };
    vec![
        form("an unknown type is ignored on the connection")
            .sends(frame(UNKNOWN, 0, 0, &[7; 8]))
            .goes_on(),
        form("an unknown type is ignored on an idle stream")
            .sends(frame(UNKNOWN, 0xff, 7, &[7; 8]))
            .goes_on(),
        form("an unknown type is ignored within a request")
            .sends(given.posted(1))
            .sends(frame(UNKNOWN, 1, 1, &[7; 8]))
            .sends(data(1, b"{}", true))
            .answers(1),
        form("an unknown type may have the largest payload")
            .sends(frame(UNKNOWN, 0, 0, &vec![7; FRAME_BYTES_MAX]))
            .goes_on(),
        form("flags that PING does not have are ignored")
            .sends(frame(kind::PING, 0x16, 0, &[7; 8]))
            .begins_with(kind::PING),
        form("flags that HEADERS does not have are ignored")
            .sends(frame(kind::HEADERS, 0x85 | 0x42, 1, &given.get()))
            .serves(1),
        form("the reserved bit is ignored in PING")
            .sends(reserved(frame(kind::PING, 0, 0, &[7; 8])))
            .begins_with(kind::PING),
        form("the reserved bit is ignored in HEADERS")
            .sends(reserved(given.got(1)))
            .serves(1),
    ]
}

fn sizes(given: &Given) -> Vec<Case> {
    let size = |claim| case("4.2", claim);
    let large = vec![b'x'; FRAME_BYTES_MAX];
    let too_large = vec![b'x'; FRAME_BYTES_MAX + 1];
    let one = |payload: &[u8]| frame(kind::DATA, 1, 1, payload);
    let long = given.fields("GET").with("x-long", &"x".repeat(1 << 14));
    vec![
        size("DATA of 2^14 octets is taken")
            .sends(given.posted(1))
            .sends(one(&large))
            .answers(1),
        size("DATA of one more is not")
            .sends(given.posted(1))
            .sends(one(&too_large))
            .resets(1, &[FRAME_SIZE]),
        size("HEADERS of more ends the connection")
            .sends(headers(1, &long.block(), true))
            .goes_away(&[FRAME_SIZE]),
        size("SETTINGS of more ends the connection")
            .sends(settings(&[(0x5a5a, 1); 2731]))
            .goes_away(&[FRAME_SIZE]),
        size("an unknown type of more ends the connection")
            .sends(frame(UNKNOWN, 0, 0, &too_large))
            .goes_away(&[FRAME_SIZE]),
    ]
}

fn blocks(given: &Given) -> Vec<Case> {
    let block = |claim| case("4.3", claim);
    let whole = given.get();
    vec![
        // A literal with indexing whose name and value are missing.
        block("what cannot be decoded ends the connection")
            .sends(headers(1, &[0x40], true))
            .goes_away(&[COMPRESSION, PROTOCOL]),
        block("a block cut within a field ends the connection")
            .sends(headers(1, &whole[..whole.len() - 3], true))
            .goes_away(&[COMPRESSION, PROTOCOL]),
        block("a block may be cut anywhere")
            .sends(frame(kind::HEADERS, 1, 1, &whole[..2]))
            .sends(frame(kind::CONTINUATION, 0, 1, &whole[2..9]))
            .sends(frame(kind::CONTINUATION, END_HEADERS, 1, &whole[9..]))
            .serves(1),
        block("a block may begin with nothing")
            .sends(frame(kind::HEADERS, 1, 1, &[]))
            .sends(frame(kind::CONTINUATION, END_HEADERS, 1, &whole))
            .serves(1),
        block("a block may end with nothing")
            .sends(frame(kind::HEADERS, 1, 1, &whole))
            .sends(frame(kind::CONTINUATION, END_HEADERS, 1, &[]))
            .serves(1),
    ]
}

/// Nothing may come between the frames of a block.
fn interrupted(given: &Given) -> Vec<Case> {
    let whole = given.get();
    let open = frame(kind::HEADERS, 1, 1, &whole[..9]);
    let rest = frame(kind::CONTINUATION, END_HEADERS, 1, &whole[9..]);
    let between = [
        (
            "PRIORITY within a block",
            frame(kind::PRIORITY, 0, 1, &[0; 5]),
        ),
        ("HEADERS of another stream within a block", given.got(3)),
        ("HEADERS of the same stream within a block", given.got(1)),
        ("DATA within a block", data(1, b"{}", true)),
        ("SETTINGS within a block", settings(&[])),
        ("PING within a block", frame(kind::PING, 0, 0, &[0; 8])),
        (
            "WINDOW_UPDATE within a block",
            frame(kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        ),
        (
            "RST_STREAM within a block",
            frame(kind::RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        ),
        ("GOAWAY within a block", frame(kind::GOAWAY, 0, 0, &[0; 8])),
    ];
    let rows = between.into_iter().map(|(claim, frame)| {
        case("4.3", claim)
            .sends([&open[..], &frame, &rest].concat())
            .goes_away(&[PROTOCOL])
    });
    rows.collect()
}
