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

/// What a write without sight of these labels is answered.
fn hidden(labels: &[&str]) -> DenyReason {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    DenyReason::WriteOfHiddenField { labels }
}

#[test]
fn whoever_replaces_or_deletes_everything_must_see_everything() {
    let put = "PUT /cases/1";
    assert_eq!(route_of(&["boss"], put).as_deref(), Ok("read"));
    assert_eq!(route_of(&["agent"], put), Err(hidden(&["pii.mail"])));
    assert_eq!(
        route_of(&["agent", "boss"], put),
        Err(hidden(&["pii.mail"]))
    );
    assert_eq!(
        route_of(&["clerk"], put),
        Err(hidden(&["note", "pii.mail", "pii.name"]))
    );
    assert_eq!(route_of(&["boss"], "DELETE /gone").as_deref(), Ok("gone"));
    assert_eq!(
        route_of(&["agent"], "DELETE /gone"),
        Err(hidden(&["pii.mail"]))
    );
    assert_eq!(
        route_of(&["agent"], "PURGE /gone"),
        Err(hidden(&["pii.mail"]))
    );
}

#[test]
fn a_write_without_a_body_may_happen_unless_it_replaces() {
    for line in ["POST /export", "POST /strict", "POST /login", "PATCH /gone"] {
        assert!(route_of(&["agent"], line).is_ok(), "{line}");
    }
    let put = with_headers("PUT /gone", &[], false);
    assert_eq!(put, Err(hidden(&["pii.mail"])));
}

#[test]
fn a_write_is_guarded_exactly_where_something_is_hidden() {
    let json = [("content-type", "application/json")];
    for (groups, line, guarded) in [
        (&["agent"][..], "POST /export", true),
        // What nobody labelled is hidden there from everybody.
        (&["boss"], "POST /export", true),
        (&["agent"], "PATCH /gone", true),
        (&["agent", "boss"], "PATCH /gone", true),
        (&["boss"], "PATCH /gone", false),
        (&["agent"], "POST /login", false),
        (&["agent"], "GET /cases/1", false),
    ] {
        let request = Ask {
            groups,
            line,
            headers: &json,
            has_body: true,
        };
        let plan = ask(&compiled(), &request).unwrap();
        assert_eq!(plan.write_guard().is_some(), guarded, "{groups:?} {line}");
    }
}

#[test]
fn a_write_that_could_not_be_read_is_called_that() {
    let json = ("content-type", "application/json");
    let identity = ("content-encoding", "identity");
    let types: &[&[(&'static str, &'static str)]] = &[
        &[json],
        &[json, identity],
        &[("content-type", "application/vnd.x+json; charset=utf-8")],
        &[("content-type", "application/merge-patch+json")],
        &[("content-type", "application/json-patch+json")],
        &[("content-type", "application/x-www-form-urlencoded")],
    ];
    for headers in types {
        let patched = with_headers("PATCH /gone", headers, true);
        assert_eq!(patched.as_deref(), Ok("gone"), "{headers:?}");
    }
    let unread: &[&[(&'static str, &'static str)]] = &[
        &[],
        &[("content-type", "application/xml")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "text/plain")],
        &[json, json],
        &[json, ("content-encoding", "gzip")],
        &[("content-type", "application/json; charset=utf-16")],
        &[(
            "content-type",
            "application/x-www-form-urlencoded; charset=latin1",
        )],
    ];
    for headers in unread {
        for line in ["PUT /gone", "PATCH /gone", "POST /export"] {
            let answer = with_headers(line, headers, true);
            assert_eq!(answer, Err(DenyReason::UnsupportedMediaType), "{headers:?}");
        }
    }
    let patch = [("content-type", "application/merge-patch+json")];
    let put = with_headers("PUT /gone", &patch, true);
    assert_eq!(put, Err(DenyReason::UnsupportedMediaType));
    let put = with_headers("PUT /gone", &[json], true);
    assert_eq!(put, Err(hidden(&["pii.mail"])));
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
