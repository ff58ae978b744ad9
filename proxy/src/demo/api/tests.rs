//! The demo's application over a socket: it works, and it leaks what the demo says it leaks.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Starts the application and gives its address.
async fn start() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(super::serve(listener));
    address
}

/// One request on a connection of its own; the answer as text, head and body.
async fn ask(address: std::net::SocketAddr, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

/// The session token in an answer's cookie.
fn cookie(answer: &str) -> String {
    let (_, rest) = answer.split_once("set-cookie: LEGACYSID=").unwrap();
    rest.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_sets_a_cookie_that_changes_with_every_answer() {
    let desk = start().await;
    let wrong = ask(desk, "POST /login", FORM, "username=ada&password=no").await;
    assert!(wrong.starts_with("HTTP/1.1 401"));
    let login = ask(desk, "POST /login", FORM, "username=ada&password=demo").await;
    assert!(login.starts_with("HTTP/1.1 302"), "{login}");
    let first = cookie(&login);
    assert!(login.contains(&format!("\"session_token\":\"{first}\"")));

    let with = |token: &str| format!("Cookie: LEGACYSID={token}\r\n");
    let me = ask(desk, "GET /whoami", &with(&first), "").await;
    assert!(me.contains("\"user\":\"ada\""), "{me}");
    let detail = ask(desk, "GET /api/v2/cases/1001", &with(&first), "").await;
    let second = cookie(&detail);
    assert_ne!(first, second);
    assert!(detail.contains(&format!("x-session-token: {second}")));
    let old = ask(desk, "GET /whoami", &with(&first), "").await;
    assert!(old.starts_with("HTTP/1.1 401"));
    ask(desk, "POST /logout", &with(&second), "").await;
    let out = ask(desk, "GET /whoami", &with(&second), "").await;
    assert!(out.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn lists_page_and_filter_and_search_looks_into_hidden_fields() {
    let desk = start().await;
    let page = ask(desk, "GET /api/v2/cases?page=3&per_page=7", "", "").await;
    assert!(
        page.contains("\"total\":300") && page.contains("\"id\":1015,"),
        "{page}"
    );
    assert!(page.contains("\"next\":\"/api/v2/cases?page=4&per_page=7\""));
    let last = ask(desk, "GET /api/v2/cases?page=3&per_page=100", "", "").await;
    assert!(last.contains("\"next\":null"));
    let open = ask(desk, "GET /api/v2/cases?status=open&per_page=100", "", "").await;
    assert!(!open.contains("\"status\":\"closed\"") && open.contains("\"status\":\"open\""));
    let hits = ask(desk, "GET /api/v2/search?q=BK_LIVE_", "", "").await;
    assert!(hits.contains("\"total\":100"), "an API key is searched too");
}

#[tokio::test]
async fn details_come_in_parts_packed_or_not_at_all() {
    let desk = start().await;
    let part = ask(desk, "GET /api/v2/cases/1001", "Range: bytes=0-9\r\n", "").await;
    assert!(part.starts_with("HTTP/1.1 206") && part.contains("content-range: bytes 0-9/"));
    let packed = ask(
        desk,
        "GET /api/v2/cases/1001",
        "Accept-Encoding: gzip\r\n",
        "",
    )
    .await;
    assert!(packed.contains("content-encoding: gzip") && !packed.contains("customer"));
    let tag = "If-None-Match: \"1001-1\"\r\n";
    let same = ask(desk, "GET /api/v2/cases/1001", tag, "").await;
    assert!(same.starts_with("HTTP/1.1 304"), "{same}");
}

#[tokio::test]
async fn writes_change_a_case_unless_it_has_changed_meanwhile() {
    let desk = start().await;
    let patch = r#"{"customer":{"phone":"+1 202 555 0100"}}"#;
    let patched = ask(desk, "PATCH /api/v2/cases/1002", JSON, patch).await;
    assert!(patched.contains("\"phone\":\"+1 202 555 0100\"") && patched.contains("\"version\":2"));
    let stale = format!("{JSON}If-Match: \"1002-1\"\r\n");
    let refused = ask(desk, "PUT /api/v2/cases/1002", &stale, "{}").await;
    assert!(refused.starts_with("HTTP/1.1 412"), "{refused}");
    let fresh = format!("{JSON}If-Match: \"1002-2\"\r\n");
    let put = ask(
        desk,
        "PUT /api/v2/cases/1002",
        &fresh,
        r#"{"subject":"new"}"#,
    )
    .await;
    assert!(
        put.contains(r#"{"subject":"new","id":1002,"version":3}"#),
        "{put}"
    );
    let odd = ask(
        desk,
        "PATCH /api/v2/cases/1002/status",
        JSON,
        r#"{"status":7}"#,
    )
    .await;
    assert!(odd.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn exports_come_as_csv_json_and_lines() {
    let desk = start().await;
    let csv = ask(desk, "GET /api/v2/cases/export", "", "").await;
    assert!(csv.contains("text/csv") && csv.matches("@example.com\"").count() >= 300);
    let lines = ask(desk, "GET /api/v2/cases/export?format=ndjson", "", "").await;
    assert_eq!(lines.matches("\n{\"id\":").count(), 300);
    let json = ask(desk, "GET /api/v2/cases/export?format=json", "", "").await;
    assert!(json.contains("[{\"id\":1001,"));
    let accept = "Accept: application/x-ndjson\r\n";
    let accepted = ask(desk, "GET /api/v2/cases/export", accept, "").await;
    assert!(accepted.contains("\r\ncontent-type: application/x-ndjson\r\n"));
    let odd = ask(desk, "GET /api/v2/cases/export?format=xlsx", "", "").await;
    assert!(odd.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn errors_say_too_much() {
    let desk = start().await;
    for line in [
        "GET /api/v2/cases/9999",
        "GET /api/v2/report",
        "GET /nowhere",
    ] {
        let answer = ask(desk, line, "", "").await;
        assert!(
            answer.contains("\"trace\":[") && answer.contains("casedesk_rw"),
            "{line}"
        );
    }
}
