//! Formats behind the proxy: which content types are read, what the upstream is asked for, and what of a
//! broken body leaves.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::origin::{Answer, Origin};
use crate::postern::{request, start};

const POLICY: &str = "\
policy: v1
name: formats
mode: enforce
IDENTITY
labels: { pii: Personal data }
routes:
  all:
    match: ['GET /api/cases/{rest...}', GET /api/cases]
    formats:
      - json
      - ndjson
      - json-seq
      - csv: { types: [application/vnd.ms-excel] }
      - tsv
    label: { '$[*].ssn': pii, '$[*].subject': pii }
    query: [format]
  western:
    match: GET /western
    formats: { csv: { delimiter: ';', encoding: windows-1252 } }
    label: { '$[*].ssn': pii }
  json:
    match: GET /json
    label: { '$[*].ssn': pii }
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
  boss: { sees: { pii: show } }
";

/// An answer with this content type and body.
fn answer(content_type: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Answer::raw([head.as_bytes(), body].concat())
}

const TABLE: &[u8] = b"id,ssn\r\n1,912-04-7731\r\n";

const TABLE_LEFT: &str = "id,ssn\r\n1,[redacted]\r\n";
const LINES: &[u8] = b"{\"ssn\":\"912-04-7731\"}\n{\"id\":1}\n";
const LINES_LEFT: &str = "{\"ssn\":\"[redacted]\"}\n{\"id\":1}\n";
const SEQUENCE: &[u8] = b"\x1E{\"ssn\":1}\n\x1E[]\n";

/// A path, the answer's content type and body, what leaves of the body, and as which type.
type Row = (
    &'static str,
    &'static str,
    &'static [u8],
    &'static str,
    &'static str,
);

const DECLARED: &[Row] = &[
    (
        "/api/cases",
        "text/csv",
        TABLE,
        TABLE_LEFT,
        "text/csv; charset=utf-8",
    ),
    (
        "/api/cases",
        "Text/CSV; charset=\"UTF-8\"; header=present",
        TABLE,
        TABLE_LEFT,
        "text/csv; charset=utf-8",
    ),
    (
        "/api/cases",
        "application/vnd.ms-excel",
        TABLE,
        TABLE_LEFT,
        "application/vnd.ms-excel; charset=utf-8",
    ),
    (
        "/api/cases",
        "text/tab-separated-values",
        b"ssn\tid\n1\t2\n",
        "ssn\tid\n[redacted]\t2\n",
        "text/tab-separated-values; charset=utf-8",
    ),
    (
        "/api/cases",
        "application/x-ndjson",
        LINES,
        LINES_LEFT,
        "application/x-ndjson",
    ),
    (
        "/api/cases",
        "application/jsonl;charset=utf-8",
        LINES,
        LINES_LEFT,
        "application/jsonl",
    ),
    (
        "/api/cases",
        "application/json-seq",
        SEQUENCE,
        "\u{1e}{\"ssn\":null}\n\u{1e}[]\n",
        "application/json-seq",
    ),
    (
        "/api/cases",
        "application/geo+json-seq",
        SEQUENCE,
        "\u{1e}{\"ssn\":null}\n\u{1e}[]\n",
        "application/geo+json-seq",
    ),
    (
        "/api/cases",
        "application/json",
        b"[{\"ssn\":1}]",
        "[{\"ssn\":null}]",
        "application/json",
    ),
    (
        "/western",
        "text/csv",
        b"n;ssn\nJos\xE9;1\n",
        "n;ssn\nJosé;[redacted]\n",
        "text/csv; charset=utf-8",
    ),
    (
        "/western",
        "text/csv; charset=ISO-8859-1",
        b"n;ssn\nJos\xE9;1\n",
        "n;ssn\nJosé;[redacted]\n",
        "text/csv; charset=utf-8",
    ),
    (
        "/western",
        "text/csv; charset=utf-8",
        "n;ssn\nJosé;1\n".as_bytes(),
        "n;ssn\nJosé;[redacted]\n",
        "text/csv; charset=utf-8",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_format_is_redacted_under_its_content_types() {
    for &(path, content_type, body, left, leaves_as) in DECLARED {
        let origin = Origin::scripted(vec![answer(content_type, body)]).await;
        let stage = start(POLICY, origin.address()).await;
        let reply = stage.get(path, "agent").await;
        assert_eq!(reply.status, 200, "{content_type}: {}", reply.text());
        assert_eq!(reply.text(), left, "{content_type}");
        assert_eq!(reply.header("content-type"), Some(leaves_as));
        let length = left.len().to_string();
        assert_eq!(reply.header("content-length"), Some(length.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_no_declared_format_claims_is_refused() {
    for (path, content_type, body) in [
        ("/api/cases", "text/csv; header=absent", TABLE),
        ("/api/cases", "text/csv; charset=utf-16", TABLE),
        ("/api/cases", "text/csv; charset=iso-8859-1", TABLE),
        ("/api/cases", "application/csv", TABLE),
        ("/api/cases", "text/plain", TABLE),
        (
            "/api/cases",
            "application/x-ndjson; charset=latin1",
            b"{}\n",
        ),
        ("/api/cases", "text/csv, application/json", TABLE),
        ("/western", "text/csv; charset=shift_jis", TABLE),
        ("/western", "application/json", b"[]"),
        ("/json", "text/csv", TABLE),
        ("/json", "application/x-ndjson", b"{}\n"),
        // The bytes are of another format than the type says.
        ("/api/cases", "application/json", TABLE),
        ("/api/cases", "text/csv", b"{\"ssn\":\"912-04-7731\"}"),
        ("/api/cases", "application/x-ndjson", TABLE),
        ("/api/cases", "text/csv", b"id;ssn\n1;912-04-7731\n"),
        ("/api/cases", "text/csv", b"\xFF\xFEi\0d\0,\0s\0s\0n\0"),
    ] {
        let origin = Origin::scripted(vec![answer(content_type, body)]).await;
        let stage = start(POLICY, origin.address()).await;
        let reply = stage.get(path, "agent").await;
        let got = (reply.status, reply.slug());
        assert_eq!(got, (502, "unreadable-body".to_owned()), "{content_type}");
        assert!(!reply.text().contains("912-04"), "{content_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_is_asked_for_declared_formats_only() {
    let all = "application/json, application/x-ndjson, application/json-seq, text/csv, \
               application/vnd.ms-excel, text/tab-separated-values";
    for (path, accept, asked) in [
        ("/api/cases", "text/html", all),
        ("/api/cases", "text/csv, */*;q=0.1", "text/csv"),
        ("/json", "text/csv", "application/json"),
        ("/western", "application/json", "text/csv"),
    ] {
        let origin = Origin::scripted(vec![answer("text/html", b"x")]).await;
        let stage = start(POLICY, origin.address()).await;
        let lines = format!("Accept: {accept}\r\n");
        let reply = stage.send(&request("GET", path, "agent", &lines, "")).await;
        assert_eq!(reply.status, 502);
        let seen = origin.requests().remove(0).to_lowercase();
        assert!(
            seen.contains(&format!("\r\naccept: {asked}\r\n")),
            "{accept}: {seen}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_breaks_late_is_never_seen_and_the_answer_is_cut() {
    let mut body = b"id,ssn\n".to_vec();
    for number in 0..20_000 {
        body.extend_from_slice(format!("{number},912-04-7731\n").as_bytes());
    }
    body.extend_from_slice(b"912-04-7731\n");
    let origin = Origin::scripted(vec![answer("text/csv", &body)]).await;
    let stage = start(POLICY, origin.address()).await;
    let reply = stage.get("/api/cases", "agent").await;
    assert_eq!(reply.status, 200);
    assert!(!reply.complete, "the answer ends as if it were whole");
    assert!(reply.text().contains("\n0,[redacted]\n"));
    assert!(!reply.text().contains("912-04"));
}

/// The catalogue's tables, which other policies refuse by their type, on a route that reads them.
#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_the_catalogue_are_redacted_where_they_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bypass/catalogue.json");
    let catalogue: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut tables = 0;
    for entry in catalogue["entries"].as_array().unwrap() {
        let parts = entry["upstream_response"]["parts"].as_array();
        let texts: Option<Vec<&str>> = parts
            .into_iter()
            .flatten()
            .map(|part| (part["enc"] == "ascii").then(|| part["data"].as_str().unwrap()))
            .collect();
        let whole = texts.unwrap_or_default().concat();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else {
            continue;
        };
        let content_type = head.split("\r\nContent-Type: ").nth(1);
        let content_type = content_type
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        if !["csv", "tab-separated", "ndjson"]
            .iter()
            .any(|word| content_type.contains(word))
        {
            continue;
        }
        tables += 1;
        let origin = Origin::scripted(vec![answer(content_type, body.as_bytes())]).await;
        let stage = start(POLICY, origin.address()).await;
        let reply = stage.get("/api/cases/1", "agent").await;
        let (id, text) = (&entry["id"], reply.text());
        assert_eq!(reply.status, 200, "{id}: {text}");
        assert!(text.contains("[redacted]"), "{id}: {text}");
        for hidden in entry["must_not_contain"].as_array().unwrap() {
            assert!(!text.contains(hidden.as_str().unwrap()), "{id}: {text}");
        }
        let boss = stage.get("/api/cases/1", "boss").await;
        assert_eq!(boss.text(), body, "{id} is not vacuous");
    }
    assert!(tables >= 4, "only {tables} tables");
}
