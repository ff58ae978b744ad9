//! DATA, HEADERS, PRIORITY and RST_STREAM as frames (RFC 9113 sections 6.1 to 6.4).

use crate::bypass::h2::frames::{
    END_HEADERS, END_STREAM, PADDED, PRIORITY_FLAG, data, frame, kind,
};

use super::case::code::{ENDED, FRAME_SIZE, PROTOCOL};
use super::case::{Case, case};
use super::given::Given;

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [data_frames(given), headers_frames(given), others(given)]
        .into_iter()
        .flatten()
        .collect()
}

/// A payload with padding that says how long it is.
fn padded(says: u8, content: &[u8], padding: usize) -> Vec<u8> {
    [&[says][..], content, &vec![0; padding]].concat()
}

fn data_frames(given: &Given) -> Vec<Case> {
    let posted = |claim| case("6.1", claim).sends(given.posted(1));
    let ends = |flags, payload: &[u8]| frame(kind::DATA, flags | END_STREAM, 1, payload);
    vec![
        case("6.1", "DATA of no stream ends the connection")
            .sends(data(0, b"{}", true))
            .goes_away(&[PROTOCOL]),
        case("6.1", "DATA of a stream that was ended is an error")
            .sends(given.got(1))
            .sends(data(1, b"{}", true))
            .resets(1, ENDED),
        posted("one DATA is a body")
            .sends(data(1, b"{}", true))
            .answers(1),
        posted("two DATA are a body")
            .sends(data(1, b"{", false))
            .sends(data(1, b"}", true))
            .answers(1),
        posted("DATA without octets ends a stream")
            .sends(ends(0, &[]))
            .answers(1),
        posted("DATA without octets ends a body")
            .sends(data(1, b"{}", false))
            .sends(ends(0, &[]))
            .answers(1),
        posted("padding is taken")
            .sends(ends(PADDED, &padded(5, b"{}", 5)))
            .answers(1),
        posted("nothing but padding is taken")
            .sends(data(1, b"{}", false))
            .sends(ends(PADDED, &padded(200, b"", 200)))
            .answers(1),
        posted("padding of no octets is taken")
            .sends(ends(PADDED, &padded(0, b"{}", 0)))
            .answers(1),
        posted("padding that is longer than the frame ends the connection")
            .sends(ends(PADDED, &padded(6, b"1234", 0)))
            .goes_away(&[PROTOCOL]),
        posted("padding that is as long as the frame ends the connection")
            .sends(ends(PADDED, &padded(5, b"1234", 0)))
            .goes_away(&[PROTOCOL]),
        posted("padding without its length ends the connection")
            .sends(ends(PADDED, &[]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
    ]
}

fn headers_frames(given: &Given) -> Vec<Case> {
    let head = |claim| case("6.2", claim);
    let whole = given.get();
    let framed =
        |flags, payload: &[u8]| frame(kind::HEADERS, flags | END_STREAM | END_HEADERS, 1, payload);
    let weighed = [&[0x80, 0, 0, 0, 255][..], &whole].concat();
    vec![
        head("HEADERS of no stream end the connection")
            .sends(given.got(0))
            .goes_away(&[PROTOCOL]),
        head("HEADERS are a request")
            .sends(framed(0, &whole))
            .serves(1),
        head("padding is taken")
            .sends(framed(PADDED, &padded(8, &whole, 8)))
            .serves(1),
        head("a priority is taken")
            .sends(framed(PRIORITY_FLAG, &weighed))
            .serves(1),
        head("padding and a priority are taken")
            .sends(framed(PADDED | PRIORITY_FLAG, &padded(9, &weighed, 9)))
            .serves(1),
        head("padding that is longer than the frame ends the connection")
            .sends(framed(PADDED, &padded(101, &whole[..100], 0)))
            .goes_away(&[PROTOCOL]),
        head("padding without its length ends the connection")
            .sends(framed(PADDED, &[]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        head("a priority that is cut ends the connection")
            .sends(framed(PRIORITY_FLAG, &[0; 4]))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
    ]
}

fn others(given: &Given) -> Vec<Case> {
    let priority = |claim| case("6.3", claim);
    let weighed = |stream, length| frame(kind::PRIORITY, 0, stream, &vec![0; length]);
    let reset = |claim| case("6.4", claim);
    let ended = |stream, length| frame(kind::RST_STREAM, 0, stream, &vec![0; length]);
    vec![
        priority("PRIORITY of no stream ends the connection")
            .sends(weighed(0, 5))
            .goes_away(&[PROTOCOL]),
        priority("PRIORITY of 4 octets is an error")
            .sends(given.got(1))
            .sends(weighed(1, 4))
            .resets(1, &[FRAME_SIZE, PROTOCOL]),
        priority("PRIORITY of 6 octets is an error")
            .sends(given.got(1))
            .sends(weighed(1, 6))
            .resets(1, &[FRAME_SIZE, PROTOCOL]),
        priority("an exclusive dependency is taken")
            .sends(frame(kind::PRIORITY, 0, 1, &[0x80, 0, 0, 0, 0]))
            .sends(given.got(1))
            .serves(1),
        priority("a dependency on an idle stream is taken")
            .sends(frame(kind::PRIORITY, 0, 3, &[0, 0, 0, 1, 255]))
            .sends(given.got(1))
            .serves(1),
        reset("RST_STREAM of no stream ends the connection")
            .sends(ended(0, 4))
            .goes_away(&[PROTOCOL]),
        reset("RST_STREAM of an idle stream ends the connection")
            .sends(ended(3, 4))
            .goes_away(&[PROTOCOL]),
        reset("RST_STREAM of 3 octets ends the connection")
            .sends(given.got(1))
            .sends(ended(1, 3))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        reset("RST_STREAM of 5 octets ends the connection")
            .sends(given.got(1))
            .sends(ended(1, 5))
            .goes_away(&[FRAME_SIZE, PROTOCOL]),
        reset("a request that was reset is not answered")
            .sends([given.posted(1), ended(1, 4)].concat())
            .goes_on(),
    ]
}
