//! Tables of request heads and targets: what passes, and why the rest does not.

use super::h2::DecodedHead;
use super::target::{canonical, canonical_path};
use super::*;

const LIMITS: HeadLimits = HeadLimits {
    header_bytes: 512,
    header_count: 8,
    target_bytes: 64,
};

fn clean(raw: &str) -> Result<CleanRequest, Refusal> {
    clean_h1(raw.as_bytes(), LIMITS, &HostRule::default())
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")
}

fn with(line: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{line}\r\n\r\n")
}

#[test]
fn gives_every_sound_path_one_form() {
    let table = [
        ("/", "/"),
        ("/api/cases", "/api/cases"),
        ("/api/cases/", "/api/cases/"),
        ("/api/%63ases", "/api/cases"),
        ("/a%7eb/%7E", "/a~b/~"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="),
        ("/100%25", "/100%25"),
        ("/..a/b..", "/..a/b.."),
        ("/a%3Ab", "/a%3Ab"),
    ];
    for (raw, expected) in table {
        assert_eq!(canonical_path(raw.as_bytes()).as_deref(), Ok(expected));
        assert_eq!(
            canonical_path(expected.as_bytes()).as_deref(),
            Ok(expected),
            "canonical twice"
        );
    }
}

#[test]
fn refuses_paths_that_two_readers_could_read_differently() {
    let table: [&[u8]; 36] = [
        b"",
        b"api",
        b"*",
        b"//api",
        b"/a//b",
        b"/.",
        b"/..",
        b"/a/.",
        b"/a/../b",
        b"/%2e%2e/a",
        b"/.%2E/a",
        b"/%2e",
        b"/a%2fb",
        b"/a%5cb",
        b"/a\\b",
        b"/a;b",
        b"/a%3bb",
        b"/a%3fb",
        b"/a%23b",
        b"/a#b",
        b"/a%00",
        b"/a%0d%0ab",
        b"/a%7f",
        b"/a%252e",
        b"/a%2",
        b"/a%",
        b"/a%zz",
        b"/a%u2215",
        b"/a%c0%af",
        b"/..%ef%bc%8fadmin",
        b"/%ef%bc%8e%ef%bc%8e/a",
        b"/a%e2%88%95b",
        b"/a\xc3\xa9",
        b"/a b",
        b"/a\tb",
        b"/<a>\"",
    ];
    for raw in table {
        assert!(
            matches!(canonical_path(raw), Err(Refusal::Ambiguous(_))),
            "{}",
            raw.escape_ascii()
        );
    }
}

#[test]
fn splits_the_query_off_and_leaves_it_alone() {
    let target = canonical(b"/a?b=%2F&c[]=d?e%20;f").unwrap();
    assert_eq!(target.path, "/a");
    assert_eq!(target.query.as_deref(), Some("b=%2F&c[]=d?e%20;f"));
    assert_eq!(canonical(b"/a?").unwrap().query.as_deref(), Some(""));
    for bad in ["/a?b%", "/a?b=%0", "/a?%00", "/a?\"", "/a?<", "/a?b#c"] {
        assert!(canonical(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn reads_a_plain_request() {
    let request = clean(
        "POST /api/cases?a=b HTTP/1.1\r\nHost: A.example:8080\r\nContent-Length: 7\r\nX: \t y \r\n\r\n",
    )
    .unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/api/cases");
    assert_eq!(request.query.as_deref(), Some("a=b"));
    assert_eq!(request.authority, "a.example:8080");
    assert_eq!(request.headers["x"], "y");
    assert_eq!(request.body, DeclaredBody::Length(7));
    assert!(!request.upgrade);
}

#[test]
fn refuses_ambiguous_heads() {
    let table = [
        "GET /x HTTP/1.1\nHost: a\n\n",
        "GET /x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: \r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a.\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a/x\r\n\r\n",
        "GET  /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x\r\nHost: a\r\n\r\n",
        "GET foo HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x http/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1x\r\nHost: a\r\n\r\n",
        "get /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for raw in table {
        assert!(
            matches!(clean(raw), Err(Refusal::Ambiguous(_))),
            "{}",
            raw.escape_debug()
        );
    }
    let table = [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: +3",
        "Content-Length: 03",
        "Content-Length: 3,3",
        "Content-Length: ",
        "Content-Length: 9999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: ",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "transfer_encoding: chunked",
        "X_Role: admin",
        "Connection: close, Authorization",
    ];
    for line in table {
        assert!(
            matches!(clean(&with(line)), Err(Refusal::Ambiguous(_))),
            "{}",
            line.escape_debug()
        );
    }
}

#[test]
fn names_the_refusals_that_have_a_status_of_their_own() {
    let host = "Host: a.example\r\n\r\n";
    let table = [
        (format!("GET /x HTTP/1.0\r\n{host}"), Refusal::Version),
        (format!("GET /x HTTP/2.0\r\n{host}"), Refusal::Version),
        (format!("TRACE /x HTTP/1.1\r\n{host}"), Refusal::Method),
        (format!("CONNECT a:1 HTTP/1.1\r\n{host}"), Refusal::Method),
        (with("Expect: 200-ok"), Refusal::Expectation),
        (with("Expect: "), Refusal::Expectation),
        (
            with("Expect: 100-continue, 100-continue"),
            Refusal::Expectation,
        ),
        (
            with("Expect: 100-continue\r\nExpect: 100-continue"),
            Refusal::Expectation,
        ),
    ];
    for (raw, expected) in table {
        assert_eq!(clean(&raw).unwrap_err(), expected, "{}", raw.escape_debug());
    }
}

#[test]
fn knows_who_waits_before_a_body_is_sent() {
    let waits = |line: &str| clean(&with(line)).unwrap().waits;
    assert!(waits("Expect: 100-Continue\r\nContent-Length: 1"));
    assert!(waits("Expect: 100-continue\r\nTransfer-Encoding: chunked"));
    assert!(!waits("Content-Length: 1"));
    assert!(!waits("Expect: 100-continue"), "there is no body");
    assert!(!waits("Expect: 100-continue\r\nContent-Length: 0"));
}

#[test]
fn sees_every_way_to_ask_for_an_upgrade() {
    for line in ["Connection: keep-alive, Upgrade", "Upgrade: h2c"] {
        assert!(clean(&with(line)).unwrap().upgrade, "{line}");
    }
    assert!(!clean(&with("Connection: keep-alive")).unwrap().upgrade);
}

#[test]
fn serves_only_the_named_hosts_when_some_are_named() {
    let hosts = HostRule::new(&["Desk.example".to_owned(), "127.0.0.1:8080".to_owned()]);
    for served in ["desk.EXAMPLE", "desk.example:99", "127.0.0.1:8080"] {
        assert!(hosts.check(served.as_bytes()).is_ok(), "{served}");
    }
    for other in ["evil.example", "127.0.0.1", "127.0.0.1:8081", "[::1]"] {
        assert_eq!(
            hosts.check(other.as_bytes()),
            Err(Refusal::Misdirected),
            "{other}"
        );
    }
}

#[test]
fn holds_a_head_to_each_limit_and_no_further() {
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    assert!(clean(&get(&path(64))).is_ok());
    assert_eq!(clean(&get(&path(65))).unwrap_err(), Refusal::TargetTooLong);
    let headers = |count: usize| "A: b\r\n".repeat(count - 1);
    let head = |lines: String| format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    assert!(clean(&head(headers(8))).is_ok());
    assert_eq!(
        clean(&head(headers(9))).unwrap_err(),
        Refusal::HeadersTooLarge
    );
    let sized = |bytes: usize| {
        let empty = head("X: \r\n".to_owned()).len();
        head(format!("X: {}\r\n", "y".repeat(bytes - empty)))
    };
    assert!(clean(&sized(512)).is_ok());
    assert_eq!(clean(&sized(513)).unwrap_err(), Refusal::HeadersTooLarge);
}

#[test]
fn holds_http2_to_the_same_rules() {
    let check = |target: &str, authority: Option<&str>, fields: &[(&str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let head = DecodedHead {
            method: b"GET",
            target: target.as_bytes(),
            authority,
            headers: &headers,
            ended: true,
        };
        clean_h2(&head, LIMITS, &HostRule::default())
    };
    let sound = check("/a?b", Some("a.example"), &[("host", "A.example")]).unwrap();
    assert_eq!(sound.headers["host"], "a.example");
    assert!(check("/a", None, &[("host", "a")]).is_ok());
    assert!(check("/a", Some("a"), &[("te", "trailers")]).is_ok());
    type Case<'a> = (&'a str, Option<&'a str>, &'a [(&'a str, &'a str)]);
    assert!(check("/a", Some("a"), &[("x-a", "b c"), ("x-b", "")]).is_ok());
    let refused: [Case<'_>; 12] = [
        ("/a", Some("a"), &[("x-a", " b")]),
        ("/a", Some("a"), &[("x-a", "b\t")]),
        ("/a", Some("a"), &[("x-a", " ")]),
        ("a", Some("a"), &[]),
        ("*", Some("a"), &[]),
        ("/../a", Some("a"), &[]),
        ("/a", Some("a"), &[("host", "b")]),
        ("/a", None, &[]),
        ("/a", Some("a"), &[("te", "gzip")]),
        ("/a", Some("a"), &[("connection", "close")]),
        ("/a", Some("a"), &[("upgrade", "websocket")]),
        ("/a", Some("a"), &[("x_role", "b")]),
    ];
    for (target, authority, fields) in refused {
        assert!(
            matches!(check(target, authority, fields), Err(Refusal::Ambiguous(_))),
            "{target} {authority:?} {fields:?}"
        );
    }
}
