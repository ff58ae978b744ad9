//! What an application tells about its session beside its cookies: in the answer that changes them, in the one that
//! ends it, in two answers at once, and in an encoding that the client has asked for. None of it leaves, and no
//! cookie is lost.

use crate::legacy_desk::POLICY;
use crate::origin::{Answer, Origin};
use crate::postern::start;
use crate::proxy_sessions::{Browser, staged};

const PLAIN: &str = "{ bind: [context], required: { export: 0 }, passthrough: [theme] }";
/// What the login gives.
const FIRST: &str = "f1rst0a1b2c3d4e5f60718293a4b5c6d7";
/// What takes its place.
const SECOND: &str = "s3c0nd4f5e6d7c8b9a0f1e2d3c4b5a697";
const THIRD: &str = "th1rd9a8b7c6d5e4f30211203f4e5d6c7";

/// A desk that lets everybody in, and answers a method and a path as it is told.
async fn desk(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Origin {
    desk_giving(format!("sid={FIRST}; Path=/"), answer).await
}

/// The same, with this cookie for whoever logs in.
async fn desk_giving(
    cookie: String,
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> Origin {
    Origin::answering(move |request| {
        let text = String::from_utf8_lossy(request).into_owned();
        let asked: Vec<&str> = text.split(' ').take(2).collect();
        match asked.join(" ").as_str() {
            "GET /login" => page("<input type=hidden name=t value=\"plain-text\">", &[]),
            "POST /login" => Answer::raw(format!(
                "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n"
            )),
            asked => answer(asked),
        }
    })
    .await
}

fn page(text: &str, fields: &[&str]) -> Answer {
    typed("text/html; charset=utf-8", text.as_bytes(), fields)
}

fn typed(kind: &str, body: &[u8], fields: &[&str]) -> Answer {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{fields}Content-Length: {}\r\n\r\n",
        body.len()
    );
    Answer::raw([head.as_bytes(), body].concat())
}

/// Fails when a client has seen one of these.
fn unseen(browser: &Browser<'_>, secrets: &[&str]) {
    let seen = String::from_utf8_lossy(&browser.seen);
    for secret in secrets {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

/// The cookies that the last request brought to the application.
fn last_cookies(origin: &Origin) -> String {
    let request = origin.requests().pop().unwrap();
    let mut lines = request.lines();
    let cookies = lines.find(|line| line.to_ascii_lowercase().starts_with("cookie: "));
    cookies.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_answers_at_once_bring_is_looked_for_in_the_third() {
    let origin = desk(|asked| match asked {
        "GET /token" => page("a", &[&format!("Set-Cookie: one={SECOND}; Path=/")]).held_at(0),
        "GET /theme" => page("b", &[&format!("Set-Cookie: two={THIRD}; Path=/")]).held_at(0),
        _ => page(&format!("{FIRST} {SECOND} {THIRD}"), &[]),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let mut other = Browser::new(&stage);
    other.cookies.clone_from(&browser.cookies);
    let before = origin.requests().len();
    let both = async { tokio::join!(browser.get("/token"), other.get("/theme")) };
    let release = async {
        origin.asked(before + 2).await;
        origin.let_go();
    };
    let ((one, two), ()) = tokio::join!(both, release);
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(browser.get("/home").await.status, 200);
    let cookies = last_cookies(&origin);
    assert!(
        [FIRST, SECOND, THIRD]
            .iter()
            .all(|value| cookies.contains(value)),
        "{cookies}"
    );
    unseen(&browser, &[FIRST, SECOND, THIRD]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_the_answer_replaces_takes_back_or_sets_in_vain_does_not_leave() {
    let text = format!("{FIRST} became {SECOND}");
    let fields = [
        format!("Set-Cookie: sid={SECOND}; Path=/"),
        "Set-Cookie: sid=; Max-Age=0; Path=/".to_owned(),
        format!("Set-Cookie: __Host-sid={SECOND}; Path=/"),
    ];
    for field in fields {
        let (text, told) = (text.clone(), field.clone());
        let origin = desk(move |_| page(&text, &[&told])).await;
        let stage = staged(&origin, PLAIN).await;
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        assert_eq!(browser.get("/home").await.status, 200);
        let gone = match field.contains(SECOND) {
            true => &[FIRST, SECOND][..],
            false => &[FIRST],
        };
        unseen(&browser, gone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_the_session_does_not_tell_it() {
    let redirect = |to: &str| {
        Answer::raw(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nX-Ended: {FIRST}\r\nContent-Type: text/html\r\n\
             Content-Length: {}\r\n\r\n{FIRST}",
            FIRST.len()
        ))
    };
    let origin = desk(move |asked| match asked {
        "POST /logout" => redirect("/home"),
        _ => redirect("/login"),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    for (method, target) in [("POST", "/logout"), ("GET", "/form")] {
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        let reply = browser.send(method, target, "", "").await;
        assert_eq!(reply.status, 302);
        assert!(browser.cookies.is_empty(), "it has ended");
        unseen(&browser, &[FIRST]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_for_the_public_name_of_the_application_is_kept() {
    let cookie = format!("sid={FIRST}; Path=/; Domain=.desk.example; Secure");
    let origin = desk_giving(cookie, |_| page(FIRST, &[])).await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    browser.get("/home").await;
    assert!(
        last_cookies(&origin).contains(FIRST),
        "{}",
        last_cookies(&origin)
    );
    unseen(&browser, &[FIRST]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_cookie_comes_through_with_one_that_passes() {
    let origin = desk(|asked| match asked {
        "GET /theme" => page(
            "",
            &[
                &format!("Set-Cookie: theme=dark, JSESSIONID={SECOND}; Path=/"),
                &format!("Set-Cookie: theme=light; JSESSIONID={THIRD}; Path=/; SameSite=Lax"),
                &format!("Set-Cookie: theme=\"{FIRST}\"; Path=/"),
            ],
        ),
        _ => page("", &[]),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let reply = browser.get("/theme").await;
    let passed = "theme=light; Path=/; SameSite=Lax\r\n";
    assert!(reply.head.contains(passed), "{}", reply.head);
    unseen(&browser, &[FIRST, SECOND, THIRD]);
    let smuggled = ("theme".to_owned(), format!("dark, JSESSIONID={SECOND}"));
    browser.cookies.retain(|(name, _)| name != "theme");
    browser.cookies.push(smuggled);
    browser.get("/home").await;
    assert!(
        !last_cookies(&origin).contains(SECOND),
        "{}",
        last_cookies(&origin)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_head_names_does_not_leave_elsewhere_in_the_answer() {
    let origin = desk(|_| {
        let body = format!("signed in with {SECOND} and {THIRD}");
        let fields = [
            format!("X-Note: {SECOND}"),
            format!("X-Session-Token: {THIRD}"),
            format!("Content-Location: /home?token={SECOND}"),
        ];
        typed(
            "text/plain",
            body.as_bytes(),
            &fields.each_ref().map(String::as_str),
        )
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let reply = browser.get("/home").await;
    assert!(
        reply.text().starts_with("signed in with pnp_"),
        "{}",
        reply.text()
    );
    unseen(&browser, &[SECOND, THIRD]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_an_answer_that_does_not_leave_is_kept() {
    let field = format!("Set-Cookie: sid={SECOND}; Path=/");
    let told = field.clone();
    let origin = desk(move |asked| match asked {
        "GET /cases/1" => page("no JSON", &[&told]),
        _ => page("", &[]),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    assert_eq!(browser.get("/cases/1").await.slug(), "unreadable-body");
    browser.get("/home").await;
    assert!(
        last_cookies(&origin).contains(SECOND),
        "{}",
        last_cookies(&origin)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_an_answer_that_only_postern_reads_is_kept() {
    let field = format!("Set-Cookie: sid={SECOND}; Path=/");
    let origin = desk(move |asked| match asked {
        "GET /cases/1" => typed("application/json", b"{\"ssn\":\"078-05-1120\"}", &[&field]),
        _ => typed("application/json", b"{}", &[]),
    })
    .await;
    let policy = POLICY.replace("mode: enforce\n", "mode: enforce\nwrite_back: restore\n");
    let stage = start(&policy.replace("SESSIONS", PLAIN), origin.address()).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let json = "Content-Type: application/json\r\n";
    let body = "{\"ssn\":\"[redacted]\"}";
    let reply = browser.send("PATCH", "/cases/1", json, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        last_cookies(&origin).contains(SECOND),
        "{}",
        last_cookies(&origin)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_in_an_encoding_in_which_nothing_can_be_found_does_not_leave() {
    let wide: Vec<u8> = FIRST.bytes().flat_map(|byte| [0, byte]).collect();
    for charset in ["utf-16", "UTF-16BE", "utf-32", "utf-7", "ibm037"] {
        let (kind, wide) = (format!("text/plain; charset={charset}"), wide.clone());
        let origin = desk(move |_| typed(&kind, &wide, &[])).await;
        let stage = staged(&origin, PLAIN).await;
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        let reply = browser.get("/home").await;
        assert_eq!(reply.slug(), "unreadable-body", "{charset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_in_a_comment_is_no_token_there() {
    let origin = desk(|asked| match asked {
        "GET /token" => typed(
            "application/json",
            format!("{{\"access_token\":\"{SECOND}\"}}").as_bytes(),
            &[],
        ),
        _ => page("", &[]),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let text = browser.get("/token").await.text();
    let placeholder = text.split('"').nth(3).unwrap().to_owned();
    let json = "Content-Type: application/json\r\n";
    let body = format!("{{\"comment\":\"{placeholder}\"}}");
    browser.send("POST", "/comment", json, &body).await;
    let request = origin.requests().pop().unwrap();
    assert!(!request.contains(SECOND), "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_a_session_by_what_they_stored_in_a_case() {
    let origin = desk(|_| {
        typed(
            "application/json",
            b"{\"metadata\":{\"token\":\"chosen-by-a-customer-1\"}}",
            &[],
        )
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    assert_eq!(browser.get("/token").await.status, 200);
    let mut customer = Browser::new(&stage);
    customer.get("/home?token=chosen-by-a-customer-1").await;
    assert_eq!(browser.get("/home").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_beside_a_tokens_name_changes_no_other_text() {
    let origin = desk(|asked| match asked {
        "GET /token" => typed(
            "application/json",
            b"{\"metadata\":{\"token\":\"function\"}}",
            &[],
        ),
        _ => page("<script>function f() {}</script>", &[]),
    })
    .await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    browser.get("/token").await;
    let text = browser.get("/home").await.text();
    assert_eq!(text, "<script>function f() {}</script>");
}
