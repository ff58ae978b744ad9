//! The states of streams, their numbers and how many there may be (RFC 9113 section 5).

use crate::bypass::h2::frames::{END_HEADERS, data, frame, headers, kind, settings};

use super::case::code::{CANCEL, ENDED, PROTOCOL, REFUSED_STREAM, STREAM_CLOSED};
use super::case::{Case, case};
use super::given::Given;

/// How many streams the server says that it takes at once.
const STREAMS_MAX: u32 = 100;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        idle(given),
        half_closed(given),
        reset(given),
        ended(given),
        numbers(given),
        rest(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn window(stream: u32, by: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

fn cancel(stream: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

fn priority(stream: u32, parent: u32) -> Vec<u8> {
    let payload = [&parent.to_be_bytes()[..], &[16]].concat();
    frame(kind::PRIORITY, 0, stream, &payload)
}

fn continued(given: &Given) -> Vec<u8> {
    frame(kind::CONTINUATION, END_HEADERS, 1, &given.get())
}

fn idle(given: &Given) -> Vec<Case> {
    let idle = |claim| case("5.1 idle", claim);
    vec![
        idle("DATA ends the connection")
            .sends(data(1, b"{}", true))
            .goes_away(&[PROTOCOL]),
        idle("RST_STREAM ends the connection")
            .sends(cancel(1))
            .goes_away(&[PROTOCOL]),
        idle("WINDOW_UPDATE ends the connection")
            .sends(window(1, 100))
            .goes_away(&[PROTOCOL]),
        idle("CONTINUATION ends the connection")
            .sends(continued(given))
            .goes_away(&[PROTOCOL]),
        idle("PRIORITY is taken")
            .sends(priority(1, 0))
            .sends(given.got(1))
            .serves(1),
    ]
}

fn half_closed(given: &Given) -> Vec<Case> {
    let half = |claim| case("5.1 half-closed", claim).sends(settings(&[(4, 0)]));
    let asked = |claim| half(claim).sends(given.got(1));
    vec![
        asked("DATA is an error")
            .sends(data(1, b"{}", true))
            .resets(1, ENDED),
        asked("HEADERS are an error")
            .sends(given.got(1))
            .resets(1, ENDED),
        asked("CONTINUATION ends the connection")
            .sends(continued(given))
            .goes_away(&[PROTOCOL]),
        asked("WINDOW_UPDATE is taken").sends(window(1, 1)).gives(1),
        asked("PRIORITY is taken")
            .sends(priority(1, 0))
            .sends(window(1, 2))
            .gives(2),
        asked("RST_STREAM is taken").sends(cancel(1)).goes_on(),
        asked("an unknown frame is ignored")
            .sends(frame(0x5a, 1, 1, b"unknown"))
            .sends(window(1, 3))
            .gives(3),
    ]
}

/// After the client has reset the stream.
fn reset(given: &Given) -> Vec<Case> {
    let reset = |claim| {
        case("5.1 closed by RST_STREAM", claim)
            .sends(given.posted(1))
            .sends(cancel(1))
    };
    vec![
        reset("DATA is an error of the stream")
            .sends(data(1, b"{}", true))
            .resets(1, &[STREAM_CLOSED]),
        reset("HEADERS are an error")
            .sends(given.got(1))
            .resets(1, ENDED),
        reset("CONTINUATION ends the connection")
            .sends(continued(given))
            .goes_away(&[PROTOCOL]),
        reset("PRIORITY is taken").sends(priority(1, 0)).goes_on(),
        reset("WINDOW_UPDATE is taken")
            .sends(window(1, 1))
            .goes_on(),
        reset("another RST_STREAM is not answered")
            .sends(cancel(1))
            .goes_on(),
        reset("another stream is served")
            .sends(given.got(3))
            .serves(3),
    ]
}

/// After both sides have ended the stream.
fn ended(given: &Given) -> Vec<Case> {
    let ended = |claim| {
        case("5.1 closed by END_STREAM", claim)
            .sends(given.got(1))
            .awaits_answer(1)
    };
    vec![
        ended("DATA is an error")
            .sends(data(1, b"{}", true))
            .resets(1, &[STREAM_CLOSED]),
        ended("HEADERS are an error")
            .sends(given.got(1))
            .resets(1, ENDED),
        ended("CONTINUATION ends the connection")
            .sends(continued(given))
            .goes_away(&[PROTOCOL]),
        ended("PRIORITY is taken").sends(priority(1, 0)).goes_on(),
        ended("WINDOW_UPDATE is taken")
            .sends(window(1, 1))
            .goes_on(),
        ended("RST_STREAM is taken").sends(cancel(1)).goes_on(),
        ended("the next stream is served")
            .sends(given.got(3))
            .serves(3),
    ]
}

fn numbers(given: &Given) -> Vec<Case> {
    let number = |claim| case("5.1.1", claim);
    let last = (1 << 31) - 1;
    vec![
        number("an even number ends the connection")
            .sends(given.got(2))
            .goes_away(&[PROTOCOL]),
        number("a smaller number than before ends the connection")
            .sends(given.got(5))
            .sends(given.got(3))
            .goes_away(&[PROTOCOL]),
        number("a number that was passed over is closed")
            .sends(given.got(101))
            .awaits_answer(101)
            .sends(data(99, b"{}", true))
            .resets(99, &[STREAM_CLOSED, PROTOCOL]),
        number("numbers may be passed over")
            .sends(given.got(101))
            .serves(101),
        number("the last number is served")
            .sends(given.got(last))
            .serves(last),
        number("nothing comes after the last number")
            .sends(given.got(last))
            .awaits_answer(last)
            .sends(given.got(1))
            .goes_away(&[PROTOCOL, STREAM_CLOSED]),
    ]
}

fn rest(given: &Given) -> Vec<Case> {
    let streams = |count| (0..count).flat_map(|index| given.got(2 * index + 1));
    let crowd = |claim| case("5.1.2", claim).sends(settings(&[(4, 0)]));
    let itself = frame(
        kind::HEADERS,
        1 | END_HEADERS | 0x20,
        1,
        &[&[0, 0, 0, 1, 16][..], &given.get()].concat(),
    );
    let bad_ping = |stream| frame(kind::PING, 0, stream, &[0; 8]);
    vec![
        crowd("as many streams as announced are opened")
            .sends(streams(STREAMS_MAX).collect::<Vec<_>>())
            .goes_on(),
        crowd("one more is refused")
            .sends(streams(STREAMS_MAX + 1).collect::<Vec<_>>())
            .resets(2 * STREAMS_MAX + 1, &[REFUSED_STREAM, PROTOCOL]),
        crowd("one that was reset counts no more")
            .sends(streams(STREAMS_MAX).collect::<Vec<_>>())
            .sends(cancel(1))
            .sends(given.got(2 * STREAMS_MAX + 1))
            .goes_on(),
        case(
            "5.3.1",
            "HEADERS that depend on themselves are an error of the stream",
        )
        .sends(itself)
        .resets(1, &[PROTOCOL]),
        case(
            "5.3.1",
            "PRIORITY that depends on itself is an error of the stream",
        )
        .sends(priority(1, 1))
        .resets(1, &[PROTOCOL]),
        case(
            "5.4.1",
            "an error of the connection is told before it is closed",
        )
        .sends(bad_ping(3))
        .goes_away(&[PROTOCOL]),
        case("5.4.1", "what is asked after an error is not served")
            .sends([bad_ping(3), given.got(1)].concat())
            .goes_away(&[PROTOCOL]),
        case("5.4.2", "an error of a stream leaves the others alone")
            .sends(headers(
                1,
                &given.fields("GET").with("te", "gzip").block(),
                true,
            ))
            .sends(given.got(3))
            .serves(3),
        case("5.5", "an unknown frame is ignored")
            .sends(frame(0xee, 0, 0, b"more"))
            .goes_on(),
        case("5.5", "an unknown frame within a block ends the connection")
            .sends(frame(kind::HEADERS, 1, 1, &given.get()))
            .sends(frame(0xee, 0, 1, b"more"))
            .goes_away(&[PROTOCOL]),
    ]
}
