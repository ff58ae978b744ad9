//! What may be asked, written and upgraded on a route.

use super::*;

#[test]
fn a_query_may_ask_only_for_what_is_listed() {
    for passes in [
        "/cases/first?page=2",
        "/cases/first?",
        "/cases/first?p%61ge=2",
        "/cases/first?tag[]=a&tag%5B%5D=b",
        "/cases/first?a+b=1&page=%20",
        "/cases/first?a%20b",
        "/open/x?anything=goes;here&a&a",
        "/listed?q=1",
    ] {
        let line = format!("GET {passes}");
        assert!(route_of(&["agent"], &line).is_ok(), "{line}");
    }
    for refused in [
        "/cases/first?fields=ssn",
        "/cases/first?Page=2",
        "/cases/first?page=1&page=2",
        "/cases/first?page[]=1",
        "/cases/first?page[x]=1",
        "/cases/first?page%00=1",
        "/cases/first?page=%00",
        "/cases/first?page=%0a",
        "/cases/first?page=%zz",
        "/cases/first?page=%2",
        "/cases/first?page=%",
        "/cases/first?p%E9ge=1",
        "/cases/first?=1",
        "/cases/first?page=1;fields=ssn",
        "/cases/first?tag=1",
        "/cases/first?_method=DELETE",
        "/cases/7?x",
        "/export?format=csv",
        "/listed?p=1",
    ] {
        let line = format!("GET {refused}");
        assert_eq!(
            route_of(&["boss"], &line),
            Err(DenyReason::QueryNotAllowed),
            "{line}"
        );
    }
}

#[test]
fn a_write_needs_full_sight() {
    let put = "PUT /cases/1";
    assert_eq!(route_of(&["boss"], put).as_deref(), Ok("read"));
    assert_eq!(
        route_of(&["agent"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["agent", "boss"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["clerk"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    // What nobody labelled is hidden there too.
    assert_eq!(
        route_of(&["boss"], "POST /export"),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["agent"], "POST /strict").as_deref(),
        Ok("strict")
    );
    assert_eq!(route_of(&["agent"], "POST /login").as_deref(), Ok("open"));
}

#[test]
fn a_write_that_could_not_be_read_is_called_that() {
    let json = ("content-type", "application/json");
    for (headers, has_body, expected) in [
        (&[json][..], true, DenyReason::WriteOfHiddenField),
        (
            &[json, ("content-encoding", "identity")],
            true,
            DenyReason::WriteOfHiddenField,
        ),
        (&[], false, DenyReason::WriteOfHiddenField),
        (&[], true, DenyReason::UnsupportedMediaType),
        (
            &[("content-type", "application/xml")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
        (&[json, json], true, DenyReason::UnsupportedMediaType),
        (
            &[json, ("content-encoding", "gzip")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
        (
            &[("content-type", "application/json; charset=utf-16")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
    ] {
        assert_eq!(
            with_headers("PUT /cases/1", headers, has_body),
            Err(expected),
            "{headers:?}"
        );
    }
}

#[test]
fn an_upgrade_needs_a_route_that_allows_it() {
    let websocket = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
    ];
    let refused = Err(DenyReason::UpgradeRefused);
    assert_eq!(
        with_headers("GET /socket", &websocket, false).as_deref(),
        Ok("socket")
    );
    assert_eq!(with_headers("GET /cases/1", &websocket, false), refused);
    assert_eq!(with_headers("GET /open/x", &websocket, false), refused);
    assert_eq!(
        with_headers("GET /socket", &[("upgrade", "h2c")], false),
        refused
    );
    assert_eq!(with_headers("GET /socket", &websocket[..2], false), refused);
}

#[test]
fn a_client_that_accepts_no_coding_is_told_so() {
    let nothing = [("accept-encoding", "identity;q=0, *;q=0")];
    assert_eq!(
        with_headers("GET /cases/1", &nothing, false),
        Err(DenyReason::NotAcceptable)
    );
    assert!(with_headers("GET /open/x", &nothing, false).is_ok());
}
