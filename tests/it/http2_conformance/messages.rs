//! Requests and their answers (RFC 9113 sections 8.1 and 8.5): order of frames, trailers, and lengths.

use crate::bypass::h2::frames::{data, headers};

use super::case::code::{ENDED, PROTOCOL, REFUSED_STREAM};
use super::case::{Case, case};
use super::given::{Fields, Given};

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        orders(given),
        trailers(given),
        lengths(given),
        methods(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn orders(given: &Given) -> Vec<Case> {
    let row = |claim| case("8.1", claim);
    let three = [given.got(1), given.got(3), given.got(5)].concat();
    vec![
        row("a request is served").sends(given.got(1)).serves(1),
        row("a request with a body is answered")
            .sends([given.posted(1), data(1, b"{}", true)].concat())
            .answers(1),
        row("requests at once are served: the first")
            .sends(three.clone())
            .serves(1),
        row("requests at once are served: the last")
            .sends(three)
            .serves(5),
        row("one request after the other is served")
            .sends(given.got(1))
            .awaits_answer(1)
            .sends(given.got(3))
            .awaits_answer(3)
            .sends(given.got(5))
            .serves(5),
        row("bodies may be interleaved")
            .sends([given.posted(1), given.posted(3)].concat())
            .sends([data(3, b"{", false), data(1, b"{", false)].concat())
            .sends([data(1, b"}", true), data(3, b"}", true)].concat())
            .answers(3),
        row("a request may wait for its body while another is served")
            .sends([given.posted(1), given.got(3)].concat())
            .serves(3),
    ]
}

fn trailers(given: &Given) -> Vec<Case> {
    let row = |claim| {
        let body = data(1, b"{}", false);
        case("8.1 trailers", claim).sends([given.posted(1), body].concat())
    };
    let block = |name, value| Fields::default().with(name, value).block();
    let trailer = |name, value| headers(1, &block(name, value), true);
    vec![
        row("a request may end with them")
            .sends(trailer("x-sum", "1"))
            .answers(1),
        row("they may be empty")
            .sends(headers(1, &[], true))
            .answers(1),
        row("they have to end the stream")
            .sends(headers(1, &block("x-sum", "1"), false))
            .resets(1, &[PROTOCOL]),
        // The library passes over it, and no trailers go on to the application.
        row("a pseudo-field in them changes nothing")
            .sends(trailer(":method", "POST"))
            .answers(1),
        row("they have no unknown pseudo-field")
            .sends(trailer(":x", "1"))
            .resets(1, &[PROTOCOL]),
        row("their names are in lower case")
            .sends(trailer("X-Sum", "1"))
            .resets(1, &[PROTOCOL]),
        row("they have no field of a connection")
            .sends(trailer("connection", "close"))
            .resets(1, &[PROTOCOL]),
        row("nothing comes after them")
            .sends([trailer("x-sum", "1"), data(1, b"{}", true)].concat())
            .resets(1, ENDED),
    ]
}

/// RFC 9113 section 8.1.1: the sum of DATA is what `content-length` says.
fn lengths(given: &Given) -> Vec<Case> {
    let row = |claim, length: &str| {
        let fields = given
            .fields("POST")
            .with("content-type", "application/json");
        let block = fields.with("content-length", length).block();
        case("8.1.1", claim).sends(headers(1, &block, false))
    };
    let whole = |fields: Fields| headers(1, &fields.block(), true);
    let get = || given.fields("GET");
    vec![
        row("as much as announced is answered", "2")
            .sends(data(1, b"{}", true))
            .answers(1),
        row("more than announced is malformed", "1")
            .sends(data(1, b"{}", true))
            .resets(1, &[PROTOCOL]),
        row("more than announced in pieces is malformed", "1")
            .sends([data(1, b"{", false), data(1, b"}", true)].concat())
            .resets(1, &[PROTOCOL]),
        row("less than announced is malformed", "3")
            .sends(data(1, b"{}", true))
            .resets(1, &[PROTOCOL]),
        row("less than announced before trailers is malformed", "3")
            .sends([data(1, b"{}", false), headers(1, &[], true)].concat())
            .resets(1, &[PROTOCOL]),
        row("a length that is no number is malformed", "two")
            .sends(data(1, b"{}", true))
            .refuses(),
        row("a length with a sign is malformed", "+2")
            .sends(data(1, b"{}", true))
            .refuses(),
        row(
            "a length beyond all numbers is malformed",
            "99999999999999999999999",
        )
        .sends(data(1, b"{}", true))
        .refuses(),
        case("8.1.1", "two lengths are malformed")
            .sends(whole(
                get()
                    .with("content-length", "0")
                    .with("content-length", "1"),
            ))
            .refuses(),
        case("8.1.1", "a length without DATA is malformed")
            .sends(whole(get().with("content-length", "2")))
            .refuses(),
        case("8.1.1", "a length of nothing without DATA is served")
            .sends(whole(get().with("content-length", "0")))
            .serves(1),
    ]
}

fn methods(given: &Given) -> Vec<Case> {
    let whole = |fields: Fields| headers(1, &fields.block(), true);
    let connect = given.fields("CONNECT").without(":scheme").without(":path");
    vec![
        case("8.1", "HEAD is served without DATA")
            .sends(whole(given.fields("HEAD")))
            .serves(1),
        case("8.5", "CONNECT is not served")
            .sends(whole(connect.clone()))
            .answers(1),
        case("8.5", "CONNECT with a path is malformed")
            .sends(whole(given.fields("CONNECT").without(":scheme")))
            .refuses(),
        case("8.5", "CONNECT with a scheme is malformed")
            .sends(whole(given.fields("CONNECT").without(":path")))
            .refuses(),
        case("8.5", "CONNECT without an authority is malformed")
            .sends(whole(connect.without(":authority")))
            .refuses(),
        case("8441 4", "a protocol that was not offered is refused")
            .sends(whole(
                given.fields("CONNECT").led_by(":protocol", "websocket"),
            ))
            .resets(1, &[PROTOCOL, REFUSED_STREAM]),
    ]
}
