//! Heads: what is refused, what leaves, and what the body then goes through. Cases are data.

use std::io::Write;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use postern_config::{Policy, Revision};

use crate::{
    BodyError, CompiledPolicy, EngineLimits, ExchangePlan, Identity, PseudonymKeys, RequestFacts,
    ResponsePlan, Verdict,
};

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets, name: Names }
routes:
  read:
    match: ["GET /cases", "HEAD /cases"]
    label: { $..ssn: secret, $..name: name }
  file:
    match: GET /file
    label: { $..ssn: secret }
    unreadable: { allow: [image/png] }
  strict:
    match: GET /strict
    required: [$.id]
  open: { match: "ANY /open/{rest...}" }
  stream: { match: GET /stream, allow: [sse] }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { name: mask } }
  boss: { sees: { secret: show, name: show } }
"#;

const DOCUMENT: &str = r#"{"id":1,"ssn":"912-04-7731","name":"Jane"}"#;
const REDACTED: &str = r#"{"id":1,"name":"•••"}"#;

fn plan(role: &str, target: &str, headers: &HeaderMap) -> ExchangePlan {
    let policy = match Policy::parse("policy.yaml", POLICY) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    let compiled =
        CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap();
    let identity = Identity {
        groups: vec![role.to_owned()],
        ..Identity::default()
    };
    let verdict = compiled.decide(&RequestFacts {
        method: "GET",
        path: target,
        query: None,
        headers,
        upgrade: false,
        has_body: false,
        identity: &identity,
    });
    match verdict {
        Verdict::Allow(plan) => *plan,
        Verdict::Deny(reason) => panic!("{reason:?}"),
    }
}

fn head(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn respond(
    role: &str,
    target: &str,
    status: u16,
    fields: &[(&str, &str)],
) -> Result<ResponsePlan, BodyError> {
    let status = StatusCode::from_u16(status).unwrap();
    plan(role, target, &HeaderMap::new()).respond(&Method::GET, status, &head(fields))
}

fn run(plan: ResponsePlan, body: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut pipeline = plan.body.unwrap();
    let mut out = pipeline
        .push(Bytes::copy_from_slice(body))?
        .into_bytes()
        .to_vec();
    out.extend(pipeline.finish()?.into_bytes());
    Ok(out)
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn redacts_json_under_any_status_and_any_json_type() {
    for status in [200, 201, 400, 401, 403, 404, 409, 422, 429, 500, 503] {
        let plan = respond("agent", "/cases", status, &[JSON]).unwrap();
        assert_eq!(
            run(plan, DOCUMENT.as_bytes()).unwrap(),
            REDACTED.as_bytes(),
            "{status}"
        );
    }
    for (media, named) in [
        ("application/json;charset=UTF-8", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        (
            "application/problem+json; profile=x",
            "application/problem+json",
        ),
    ] {
        let plan = respond("agent", "/cases", 200, &[("content-type", media)]).unwrap();
        assert_eq!(plan.headers.get("content-type").unwrap(), named);
        assert_eq!(
            run(plan, DOCUMENT.as_bytes()).unwrap(),
            REDACTED.as_bytes(),
            "{media}"
        );
    }
}

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
    let kept = [
        ("date", "x"),
        ("retry-after", "5"),
        ("allow", "GET"),
        ("content-language", "de"),
    ];
    let mut fields = vec![JSON, ("x-request-id", "named by connection")];
    fields.extend(dropped);
    fields.extend(kept);
    let plan = respond("agent", "/cases", 200, &fields).unwrap();
    let mut expected = head(&kept);
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
fn who_sees_everything_gets_the_bytes_as_they_came() {
    let fields = [
        ("content-type", "text/plain; a=b"),
        ("content-encoding", "foo"),
    ];
    let plan = respond("boss", "/cases", 200, &fields).unwrap();
    assert_eq!(plan.headers.get("content-type").unwrap(), "text/plain; a=b");
    assert_eq!(plan.headers.get("content-encoding").unwrap(), "foo");
    let chunk = Bytes::from_static(b"\xff any bytes");
    let mut body = plan.body.unwrap();
    let out = body.push(chunk.clone()).unwrap().into_bytes();
    assert_eq!(out.as_ptr(), chunk.as_ptr());
    assert!(!body.reads());
}

#[test]
fn a_listed_type_passes_unread_and_unnamed() {
    let fields = [
        ("content-type", "image/png"),
        ("content-length", "3"),
        (
            "content-disposition",
            "attachment; filename=912-04-7731.png",
        ),
    ];
    let plan = respond("agent", "/file", 200, &fields).unwrap();
    assert_eq!(plan.keep_length, Some(3));
    assert!(!plan.headers.contains_key("content-disposition"));
    assert_eq!(run(plan, b"png").unwrap(), b"png");
    let refused = respond("agent", "/file", 200, &[("content-type", "image/jpeg")]);
    assert_eq!(refused.unwrap_err(), BodyError::ContentType);
}

#[test]
fn an_empty_body_needs_no_type_but_must_stay_empty() {
    let fields = [("content-length", "0"), ("content-type", "text/html")];
    let plan = respond("agent", "/cases", 302, &fields).unwrap();
    assert_eq!(plan.keep_length, Some(0));
    assert!(!plan.headers.contains_key("content-type"));
    assert_eq!(run(plan, b"").unwrap(), b"");
    let plan = respond("agent", "/cases", 200, &fields).unwrap();
    assert!(matches!(run(plan, b"x"), Err(BodyError::Head { .. })));
    let missing = respond("boss", "/strict", 200, &fields).unwrap_err();
    assert_eq!(missing, BodyError::RequiredMissing);
    assert!(respond("boss", "/strict", 404, &fields).is_ok());
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
fn what_is_required_is_required_of_successes_only() {
    let answer = |status, body: &str| {
        run(
            respond("boss", "/strict", status, &[JSON])?,
            body.as_bytes(),
        )
    };
    assert_eq!(answer(200, r#"{"id":1}"#).unwrap(), br#"{"id":1}"#);
    assert_eq!(answer(200, "{}"), Err(BodyError::RequiredMissing));
    assert_eq!(answer(404, "{}").unwrap(), b"{}");
    assert!(answer(404, "{").is_err());
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
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn decodes_what_the_upstream_encoded_and_encodes_for_the_client() {
    let coded = gzip(DOCUMENT.as_bytes());
    for (accept, named) in [
        ("", None),
        ("gzip", Some("gzip")),
        ("br", Some("br")),
        ("zstd", Some("zstd")),
    ] {
        let plan = plan("agent", "/cases", &head(&[("accept-encoding", accept)]));
        let upstream = head(&[JSON, ("content-encoding", "gzip")]);
        let answer = plan
            .respond(&Method::GET, StatusCode::OK, &upstream)
            .unwrap();
        let encoding = answer.headers.get("content-encoding").cloned();
        assert_eq!(
            encoding.as_ref().map(|value| value.to_str().unwrap()),
            named
        );
        assert_eq!(answer.headers.contains_key("vary"), named.is_some());
        let out = run(answer, &coded).unwrap();
        let plain = match named {
            None => out,
            Some("gzip") => {
                let mut decoder = flate2::write::GzDecoder::new(Vec::new());
                decoder.write_all(&out).unwrap();
                decoder.finish().unwrap()
            }
            Some("br") => {
                let mut plain = Vec::new();
                brotli::BrotliDecompress(&mut out.as_slice(), &mut plain).unwrap();
                plain
            }
            Some(_) => zstd::stream::decode_all(out.as_slice()).unwrap(),
        };
        assert_eq!(plain, REDACTED.as_bytes(), "{accept}");
    }
}

#[test]
fn refuses_codings_that_are_unknown_damaged_or_undeclared() {
    let answer = |coding: &str, body: &[u8]| {
        run(
            respond(
                "agent",
                "/cases",
                200,
                &[JSON, ("content-encoding", coding)],
            )?,
            body,
        )
    };
    let coded = gzip(DOCUMENT.as_bytes());
    for coding in ["compress", "foo", "gzip;q=1", "gzip, gzip, gzip"] {
        assert!(matches!(
            answer(coding, &coded),
            Err(BodyError::ContentCoding { .. })
        ));
    }
    assert!(matches!(
        answer("br", &coded),
        Err(BodyError::ContentCoding { .. })
    ));
    assert!(matches!(
        answer("gzip", &gzip(&coded)),
        Err(BodyError::Malformed { .. })
    ));
    assert!(matches!(
        answer("identity", &coded),
        Err(BodyError::Malformed { .. })
    ));
    assert_eq!(
        answer("gzip", &coded[..coded.len() - 1]),
        Err(BodyError::Incomplete)
    );
    assert_eq!(answer("gzip", b""), Err(BodyError::Incomplete));
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
