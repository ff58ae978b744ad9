//! What may be asked through a running Postern: about fields, and for other methods.

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Stage, get, request, start};

/// The policy of the proxy tests, with parameters that ask about fields.
fn policy() -> String {
    POLICY.replace(
        "    query: [page]\n",
        "    query: [page]\n    params:\n      ssn: pii\n      sort: { asks: sort, of: [id, ssn] }\n",
    )
}

async fn answered(stage: &Stage, raw: &str) -> (u16, String) {
    let mut client = Client::connect(stage.address()).await;
    client.write(raw.as_bytes()).await;
    let reply = client.reply(false).await.expect("an answer");
    (reply.status, reply.slug())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_field_is_asked_about_by_those_who_see_it_and_by_nobody_else() {
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1}"#)]).await;
    let stage = start(&policy(), origin.address()).await;
    for (query, slug) in [
        ("ssn=912", "query-on-hidden-field"),
        ("page=1&ssn%5Bgte%5D=912", "query-on-hidden-field"),
        ("sort=-ssn", "query-on-hidden-field"),
        ("sort=name", "query-not-allowed"),
        ("SSN=912", "query-not-allowed"),
        ("page=1%26ssn%3D912", "query-not-allowed"),
    ] {
        let raw = get(&format!("/cases/1?{query}"), "agent");
        let status = if slug == "query-not-allowed" {
            400
        } else {
            403
        };
        assert_eq!(
            answered(&stage, &raw).await,
            (status, slug.to_owned()),
            "{query}"
        );
    }
    assert!(origin.requests().is_empty());
    for (query, role) in [
        ("ssn%5Bgte%5D=912", "boss"),
        ("sort=-ssn,id", "boss"),
        ("page=1&sort=id", "agent"),
    ] {
        let raw = get(&format!("/cases/1?{query}"), role);
        assert_eq!(answered(&stage, &raw).await.0, 200, "{query}");
        let seen = origin.requests().pop().expect("a request");
        let line = format!("GET /cases/1?{query} HTTP/1.1\r\n");
        assert!(seen.starts_with(&line), "the query goes up as it came");
    }
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn posted(lines: &str, body: &str) -> String {
    let lines = format!("{lines}Content-Length: {}\r\n", body.len());
    request("POST", "/notes", "agent", &lines, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_asks_the_application_for_another_method() {
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1}"#)]).await;
    let stage = start(POLICY, origin.address()).await;
    let part = "--x\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--x--\r\n";
    for raw in [
        posted("X-HTTP-Method-Override: DELETE\r\n", "{}"),
        posted("X-HTTP-Method: DELETE\r\n", "{}"),
        posted("X-Method-Override: DELETE\r\n", "{}"),
        get("/notes?a=1&_method=DELETE", "agent"),
        get("/notes?%5Fmethod=DELETE", "agent"),
        posted(FORM, "a=1&_method=DELETE"),
        posted("", "_method=DELETE"),
        posted("Content-Type: multipart/form-data; boundary=x\r\n", part),
        posted(&format!("{FORM}Content-Encoding: gzip\r\n"), "a=1"),
        posted(
            "Content-Type: application/x-www-form-urlencoded, x\r\n",
            "_method=DELETE",
        ),
        posted(
            "Content-Type: application/json\r\n",
            "{\"_method\":\"DELETE\"}",
        ),
    ] {
        let outcome = answered(&stage, &raw).await;
        assert_eq!(outcome, (400, "ambiguous-request".to_owned()), "{raw}");
    }
    assert!(origin.requests().is_empty());
    for raw in [
        posted("X-HTTP-Method-Override: post\r\n", "{}"),
        posted(FORM, "a=1&_method=post"),
        posted(FORM, "method=DELETE"),
        posted("Content-Type: text/plain\r\n", "_method=DELETE"),
    ] {
        assert_eq!(answered(&stage, &raw).await.0, 200, "{raw}");
    }
    assert_eq!(origin.requests().len(), 4);
    assert!(
        origin
            .requests()
            .iter()
            .all(|seen| { !seen.to_lowercase().contains("override") }),
        "the fields do not go up, whatever they say"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_form_that_asks_for_another_method_does_not_arrive_whole() {
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1}"#)]).await;
    let stage = start(POLICY, origin.address()).await;
    let body = format!("a={}&_method=DELETE", "x".repeat(300 << 10));
    let (status, slug) = answered(&stage, &posted(FORM, &body)).await;
    assert_eq!((status, slug.as_str()), (400, "ambiguous-request"));
    let whole = origin
        .requests()
        .iter()
        .any(|seen| seen.ends_with("DELETE"));
    assert!(!whole, "the form arrived to its end");
}
