//! A legacy desk with a login: cookies, a form with a hidden token, a token in JSON. It knows the sessions that
//! it has given, and nothing else is let in.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::origin::{Answer, Origin};

/// The policy that stands in front of it; `SESSIONS` stands for the section's value.
pub(crate) const POLICY: &str = "\
policy: v1
name: legacy
mode: enforce
identity:
  from: session
  login:
    match: [GET /login, POST /login]
    success: { status: 302, location: /home }
    user: { form: username }
  logout: { match: POST /logout }
  roles: { '*': agent, boss: boss }
  without_a_role: deny
labels: { pii: Personal data }
routes:
  case:
    match: ['GET /cases/{id}', 'PATCH /cases/{id}']
    label: { $.ssn: pii }
  pages:
    match: [GET /home, GET /token, POST /comment, GET /api, GET /moved, GET /echo, GET /gone, 'GET /big/{n}']
  export:
    match: GET /export
    formats: [json, csv]
    label: { '$[*].ssn': pii }
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
  boss: { sees: { pii: show } }
sessions: SESSIONS
";

/// What the desk has given out that must never reach a client.
#[derive(Default)]
pub(crate) struct Given {
    /// Every secret: cookies, form tokens, access tokens.
    pub(crate) secrets: BTreeSet<String>,
    number: u64,
}

impl Given {
    fn new(&mut self, kind: &str) -> String {
        self.number += 1;
        let secret = format!(
            "{kind}{:016x}{:016x}",
            self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            self.number
        );
        self.secrets.insert(secret.clone());
        secret
    }
}

/// The desk, and what it has given out.
pub(crate) async fn desk() -> (Origin, Arc<Mutex<Given>>) {
    let given = Arc::new(Mutex::new(Given::default()));
    let shared = Arc::clone(&given);
    let origin =
        Origin::answering(move |request| answer(request, &mut shared.lock().unwrap())).await;
    (origin, given)
}

fn answer(request: &[u8], given: &mut Given) -> Answer {
    let text = String::from_utf8_lossy(request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let cookies = field("cookie").unwrap_or_default();
    let cookie = |name: &str| {
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    let is_known =
        |value: Option<String>| value.is_some_and(|value| given.secrets.contains(&value));
    let logged_in = is_known(cookie("sid"));
    match (head.split(' ').next().unwrap_or_default(), path) {
        ("GET", "/login") => {
            let (form, csrf) = (given.new("form"), given.new("csrf"));
            let page = format!(
                "<form method=post><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{form}\">\
                 <input name=username><input name=password></form>"
            );
            html(&page, &[format!("csrftoken={csrf}; Path=/; HttpOnly")])
        }
        ("POST", "/login") => {
            let token = body
                .split('&')
                .find_map(|pair| pair.strip_prefix("csrfmiddlewaretoken="));
            let allowed = is_known(token.map(str::to_owned)) && is_known(cookie("csrftoken"));
            match allowed && body.contains("password=right") {
                true => {
                    let sid = given.new("session");
                    Answer::raw(format!(
                        "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: sid={sid}; Path=/; HttpOnly\r\n\
                         X-Session-Token: {sid}\r\nContent-Length: 0\r\n\r\n"
                    ))
                }
                false => html("<p>no</p>", &[]),
            }
        }
        _ if !logged_in => Answer::raw(
            "HTTP/1.1 302 Found\r\nLocation: /login?next=x\r\nContent-Length: 0\r\n\r\n",
        ),
        ("GET", "/home") => {
            let sid = cookie("sid").unwrap_or_default();
            html(&format!("<p>home</p><!-- debug {sid} -->"), &[])
        }
        ("GET", "/token") => {
            let token = given.new("access");
            Answer::json(&format!("{{\"access_token\":\"{token}\",\"kind\":\"x\"}}"))
        }
        ("GET", "/api") => {
            let token = field("authorization");
            let token = token.and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
            match is_known(token) {
                true => Answer::json("{\"let\":\"in\"}"),
                false => Answer::json("{\"let\":\"out\"}"),
            }
        }
        ("POST", "/logout") => html("bye", &["sid=; Max-Age=0; Path=/".to_owned()]),
        ("GET", "/export") => Answer::json("[{\"id\":1,\"ssn\":\"078-05-1120\"}]"),
        ("GET", "/cases/1") => Answer::json("{\"id\":1,\"ssn\":\"078-05-1120\"}"),
        ("GET", "/gone") => Answer::raw("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "/moved") => {
            let sid = cookie("sid").unwrap_or_default();
            Answer::raw(format!(
                "HTTP/1.1 302 Found\r\nLocation: /home;jsessionid={sid}?sid={sid}&tab=1\r\nContent-Length: 0\r\n\r\n"
            ))
        }
        _ => html("other", &[]),
    }
}

fn html(page: &str, cookies: &[String]) -> Answer {
    let cookies: String = cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}\r\n"))
        .collect();
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{cookies}Content-Length: {}\r\n\r\n{page}",
        page.len()
    ))
}
