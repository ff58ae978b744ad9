//! What a body goes through once its head has been accepted.

use std::io::Write;

use super::*;

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
    let mut body = plan.body.unwrap();
    let byte = || Bytes::from_static(b"x");
    assert!(matches!(body.push(byte()), Err(BodyError::Head { .. })));
    assert_eq!(body.push(byte()), Err(BodyError::Spent));
    assert_eq!(body.finish(), Err(BodyError::Spent));
    let missing = respond("boss", "/strict", 200, &fields).unwrap_err();
    assert_eq!(missing, BodyError::RequiredMissing);
    assert!(respond("boss", "/strict", 404, &fields).is_ok());
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
fn coded_bytes_do_not_depend_on_what_was_hidden_or_how_it_arrived() {
    let shown: Vec<String> = (0..4_000)
        .map(|id| format!(r#"{{"id":{id},"note":"shown {}"}}"#, id * 7))
        .collect();
    let document = |hidden: &str| {
        let shown = shown.join(",");
        format!(r#"{{"ssn":"{hidden}","cases":[{shown}],"b":{{"ssn":"{hidden}"}}}}"#)
    };
    let coded = |accept: &str, hidden: &str, chunk: usize| {
        let plan = plan("agent", "/cases", &head(&[("accept-encoding", accept)]));
        let answer = plan
            .respond(&Method::GET, StatusCode::OK, &head(&[JSON]))
            .unwrap();
        let mut body = answer.body.unwrap();
        let mut out = Vec::new();
        for piece in document(hidden).as_bytes().chunks(chunk) {
            out.extend(
                body.push(Bytes::copy_from_slice(piece))
                    .unwrap()
                    .into_bytes(),
            );
        }
        out.extend(body.finish().unwrap().into_bytes());
        (answer.headers, out)
    };
    for accept in ["gzip", "br", "zstd", "identity"] {
        let one = coded(accept, "912-04-7731", 65_536);
        let long = "x".repeat(30_000);
        for chunk in [1, 7, 999, 4_096, 8_192, 131_072] {
            assert!(one == coded(accept, &long, chunk), "{accept} {chunk}");
        }
    }
}
