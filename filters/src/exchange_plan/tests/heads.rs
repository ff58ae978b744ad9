//! Which heads are refused, and which fields leave.

use super::*;

#[test]
fn refuses_what_is_not_json_to_the_letter() {
    for media in [
        "text/plain",
        "text/html",
        "application/octet-stream",
        "text/json",
        "application/x-json",
        "application/javascript",
        "*/*",
        "json",
        "",
        "application/json, text/html",
        "application/json; charset=\"utf-8",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "text/event-stream",
        "application/xml",
        "text/csv",
        "multipart/byteranges; boundary=r",
        "multipart/mixed; boundary=r",
        "image/png",
        "application/json\u{e9}",
    ] {
        let refused = respond("agent", "/cases", 200, &[("content-type", media)]);
        assert_eq!(refused.unwrap_err(), BodyError::ContentType, "{media}");
    }
    assert_eq!(
        respond("agent", "/cases", 200, &[]).unwrap_err(),
        BodyError::ContentType
    );
}

#[test]
fn refuses_heads_that_are_ambiguous_partial_or_lead_past_us() {
    let location = |target| ("location", target);
    for (status, fields) in [
        (200, vec![JSON, JSON]),
        (200, vec![("content-type", "text/plain"), JSON]),
        (206, vec![JSON]),
        (200, vec![JSON, ("content-range", "bytes 0-20/60")]),
        (100, vec![]),
        (101, vec![]),
        (401, vec![JSON, ("www-authenticate", "Basic realm=x")]),
        (407, vec![JSON, ("proxy-authenticate", "Basic realm=x")]),
        (
            302,
            vec![
                JSON,
                location("https://legacy-origin.internal.example/api?ssn=1"),
            ],
        ),
        (
            302,
            vec![JSON, location("//legacy-origin.internal.example/x")],
        ),
        (
            302,
            vec![JSON, location("https:\\\\legacy-origin.internal.example")],
        ),
        (
            302,
            vec![JSON, location("/\\legacy-origin.internal.example")],
        ),
        (302, vec![JSON, location("/cases?ssn=912-04-7731")]),
        (302, vec![JSON, location("/cases#ssn")]),
        (302, vec![JSON, location("cases/2")]),
        (302, vec![JSON, location("")]),
        (302, vec![JSON, location("/a"), location("/b")]),
    ] {
        for role in ["agent", "boss"] {
            let refused = respond(role, "/cases", status, &fields).unwrap_err();
            assert!(
                matches!(refused, BodyError::Head { .. }),
                "{role} {status} {fields:?} {refused:?}"
            );
        }
    }
    let plan = respond("agent", "/cases", 302, &[JSON, location("/api/cases/2")]).unwrap();
    assert_eq!(plan.headers.get("location").unwrap(), "/api/cases/2");
    let created = [JSON, location("https://legacy-origin.internal.example/7")];
    let plan = respond("agent", "/cases", 201, &created).unwrap();
    assert!(!plan.headers.contains_key("location"));
}

/// What passes on a labelled route.
const KEPT: [(&str, &str); 4] = [
    ("date", "x"),
    ("retry-after", "5"),
    ("allow", "GET"),
    ("content-language", "de"),
];

#[test]
fn a_labelled_route_names_only_what_cannot_carry_the_record() {
    let dropped = [
        ("set-cookie", "JSESSIONID=x"),
        ("etag", "\"x\""),
        ("last-modified", "x"),
        ("content-md5", "x"),
        ("digest", "x"),
        ("repr-digest", "x"),
        ("content-digest", "x"),
        ("accept-ranges", "bytes"),
        ("server", "x"),
        ("x-powered-by", "x"),
        ("link", "<x>"),
        ("refresh", "0; url=x"),
        ("alt-svc", "x"),
        ("content-location", "/x"),
        ("x-auth-token", "x"),
        ("x-debug-sql", "x"),
        ("x-total-count", "7"),
        ("x-sendfile", "/x"),
        ("content-disposition", "attachment; filename=x"),
        ("sourcemap", "x"),
        ("via", "1.1 x"),
        ("trailer", "x-ssn"),
        ("warning", "x"),
        ("service-worker-allowed", "/"),
        ("access-control-allow-origin", "https://other.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "x"),
        ("vary", "cookie"),
        ("expires", "x"),
        ("age", "1"),
        ("cache-control", "public, max-age=60"),
        ("pragma", "x"),
        ("connection", "x-request-id"),
        ("keep-alive", "x"),
        ("transfer-encoding", "chunked"),
        ("content-length", "43"),
        ("content-security-policy", "report-uri https://x"),
    ];
    let mut fields = vec![JSON, ("x-request-id", "named by connection")];
    fields.extend(dropped);
    fields.extend(KEPT);
    let plan = respond("agent", "/cases", 200, &fields).unwrap();
    let mut expected = head(&KEPT);
    expected.extend(head(&[
        JSON,
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]));
    assert_eq!(plan.headers, expected);
    assert_eq!(plan.keep_length, None);
    let plan = respond("boss", "/cases", 200, &fields).unwrap();
    expected.extend(head(&[("content-disposition", "attachment; filename=x")]));
    assert_eq!(plan.headers, expected);
    assert_eq!(plan.keep_length, Some(43));
}

#[test]
fn answers_without_a_body_have_no_pipeline() {
    let fields = [
        ("content-type", "application/json"),
        ("content-length", "61"),
        ("etag", "x"),
    ];
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304)] {
        let status = StatusCode::from_u16(status).unwrap();
        let plan = plan("agent", "/cases", &HeaderMap::new());
        let answer = plan.respond(&method, status, &head(&fields)).unwrap();
        assert!(answer.body.is_none() && answer.keep_length.is_none());
        assert!(!answer.headers.contains_key("etag"));
        assert!(!answer.headers.contains_key("content-length"));
    }
}

#[test]
fn a_route_without_labels_loses_tokens_and_pointers_only() {
    let dropped = [
        ("set-cookie", "a=b"),
        ("www-authenticate", "Basic"),
        ("connection", "x-hop"),
        ("x-hop", "x"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("server", "x"),
        ("alt-svc", "x"),
        ("x-auth-token", "x"),
        ("trailer", "x"),
    ];
    let kept = [
        ("content-type", "text/html"),
        ("etag", "\"x\""),
        ("cache-control", "max-age=5"),
        ("x-total-count", "7"),
        ("content-encoding", "br"),
        ("location", "/login?next=/"),
    ];
    let fields: Vec<_> = dropped.into_iter().chain(kept).collect();
    let plan = respond("agent", "/open/x", 200, &fields).unwrap();
    assert_eq!(plan.headers, head(&kept));
    assert_eq!(plan.keep_length, Some(5));
}

#[test]
fn event_streams_need_a_route_that_allows_them() {
    for media in ["text/event-stream", "Text/Event-Stream;charset=utf-8"] {
        let fields = [("content-type", media)];
        let refused = respond("agent", "/open/x", 200, &fields);
        assert_eq!(refused.unwrap_err(), BodyError::ContentType);
        assert!(respond("agent", "/stream", 200, &fields).is_ok());
        let seen_in_full = respond("boss", "/cases", 200, &fields);
        assert_eq!(seen_in_full.unwrap_err(), BodyError::ContentType);
    }
}

#[test]
fn the_request_asks_for_what_can_be_read() {
    let client = head(&[("accept", "text/csv"), ("accept-encoding", "gzip")]);
    let asks = |role, target| {
        let headers = plan(role, target, &client).request_headers(&client);
        let text = |name| {
            headers
                .get(name)
                .map(|value: &HeaderValue| value.to_str().unwrap().to_owned())
        };
        (text("accept").unwrap(), text("accept-encoding").unwrap())
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        asks("agent", "/cases"),
        pair("application/json", "identity")
    );
    assert_eq!(
        asks("agent", "/file"),
        pair("application/json, image/png", "identity")
    );
    assert_eq!(
        asks("boss", "/strict"),
        pair("application/json", "identity")
    );
    assert_eq!(asks("boss", "/cases"), pair("text/csv", "gzip"));
    assert_eq!(asks("agent", "/open/x"), pair("text/csv", "gzip"));
    let spoofed = head(&[("x-subject", "root"), ("x-roles", "boss")]);
    assert!(
        plan("agent", "/open/x", &spoofed)
            .request_headers(&spoofed)
            .is_empty()
    );
}
