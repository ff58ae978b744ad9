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
    match: [GET /home, GET /token, POST /comment, GET /api, GET /moved, GET /gone, GET /form, GET /coded, GET /theme, GET /handover, 'GET /big/{n}']
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
    fn knows(&self, value: Option<&str>) -> bool {
        value.is_some_and(|value| self.secrets.contains(value))
    }

    fn secret(&mut self, kind: &str) -> String {
        self.number += 1;
        let mut bits = self.number;
        let digits = (0..32).map(|_| {
            bits = bits.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            char::from_digit(u32::try_from(bits >> 40).unwrap() % 36, 36).unwrap()
        });
        let secret = format!("{kind}{}", digits.collect::<String>());
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

/// A request as the desk reads it.
struct Asked<'r> {
    method: &'r str,
    path: &'r str,
    head: &'r str,
    body: &'r str,
}

impl<'r> Asked<'r> {
    fn read(text: &'r str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut first = head.split(' ');
        let method = first.next().unwrap_or_default();
        let target = first.next().unwrap_or_default();
        Self {
            method,
            path: target.split('?').next().unwrap_or_default(),
            head,
            body,
        }
    }

    fn field(&self, name: &str) -> Option<&'r str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    fn cookie(&self, name: &str) -> Option<&'r str> {
        let cookies = self.field("cookie").unwrap_or_default();
        let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

fn answer(request: &[u8], given: &mut Given) -> Answer {
    let text = String::from_utf8_lossy(request).into_owned();
    let asked = Asked::read(&text);
    match (asked.method, asked.path) {
        ("GET", "/login") => login_page(given),
        ("POST", "/login") => login(&asked, given),
        _ if !given.knows(asked.cookie("sid")) => Answer::raw(
            "HTTP/1.1 302 Found\r\nLocation: /login?next=x\r\nContent-Length: 0\r\n\r\n",
        ),
        _ => page(&asked, given),
    }
}

fn login_page(given: &mut Given) -> Answer {
    let (form, csrf) = (given.secret("form"), given.secret("csrf"));
    let page = format!(
        "<form method=post><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{form}\">\
         <input name=username><input name=password></form>"
    );
    html(&page, &[format!("csrftoken={csrf}; Path=/; HttpOnly")])
}

fn login(asked: &Asked<'_>, given: &mut Given) -> Answer {
    let mut fields = asked.body.split('&');
    let token = fields.find_map(|pair| pair.strip_prefix("csrfmiddlewaretoken="));
    let allowed = given.knows(token) && given.knows(asked.cookie("csrftoken"));
    if !allowed || !asked.body.contains("password=right") {
        return html("<p>no</p>", &[]);
    }
    let sid = given.secret("session");
    Answer::raw(format!(
        "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: sid={sid}; Path=/; HttpOnly\r\n\
         X-Session-Token: {sid}\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// What the desk shows to whoever has logged in.
fn page(asked: &Asked<'_>, given: &mut Given) -> Answer {
    let sid = asked.cookie("sid").unwrap_or_default();
    match (asked.method, asked.path) {
        ("GET", "/home") => html(&format!("<p>home</p><!-- debug {sid} -->"), &[]),
        ("GET", "/token") => {
            let token = given.secret("access");
            Answer::json(&format!("{{\"access_token\":\"{token}\",\"kind\":\"x\"}}"))
        }
        ("GET", "/api") => {
            let field = asked.field("authorization");
            match given.knows(field.and_then(|value| value.strip_prefix("Bearer "))) {
                true => Answer::json("{\"let\":\"in\"}"),
                false => Answer::json("{\"let\":\"out\"}"),
            }
        }
        ("POST", "/logout") => html("bye", &["sid=; Max-Age=0; Path=/".to_owned()]),
        ("GET", "/form") => {
            let form = given.secret("form");
            html(
                &format!("<input type=hidden name=csrfmiddlewaretoken value=\"{form}\">"),
                &[],
            )
        }
        ("GET", "/coded") => Answer::raw(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\
             Content-Length: 4\r\n\r\nxxxx",
        ),
        ("GET", "/theme") => {
            let cookies = ["theme=dark; Path=/; Domain=localhost", "tracker=t; Path=/"];
            html("", &cookies.map(str::to_owned))
        }
        ("GET", "/export") => Answer::json("[{\"id\":1,\"ssn\":\"078-05-1120\"}]"),
        ("POST", "/export") => {
            Answer::json(&format!("[{{\"id\":1,\"asked\":\"{}\"}}]", asked.body))
        }
        ("GET", "/cases/1") => Answer::json("{\"id\":1,\"ssn\":\"078-05-1120\"}"),
        ("GET", "/big/1") => {
            let page = format!("<p>{}</p>", "long ".repeat(100_000));
            let answer = html(&page, &[]);
            let half = answer.len() / 2;
            answer.held_at(half)
        }
        ("GET", "/handover") => {
            let (reference, entry) = (given.secret("reference"), given.secret("entry"));
            let body = format!("{{\"deskRef\":\"{reference}\",\"kind\":\"x\"}}");
            Answer::raw(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Location: /home?entry={entry}&tab=1\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ))
        }
        ("GET", "/gone") => Answer::raw("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        ("GET", "/moved") => Answer::raw(format!(
            "HTTP/1.1 302 Found\r\nLocation: /home;jsessionid={sid}?sid={sid}&tab=1\r\nContent-Length: 0\r\n\r\n"
        )),
        _ => html("other", &[]),
    }
}

fn html(page: &str, cookies: &[String]) -> Answer {
    let cookies: Vec<String> = cookies
        .iter()
        .map(|cookie| format!("Set-Cookie: {cookie}\r\n"))
        .collect();
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n{}Content-Length: {}\r\n\r\n{page}",
        cookies.concat(),
        page.len()
    ))
}
