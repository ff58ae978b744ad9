//! What a person in a browser reads when Postern itself answers, and that programs read what they always did.

use crate::origin::{Answer, Origin};
use crate::postern::{POLICY, Reply, Stage, request, start};

const ACCEPT: &str =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n";
const BROWSER: &str = "Sec-Fetch-Mode: navigate\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n";

async fn stage() -> (Origin, Stage) {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let stage = start(POLICY, origin.address()).await;
    (origin, stage)
}

async fn refused(stage: &Stage, fields: &str) -> Reply {
    let raw = request("GET", "/elsewhere", "agent", fields, "");
    let reply = stage.send(&raw).await;
    assert_eq!(reply.status, 403, "{}", reply.head);
    let length = reply.header("content-length").unwrap();
    assert_eq!(length, reply.body.len().to_string());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("vary"), Some("accept, sec-fetch-mode"));
    assert!(reply.header("postern-revision").is_some());
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_goes_to_a_page_reads_the_problem_in_words() {
    let (_origin, stage) = stage().await;
    let reply = refused(&stage, BROWSER).await;
    let kind = reply.header("content-type");
    assert_eq!(kind, Some("text/html; charset=utf-8"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-")
            && policy.ends_with("form-action 'none'; frame-ancestors 'self'"),
        "{policy}"
    );
    let page = reply.text();
    for told in ["<h1>This route is not open</h1>", "route-denied (403)"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_and_what_a_page_fetches_get_the_problem_as_json() {
    let (_origin, stage) = stage().await;
    let fetched = format!("{ACCEPT}Sec-Fetch-Mode: cors\r\n");
    for fields in [
        "",
        "Accept: */*\r\n",
        "Accept: application/json\r\n",
        // A program, or a browser that is not told by its network that it may say more.
        ACCEPT,
        fetched.as_str(),
    ] {
        let reply = refused(&stage, fields).await;
        let kind = reply.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{fields}");
        assert_eq!(reply.slug(), "route-denied");
        assert_eq!(reply.header("content-security-policy"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_gets_the_head_of_the_page_alone() {
    let (_origin, stage) = stage().await;
    let page = refused(&stage, BROWSER).await;
    let mut client = crate::postern::Client::connect(stage.address()).await;
    let raw = request("HEAD", "/elsewhere", "agent", BROWSER, "");
    client.write(raw.as_bytes()).await;
    let reply = client.reply(true).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (403, 0));
    let kind = reply.header("content-type");
    assert_eq!(kind, Some("text/html; charset=utf-8"));
    // Ids are of one length.
    let length = reply.header("content-length");
    assert_eq!(length, page.header("content-length"));
}
