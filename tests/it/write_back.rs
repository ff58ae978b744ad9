//! Read, change, write back through the proxy: the stored true values stay, seen at the upstream itself.

use std::net::SocketAddr;

use postern_proxy::demo;
use serde_json::{Value, json};

use crate::origin::{Answer, Origin};
use crate::postern::{Client, Reply, Stage, request, start};

const CASE: &str = "/api/v2/cases/1001";
const JSON: &str = "Content-Type: application/json\r\n";

/// The demo's case API in this process.
async fn case_api() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(demo::api::serve(listener));
    address
}

/// The demo's policy with this suite's issuer and a mode for writes.
fn policy(mode: &str) -> String {
    let (before, rest) = demo::POLICY.split_once("identity: ").unwrap();
    let (_, after) = rest.split_once("labels: ").unwrap();
    let unlabelled = format!("write_back: {mode}\nunlabelled: show");
    let after = after.replacen("unlabelled: show", &unlabelled, 1);
    let after = after.replace("    write_back: reject ", "    # ");
    // This suite's server file names no key for tokens.
    let after = after.replace("{ pseudonym: { scope: identity } }", "redact");
    format!("{before}IDENTITY\nlabels: {after}")
}

/// What is stored, asked at the upstream itself.
async fn stored(api: SocketAddr) -> Value {
    let mut client = Client::connect(api).await;
    let ask = format!("GET {CASE} HTTP/1.1\r\nHost: desk\r\n\r\n");
    client.write(ask.as_bytes()).await;
    let reply = client.reply(false).await.unwrap();
    serde_json::from_slice(&reply.body).unwrap()
}

async fn write(stage: &Stage, line: (&str, &str), lines: &str, body: &str) -> Reply {
    let (method, target) = line;
    let lines = format!("{lines}Content-Length: {}\r\n", body.len());
    stage
        .send(&request(method, target, "agent", &lines, body))
        .await
}

/// Reads as the agent, changes the status, writes everything back; the answer, and what was and is stored.
async fn round(mode: &str, method: &str, kind: &str) -> (Reply, Value, Value) {
    let api = case_api().await;
    let stage = start(&policy(mode), api).await;
    let before = stored(api).await;
    let view = stage.get(CASE, "agent").await;
    assert_eq!(view.status, 200);
    let mut view: Value = serde_json::from_slice(&view.body).unwrap();
    assert_ne!(view["customer"]["email"], before["customer"]["email"]);
    assert_eq!(view["debug"].get("session_token"), None);
    view["status"] = json!("changed by the agent");
    let lines = format!("Content-Type: application/{kind}\r\n");
    let reply = write(&stage, (method, CASE), &lines, &view.to_string()).await;
    let after = stored(api).await;
    stage.running.shutdown().await;
    (reply, before, after)
}

#[tokio::test]
async fn a_masked_document_that_is_written_back_changes_no_true_value() {
    for (mode, method, kind, status) in [
        ("reject", "PUT", "json", 403),
        ("reject", "PATCH", "json", 403),
        ("reject", "PATCH", "merge-patch+json", 403),
        ("drop_field", "PUT", "json", 403),
        ("drop_field", "PATCH", "json", 200),
        ("restore", "PUT", "json", 200),
        ("restore", "PATCH", "json", 200),
    ] {
        let name = format!("{mode} {method} {kind}");
        let (reply, mut before, mut after) = round(mode, method, kind).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.text());
        let email = before["customer"]["email"].as_str().unwrap().to_owned();
        assert!(
            !reply.text().contains(&email),
            "{name}: the answer is redacted"
        );
        if status == 403 {
            assert_eq!(reply.slug(), "write-of-hidden-field");
            assert!(
                reply.text().contains("pii.contact"),
                "{name}: labels are named"
            );
        } else {
            assert_eq!(after["status"], "changed by the agent", "{name}");
        }
        for document in [&mut before, &mut after] {
            let members = document.as_object_mut().unwrap();
            members.remove("status");
            members.remove("version");
        }
        assert_eq!(before, after, "{name}");
    }
}

#[tokio::test]
async fn a_write_without_hidden_fields_goes_through_and_its_answer_is_redacted() {
    let api = case_api().await;
    let stage = start(&policy("reject"), api).await;
    let body = r#"{ "status" : "solved", "tags": ["a"] }"#;
    let reply = write(&stage, ("PATCH", CASE), JSON, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let truth = stored(api).await;
    assert_eq!(truth["status"], "solved");
    let answer: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answer["status"], "solved");
    assert_ne!(answer["customer"]["email"], truth["customer"]["email"]);
    stage.running.shutdown().await;
}

#[tokio::test]
async fn a_true_attempt_to_write_a_hidden_field_is_refused_in_every_mode() {
    for mode in ["reject", "restore"] {
        let api = case_api().await;
        let stage = start(&policy(mode), api).await;
        let before = stored(api).await;
        for body in [
            r#"{"customer":{"email":"eve@example.com"}}"#,
            r#"{"customer":null}"#,
            r#"{"debug":{"session_token":"x"}}"#,
            r#"{"internal_note":"seen","payments":[]}"#,
        ] {
            let reply = write(&stage, ("PATCH", CASE), JSON, body).await;
            assert_eq!(reply.slug(), "write-of-hidden-field", "{mode} {body}");
        }
        assert_eq!(stored(api).await, before, "{mode}");
        stage.running.shutdown().await;
    }
}

const SCRIPTED: &str = "policy: v1\nname: scripted\nIDENTITY
labels: { pii: Personal data }
write_back: restore
routes:
  case: { match: ['GET /c', 'PUT /c', 'PATCH /c', 'POST /c'], label: { '$.mail': pii } }
  alone: { match: PUT /alone, label: { '$.mail': pii } }
  closed: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { pii: redact } }
  boss: { sees: { pii: show } }
";

fn tagged(body: &str, tag: &str) -> Answer {
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: {tag}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn failed() -> Answer {
    Answer::raw(
        "HTTP/1.1 412 Precondition Failed\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    )
}

/// Sends a PUT that repeats the mask to an origin that answers in this order; the reply, and the
/// requests that the origin got, as text.
async fn scripted(answers: Vec<Answer>, lines: &str) -> (Reply, Vec<String>) {
    let origin = Origin::scripted(answers).await;
    let stage = start(SCRIPTED, origin.address()).await;
    let body = r#"{"mail":"[redacted]","n":2}"#;
    let reply = write(&stage, ("PUT", "/c"), &format!("{JSON}{lines}"), body).await;
    stage.running.shutdown().await;
    (reply, origin.requests())
}

const STORED: &str = r#"{"mail":"a@example.com","n":1}"#;
const LATER: &str = r#"{"mail":"b@example.com","n":1}"#;
const OTHER: &str = r#"{"mail":"b@example.com","n":7}"#;

#[tokio::test]
async fn a_strong_tag_makes_the_write_conditional_on_what_was_read() {
    let (reply, requests) = scripted(vec![tagged(STORED, "\"v1\""), Answer::json("{}")], "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(requests.len(), 2);
    assert!(requests[0].starts_with("GET /c HTTP/1.1\r\n"));
    assert!(
        requests[0]
            .to_lowercase()
            .contains("accept-encoding: identity\r\n")
    );
    assert!(requests[1].starts_with("PUT /c HTTP/1.1\r\n"));
    assert!(
        requests[1].to_lowercase().contains("if-match: \"v1\"\r\n"),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].ends_with(r#"{"mail":"a@example.com","n":2}"#),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn without_a_strong_tag_there_is_no_condition() {
    for answer in [
        Answer::json(STORED),
        tagged(STORED, "W/\"v1\""),
        tagged(STORED, "v1"),
    ] {
        let (reply, requests) = scripted(vec![answer, Answer::json("{}")], "").await;
        assert_eq!(reply.status, 200);
        assert!(!requests[1].to_lowercase().contains("if-match"));
    }
}

#[tokio::test]
async fn a_change_that_the_role_does_not_see_is_met_by_a_second_try_and_only_one() {
    let answers = vec![
        tagged(STORED, "\"v1\""),
        failed(),
        tagged(LATER, "\"v2\""),
        Answer::json("{}"),
    ];
    let (reply, requests) = scripted(answers, "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(requests.len(), 4);
    assert!(requests[3].to_lowercase().contains("if-match: \"v2\"\r\n"));
    assert!(requests[3].ends_with(r#"{"mail":"b@example.com","n":2}"#));

    let answers = vec![
        tagged(STORED, "\"v1\""),
        failed(),
        tagged(LATER, "\"v2\""),
        failed(),
    ];
    let (reply, requests) = scripted(answers, "").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (409, "write-conflict")
    );
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn a_change_that_the_role_sees_is_a_conflict() {
    let answers = vec![tagged(STORED, "\"v1\""), failed(), tagged(OTHER, "\"v2\"")];
    let (reply, requests) = scripted(answers, "").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (409, "write-conflict")
    );
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn a_condition_that_holds_for_what_was_read_becomes_its_tag() {
    for lines in ["If-Match: *\r\n", "If-Match: \"v1\", \"v2\"\r\n"] {
        let answers = vec![
            tagged(STORED, "\"v1\""),
            failed(),
            tagged(LATER, "\"v2\""),
            Answer::json("{}"),
        ];
        let (reply, requests) = scripted(answers, lines).await;
        assert_eq!(reply.status, 200, "{lines}: {}", reply.text());
        for (sent, tag) in [(&requests[1], "\"v1\""), (&requests[3], "\"v2\"")] {
            let sent = sent.to_lowercase();
            assert_eq!(sent.matches("if-match").count(), 1);
            assert!(sent.contains(&format!("if-match: {tag}\r\n")), "{sent}");
        }
    }
    // Somebody else's change of what is hidden is seen, and the older value is not written.
    let answers = vec![tagged(STORED, "\"v1\""), failed(), tagged(OTHER, "\"v2\"")];
    let (reply, requests) = scripted(answers, "If-Match: *\r\n").await;
    assert_eq!((reply.status, requests.len()), (409, 3));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_for_what_was_read_writes_nothing() {
    for lines in [
        "If-Match: \"mine\"\r\n",
        "If-Match: W/\"v1\"\r\n",
        "If-Unmodified-Since: Sun, 06 Nov 2094 08:49:37 GMT\r\n",
    ] {
        let answers = vec![tagged(STORED, "\"v1\""), Answer::json("{}")];
        let (reply, requests) = scripted(answers, lines).await;
        let got = (reply.status, reply.slug());
        assert_eq!(got, (409, "write-conflict".to_owned()), "{lines}");
        assert_eq!(requests.len(), 1, "{lines}");
    }
}

#[tokio::test]
async fn without_a_strong_tag_a_condition_of_the_client_goes_up_and_its_failure_comes_down() {
    let answers = vec![Answer::json(STORED), failed()];
    let (reply, requests) = scripted(answers, "If-Match: \"mine\"\r\n").await;
    assert_eq!(reply.status, 412);
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1]
            .to_lowercase()
            .contains("if-match: \"mine\"\r\n")
    );
    let conflict = Answer::raw(
        "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    let (reply, _) = scripted(vec![tagged(STORED, "\"v1\""), conflict], "").await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.text(), "{}");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_written() {
    let gone = Answer::raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let broken = Answer::json(r#"{"mail":"a","#);
    let page =
        Answer::raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>");
    let long = Answer::json(&format!(r#"{{"mail":"{}"}}"#, "x".repeat(2 << 20)));
    for (answer, status, slug) in [
        (gone, 409, "write-conflict"),
        (broken, 502, "unreadable-body"),
        (page, 502, "unreadable-body"),
        (long, 502, "unreadable-body"),
    ] {
        let (reply, requests) = scripted(vec![answer, Answer::json("{}")], "").await;
        assert_eq!((reply.status, reply.slug().as_str()), (status, slug));
        assert_eq!(requests.len(), 1, "{slug}");
    }
}

#[tokio::test]
async fn refusals_reach_nobody_and_say_why() {
    let origin = Origin::scripted(vec![Answer::json(STORED)]).await;
    let policy = SCRIPTED.replace("write_back: restore", "write_back: reject");
    let stage = start(&policy, origin.address()).await;
    let long = format!(r#"{{"n":"{}"}}"#, "x".repeat(1 << 20));
    for (line, lines, body, status, slug) in [
        (("PUT", "/c"), JSON, "{}", 403, "write-of-hidden-field"),
        (
            ("PATCH", "/c"),
            JSON,
            r#"{"mail":1}"#,
            403,
            "write-of-hidden-field",
        ),
        (
            ("PATCH", "/c"),
            JSON,
            r#"{"n":1,"n":2}"#,
            400,
            "ambiguous-request",
        ),
        (("PATCH", "/c"), JSON, "{", 400, "ambiguous-request"),
        (("PATCH", "/c"), JSON, &long, 413, "body-too-large"),
        (
            ("PATCH", "/c"),
            "Content-Type: text/csv\r\n",
            "a",
            415,
            "unsupported-media-type",
        ),
        (("PATCH", "/c"), "", "{}", 415, "unsupported-media-type"),
        (("PUT", "/alone"), JSON, "{}", 403, "write-of-hidden-field"),
    ] {
        let reply = write(&stage, line, lines, body).await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (status, slug),
            "{line:?}"
        );
    }
    assert!(origin.requests().is_empty());
    let reply = write(&stage, ("PATCH", "/c"), JSON, r#"{"n":2}"#).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("[redacted]"), "{}", reply.text());
    stage.running.shutdown().await;
}
