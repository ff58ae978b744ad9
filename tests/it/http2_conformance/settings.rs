//! SETTINGS, PUSH_PROMISE, PING, GOAWAY and error codes (RFC 9113 sections 6.5 to 6.8 and 7).

use crate::bypass::h2::frames::{END_HEADERS, frame, kind, settings};

use super::case::code::{FLOW_CONTROL, FRAME_SIZE, PROTOCOL};
use super::case::{Case, case};
use super::given::Given;

/// PUSH_PROMISE; no client may send one.
const PUSH_PROMISE: u8 = 5;
/// An error code that no document defines.
const UNKNOWN_CODE: [u8; 4] = [0, 0, 0xff, 0xff];

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        forms(),
        values(given),
        promises(given),
        pings(),
        going_away(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn forms() -> Vec<Case> {
    let form = |claim| case("6.5", claim);
    let raw = |flags, stream, length| frame(kind::SETTINGS, flags, stream, &vec![0; length]);
    vec![
        form("an acknowledgement with a payload ends the connection")
            .sends(raw(1, 0, 6))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        form("SETTINGS of a stream end the connection")
            .sends(raw(0, 1, 6))
            .goes_away(&[PROTOCOL]),
        form("SETTINGS cut within a parameter end the connection: 3 octets")
            .sends(raw(0, 0, 3))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        form("SETTINGS cut within a parameter end the connection: 7 octets")
            .sends(raw(0, 0, 7))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        form("SETTINGS of nothing are acknowledged")
            .sends(raw(0, 0, 0))
            .acknowledges(),
    ]
}

fn values(given: &Given) -> Vec<Case> {
    let value = |claim| case("6.5.2", claim);
    let order = |claim| case("6.5.3", claim);
    let every = [
        (1, 4096),
        (2, 1),
        (3, 100),
        (4, 65_535),
        (5, 16_384),
        (6, 100),
    ];
    vec![
        value("ENABLE_PUSH of 2 ends the connection")
            .sends(settings(&[(2, 2)]))
            .goes_away(&[PROTOCOL]),
        value("ENABLE_PUSH of 1 is taken")
            .sends(settings(&[(2, 1)]))
            .acknowledges(),
        value("INITIAL_WINDOW_SIZE of 2^31 ends the connection")
            .sends(settings(&[(4, 1 << 31)]))
            .goes_away(&[FLOW_CONTROL, PROTOCOL]),
        value("INITIAL_WINDOW_SIZE of 2^31-1 is taken")
            .sends(settings(&[(4, (1 << 31) - 1)]))
            .acknowledges(),
        value("MAX_FRAME_SIZE below 2^14 ends the connection")
            .sends(settings(&[(5, (1 << 14) - 1)]))
            .goes_away(&[PROTOCOL]),
        value("MAX_FRAME_SIZE of 2^24 ends the connection")
            .sends(settings(&[(5, 1 << 24)]))
            .goes_away(&[PROTOCOL]),
        value("MAX_FRAME_SIZE of 2^24-1 is taken")
            .sends(settings(&[(5, (1 << 24) - 1)]))
            .acknowledges(),
        value("an unknown parameter is ignored")
            .sends(settings(&[(0xff, 1)]))
            .goes_on(),
        value("every parameter is taken")
            .sends(settings(&every))
            .acknowledges(),
        value("a table of no octets does not harm an answer")
            .sends(settings(&[(1, 0)]))
            .sends(given.got(1))
            .serves(1),
        value("ENABLE_CONNECT_PROTOCOL of 2 ends the connection")
            .sends(settings(&[(8, 2)]))
            .goes_away(&[PROTOCOL]),
        order("values are taken in the order in which they come")
            .sends(settings(&[(4, 100), (4, 1)]))
            .awaits_acknowledgement()
            .sends(given.got(1))
            .gives(1),
        order("SETTINGS are acknowledged")
            .sends(settings(&[(2, 0)]))
            .acknowledges(),
    ]
}

fn promises(given: &Given) -> Vec<Case> {
    vec![
        case("6.6", "PUSH_PROMISE of a client ends the connection")
            .sends(given.posted(1))
            .sends(frame(
                PUSH_PROMISE,
                END_HEADERS,
                1,
                &[&[0, 0, 0, 2][..], &given.get()].concat(),
            ))
            .goes_away(&[PROTOCOL]),
        case("8.4", "PUSH_PROMISE of an idle stream ends the connection")
            .sends(frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 3]))
            .goes_away(&[PROTOCOL]),
    ]
}

fn pings() -> Vec<Case> {
    let ping = |claim| case("6.7", claim);
    let raw = |flags, stream, payload: &[u8]| frame(kind::PING, flags, stream, payload);
    vec![
        ping("PING is answered with its octets").goes_on(),
        ping("an answer to PING is not answered")
            .sends(raw(1, 0, b"answered"))
            .goes_on(),
        ping("PING of a stream ends the connection")
            .sends(raw(0, 1, &[0; 8]))
            .goes_away(&[PROTOCOL]),
        ping("PING of 6 octets ends the connection")
            .sends(raw(0, 0, &[0; 6]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        ping("PING of 9 octets ends the connection")
            .sends(raw(0, 0, &[0; 9]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
    ]
}

fn going_away(given: &Given) -> Vec<Case> {
    let away = |stream, payload: &[u8]| frame(kind::GOAWAY, 0, stream, payload);
    let unknown = [&[0; 4][..], &UNKNOWN_CODE].concat();
    vec![
        case("6.8", "GOAWAY of a stream ends the connection")
            .sends(away(1, &[0; 8]))
            .goes_away(&[PROTOCOL]),
        case("6.8", "GOAWAY that is cut ends the connection")
            .sends(away(0, &[0; 7]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        case("6.8", "what was asked before GOAWAY is served")
            .sends([given.got(1), away(0, &[0; 8])].concat())
            .serves(1),
        case(
            "6.8",
            "the connection ends after GOAWAY when nothing is left",
        )
        .sends(away(0, &[0; 8]))
        .closes(),
        case("7", "an unknown code in GOAWAY means no more than another")
            .sends([given.got(1), away(0, &unknown)].concat())
            .closes(),
        case(
            "7",
            "an unknown code in RST_STREAM means no more than another",
        )
        .sends(given.posted(1))
        .sends(frame(kind::RST_STREAM, 0, 1, &UNKNOWN_CODE))
        .goes_on(),
    ]
}
