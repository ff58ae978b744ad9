//! Flow control (RFC 9113 section 6.9): what the client allows is never exceeded, and what makes no sense
//! is an error.

use crate::bypass::h2::frames::{data, frame, kind, settings};

use super::case::code::{FLOW_CONTROL, FRAME_SIZE, PROTOCOL};
use super::case::{Case, case};
use super::given::Given;

/// INITIAL_WINDOW_SIZE.
const WINDOW: u16 = 4;
/// The largest window that there may be.
const WINDOW_MAX: u32 = (1 << 31) - 1;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [updates(given), overflows(given), allowances(given)]
        .into_iter()
        .flatten()
        .collect()
}

fn window(stream: u32, by: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

fn updates(given: &Given) -> Vec<Case> {
    let update = |claim| case("6.9", claim);
    let cut = |stream, length| frame(kind::WINDOW_UPDATE, 0, stream, &vec![0; length]);
    vec![
        update("an increment of 0 for the connection ends it")
            .sends(window(0, 0))
            .goes_away(&[PROTOCOL]),
        update("an increment of 0 for a stream is an error of the stream")
            .sends(given.posted(1))
            .sends(window(1, 0))
            .resets(1, &[PROTOCOL]),
        update("an increment of 3 octets ends the connection")
            .sends(cut(0, 3))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        update("an increment of 5 octets ends the connection")
            .sends(cut(0, 5))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        update("an increment of 1 for the connection is taken")
            .sends(window(0, 1))
            .goes_on(),
        update("the reserved bit of an increment is ignored")
            .sends(window(0, 0x8000_0001))
            .goes_on(),
        update("an increment of 1 for a stream is taken")
            .sends(given.posted(1))
            .sends(window(1, 1))
            .sends(data(1, b"{}", true))
            .answers(1),
    ]
}

fn overflows(given: &Given) -> Vec<Case> {
    let overflow = |claim| case("6.9.1", claim);
    vec![
        overflow("a window of the connection above 2^31-1 ends it")
            .sends([window(0, WINDOW_MAX), window(0, WINDOW_MAX)].concat())
            .goes_away(&[FLOW_CONTROL]),
        overflow("a window of a stream above 2^31-1 is an error of the stream")
            .sends(given.posted(1))
            .sends([window(1, WINDOW_MAX), window(1, WINDOW_MAX)].concat())
            .resets(1, &[FLOW_CONTROL]),
        overflow("a window of exactly 2^31-1 is taken")
            .sends(window(0, WINDOW_MAX - 65_535))
            .goes_on(),
        case(
            "6.9.2",
            "SETTINGS that make a window too large end the connection",
        )
        .sends(given.posted(1))
        .sends(window(1, WINDOW_MAX - 65_535))
        .sends(settings(&[(WINDOW, 65_536)]))
        .goes_away(&[FLOW_CONTROL]),
        case("6.9.2", "SETTINGS of 2^31 end the connection")
            .sends(settings(&[(WINDOW, 1 << 31)]))
            .goes_away(&[FLOW_CONTROL, PROTOCOL]),
    ]
}

fn allowances(given: &Given) -> Vec<Case> {
    let allowed = |section, claim, octets| {
        case(section, claim)
            .sends(settings(&[(WINDOW, octets)]))
            .awaits_acknowledgement()
            .sends(given.got(1))
    };
    vec![
        allowed("6.9.1", "a window of nothing gives nothing", 0).gives_nothing(),
        allowed("6.9.1", "a window of 1 gives one octet", 1).gives(1),
        allowed("6.9.1", "a window of 7 gives seven octets", 7).gives(7),
        allowed("6.9.1", "what is added is given, and no more", 0)
            .sends(window(1, 5))
            .gives(5),
        allowed("6.9.1", "what is added for the connection gives nothing", 0)
            .sends(window(0, 5))
            .gives_nothing(),
        allowed("6.9.1", "an answer goes on when it may", 3)
            .awaits_data(1)
            .sends(window(1, 4))
            .gives(4),
        allowed("6.9.2", "SETTINGS widen the window of an open stream", 0)
            .sends(settings(&[(WINDOW, 2)]))
            .gives(2),
        allowed("6.9.2", "a window may be less than nothing", 3)
            .awaits_data(1)
            .sends(settings(&[(WINDOW, 2)]))
            .awaits_acknowledgement()
            .sends(window(1, 2))
            .gives(1),
        allowed(
            "6.9.2",
            "SETTINGS do not widen the window of the connection",
            0,
        )
        .sends(settings(&[(WINDOW, 65_535)]))
        .answers(1),
    ]
}
