//! Fields that make a request malformed (RFC 9113 sections 8.2 and 8.3), each beside one that does not.

use crate::bypass::h2::frames::headers;

use super::case::{Case, case};
use super::given::{Fields, Given};

pub(super) fn cases(given: &Given) -> Vec<Case> {
    [
        names(given),
        values(given),
        connection_fields(given),
        pseudo_fields(given),
        targets(given),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn asks(section: &'static str, claim: &'static str, fields: &Fields) -> Case {
    case(section, claim).sends(headers(1, &fields.block(), true))
}

fn names(given: &Given) -> Vec<Case> {
    let served = |claim, name| asks("8.2.1", claim, &given.fields("GET").with(name, "1")).serves(1);
    let refused =
        |claim, name| asks("8.2.1", claim, &given.fields("GET").with(name, "1")).refuses();
    vec![
        served("a name in lower case", "x-test"),
        served("a name with a digit", "x-4"),
        refused("a name in upper case", "X-Test"),
        refused("a name with one letter in upper case", "x-tesT"),
        refused("a name of nothing", ""),
        refused("a name with a space", "x test"),
        refused("a name that ends with a space", "x-test "),
        refused("a name with a line break", "x\r\ntest"),
        refused("a name with a colon within", "x:test"),
        refused("a name with a null octet", "x\0test"),
        refused("a name beyond ASCII", "x-tést"),
        refused("a name with DEL", "x\u{7f}"),
    ]
}

fn values(given: &Given) -> Vec<Case> {
    let served =
        |claim, value| asks("8.2.1", claim, &given.fields("GET").with("x-test", value)).serves(1);
    let refused =
        |claim, value| asks("8.2.1", claim, &given.fields("GET").with("x-test", value)).refuses();
    vec![
        served("a value of nothing", ""),
        served("a value with a space within", "a b"),
        served("a value with a tab within", "a\tb"),
        refused("a value with a null octet", "a\0b"),
        refused("a value with a carriage return", "a\rb"),
        refused("a value with a line feed", "a\nb"),
        refused("a value with a request within", "a\r\n\r\nGET / HTTP/1.1"),
        refused("a value that begins with a space", " a"),
        refused("a value that ends with a space", "a "),
        refused("a value that begins with a tab", "\ta"),
        refused("a value that ends with a tab", "a\t"),
    ]
}

fn connection_fields(given: &Given) -> Vec<Case> {
    let with = |claim, name, value| asks("8.2.2", claim, &given.fields("GET").with(name, value));
    vec![
        with("connection", "connection", "keep-alive").refuses(),
        with("connection: close", "connection", "close").refuses(),
        with("keep-alive", "keep-alive", "timeout=5").refuses(),
        with("proxy-connection", "proxy-connection", "keep-alive").refuses(),
        with("transfer-encoding", "transfer-encoding", "chunked").refuses(),
        with("upgrade", "upgrade", "websocket").refuses(),
        with("te with a coding", "te", "gzip").refuses(),
        with("te with trailers and a coding", "te", "trailers, deflate").refuses(),
        with("te with trailers is served", "te", "trailers").serves(1),
    ]
}

fn pseudo_fields(given: &Given) -> Vec<Case> {
    let get = || given.fields("GET");
    let refused = |claim, fields: Fields| asks("8.3", claim, &fields).refuses();
    vec![
        refused("an unknown one", get().led_by(":test", "1")),
        refused("one of an answer", get().led_by(":status", "200")),
        refused("one of an answer at the end", get().with(":status", "200")),
        refused("one after a field", get().led_by("x-test", "1")),
        refused("one without a name", get().led_by(":", "1")),
        refused("no method", get().without(":method")),
        refused("no scheme", get().without(":scheme")),
        refused("no path", get().without(":path")),
        refused(
            "none at all",
            get().without(":method").without(":scheme").without(":path"),
        ),
        refused("two methods", get().led_by(":method", "GET")),
        refused("two methods that differ", get().led_by(":method", "POST")),
        refused("two schemes", get().led_by(":scheme", "https")),
        refused("two paths", get().led_by(":path", "/cases/1")),
        refused("two paths that differ", get().led_by(":path", "/cases/2")),
        refused("two authorities", get().led_by(":authority", "a.example")),
        refused("a method of nothing", get().changed(":method", "")),
        refused("a method with a space", get().changed(":method", "GET /x")),
        asks(
            "8.3",
            "in another order it is served",
            &get().without(":method").led_by(":method", "GET"),
        )
        .serves(1),
    ]
}

/// RFC 9113 section 8.3.1.
fn targets(given: &Given) -> Vec<Case> {
    let get = || given.fields("GET");
    let path = |path| get().changed(":path", path);
    let host = |name| get().changed(":authority", name);
    let refused = |claim, fields: Fields| asks("8.3.1", claim, &fields).refuses();
    vec![
        refused("a path of nothing", path("")),
        refused("a path without a slash", path("cases/1")),
        refused("a path with a host", path("https://a.example/cases/1")),
        refused("a path with a space", path("/cases/1 HTTP/1.1")),
        refused("a path with a line break", path("/cases/1\r\nx: y")),
        refused("a path with a null octet", path("/cases/1\0")),
        refused("an asterisk for GET", path("*")),
        refused("an authority with a user", host("me@a.example")),
        refused("an authority with a path", host("a.example/cases")),
        refused("an authority with a space", host("a.example b.example")),
        refused("an authority with a line break", host("a.example\r\nx: y")),
        refused("neither authority nor host", get().without(":authority")),
        refused(
            "another host than the authority",
            get().with("host", "b.example"),
        ),
        refused(
            "two hosts",
            get().with("host", "a.example").with("host", "b.example"),
        ),
        asks(
            "8.3.1",
            "the same host as the authority is served",
            &get().with("host", "a.example"),
        )
        .serves(1),
        asks(
            "8.3.1",
            "a host instead of the authority is served",
            &get().without(":authority").with("host", "a.example"),
        )
        .serves(1),
        asks(
            "8.2.3",
            "cookies may be crumbs",
            &get().with("cookie", "a=1").with("cookie", "b=2"),
        )
        .serves(1),
    ]
}
