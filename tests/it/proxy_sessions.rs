//! Sessions behind the proxy: a login through it, what the client holds afterwards, and what it never sees.

use std::net::{IpAddr, Ipv4Addr};

use tokio::net::TcpSocket;

use crate::legacy_desk::{POLICY, desk};
use crate::origin::{Answer, Origin};
use crate::postern::{Client, Reply, Stage, start};

/// What the browser calls itself.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/146.0.0.0";

/// A browser as far as cookies go.
pub(crate) struct Browser<'s> {
    stage: &'s Stage,
    pub(crate) cookies: Vec<(String, String)>,
    /// Everything that it was sent.
    pub(crate) seen: Vec<u8>,
    /// Where it connects from.
    pub(crate) from: IpAddr,
    /// What it calls itself.
    pub(crate) agent: String,
    /// Whose page sends its requests, as it says.
    pub(crate) site: &'static str,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(stage: &'s Stage) -> Self {
        Self {
            stage,
            cookies: Vec::new(),
            seen: Vec::new(),
            from: Ipv4Addr::LOCALHOST.into(),
            agent: AGENT.to_owned(),
            site: "same-origin",
        }
    }

    pub(crate) fn stage(&self) -> &'s Stage {
        self.stage
    }

    pub(crate) async fn get(&mut self, target: &str) -> Reply {
        self.send("GET", target, "", "").await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        target: &str,
        fields: &str,
        body: &str,
    ) -> Reply {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = match pairs.is_empty() {
            true => String::new(),
            false => format!("Cookie: {}\r\n", pairs.join("; ")),
        };
        let length = match body.is_empty() && method == "GET" {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let (agent, site) = (&self.agent, self.site);
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\n\
             Sec-Fetch-Site: {site}\r\n{cookies}{fields}{length}\r\n{body}"
        );
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((self.from, 0).into()).unwrap();
        let connected = socket.connect(self.stage.address()).await.unwrap();
        let mut client = Client::over(connected);
        client.write(request.as_bytes()).await;
        let reply = client.reply(false).await.expect("an answer");
        self.seen.extend_from_slice(reply.head.as_bytes());
        self.seen.extend_from_slice(&reply.body);
        for line in reply.head.lines() {
            let named = line.split_once(": ");
            if let Some((_, cookie)) =
                named.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            {
                let pair = cookie.split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    self.cookies.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        reply
    }

    pub(crate) async fn log_in(&mut self, user: &str) -> Reply {
        let page = self.get("/login").await.text();
        let token = page
            .split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let body = format!("csrfmiddlewaretoken={token}&username={user}&password=right");
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", "/login", form, &body).await
    }
}

pub(crate) async fn staged(origin: &Origin, sessions: &str) -> Stage {
    start(&POLICY.replace("SESSIONS", sessions), origin.address()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_through_postern_gives_a_handle_and_nothing_of_the_application() {
    let (origin, given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    assert_eq!(browser.get("/cases/1").await.slug(), "session-missing");
    let reply = browser.log_in("agent").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some("/home"))
    );
    let names: Vec<&str> = browser
        .cookies
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["__Host-Http-pn"]);
    assert_eq!(browser.get("/home").await.status, 200);
    let case = browser.get("/cases/1").await;
    assert_eq!(case.text(), r#"{"id":1,"ssn":"[redacted]"}"#);
    let moved = browser.get("/moved").await;
    let moved = moved.header("location").unwrap().to_owned();
    assert!(
        moved.starts_with("/home?sid=pnp_") && moved.ends_with("&tab=1"),
        "{moved}"
    );
    assert_eq!(browser.get(&moved).await.status, 200);
    let token = browser.get("/token").await.text();
    let token = token.split('"').nth(3).unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let api = browser.send("GET", "/api", &bearer, "").await;
    assert_eq!(api.text(), r#"{"let":"in"}"#);
    let seen = String::from_utf8_lossy(&browser.seen).into_owned();
    let secrets = given.lock().unwrap().secrets.clone();
    assert!(secrets.len() >= 4);
    for secret in secrets {
        assert!(!seen.contains(&secret), "{secret} in {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_under_a_name_of_the_policy_never_leaves() {
    let (origin, given) = desk().await;
    let own = "token: { json: desk_ref, query: entry }, bind: [context]";
    let sessions = format!("{{ {own}, required: {{ export: 0 }} }}");
    let stage = staged(&origin, &sessions).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let reply = browser.get("/handover").await;
    let text = reply.text();
    assert!(
        text.starts_with("{\"deskRef\":\"pnp_") && text.ends_with("\",\"kind\":\"x\"}"),
        "{text}"
    );
    let location = reply.header("content-location").unwrap();
    assert!(
        location.starts_with("/home?entry=pnp_") && location.ends_with("&tab=1"),
        "{location}"
    );
    let seen = String::from_utf8_lossy(&browser.seen).into_owned();
    for secret in &given.lock().unwrap().secrets {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

/// What a stage may give for `sessions` where only the surroundings bind.
const PLAIN: &str = "{ bind: [context], required: { export: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn every_login_gives_a_new_handle_and_the_old_ones_are_worth_nothing() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    let mut handles = Vec::new();
    for user in ["", "agent", "boss"] {
        match user {
            "" => drop(browser.get("/login").await),
            user => assert_eq!(browser.log_in(user).await.status, 302),
        }
        handles.push(browser.cookies.clone());
    }
    assert_eq!(browser.get("/cases/1").await.status, 200);
    assert_ne!(handles[0], handles[1]);
    assert_ne!(handles[1], handles[2]);
    for old in &handles[..2] {
        let mut thief = Browser::new(&stage);
        thief.cookies.clone_from(old);
        let reply = thief.get("/cases/1").await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (401, "session-revoked")
        );
        assert!(thief.cookies.is_empty(), "it is told to forget the handle");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_and_a_wrong_form_begin_no_session_of_anybody() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.get("/login").await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = "csrfmiddlewaretoken=x&username=agent&password=wrong";
    assert_eq!(browser.send("POST", "/login", form, body).await.status, 200);
    assert_eq!(browser.get("/cases/1").await.slug(), "session-missing");
    assert_eq!(browser.get("/home").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_logs_in_under_another_name_than_the_application_reads() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    let page = browser.get("/login").await.text();
    let token = page.split("value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = format!("csrfmiddlewaretoken={token}&username=boss&password=right");
    let reply = browser
        .send("POST", "/login?username=agent", form, &body)
        .await;
    assert_eq!(reply.status, 502, "{}", reply.head);
    assert_eq!(browser.get("/cases/1").await.slug(), "session-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_another_name_with_a_wrong_password() {
    let origin = Origin::answering(|request| {
        let text = String::from_utf8_lossy(request);
        let to = match text.contains("password=right") {
            true => "/home\r\nSet-Cookie: sid=0a1b2c3d4e5f60718293; Path=/",
            false => "/login?error=1",
        };
        match text.starts_with("POST /login") {
            true => Answer::raw(format!(
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            )),
            false => Answer::json(r#"{"id":1,"ssn":"078-05-1120"}"#),
        }
    })
    .await;
    let policy = POLICY.replace(", location: /home", "");
    let stage = start(&policy.replace("SESSIONS", PLAIN), origin.address()).await;
    let mut browser = Browser::new(&stage);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (user, password) in [("agent", "right"), ("boss", "wrong")] {
        let body = format!("username={user}&password={password}");
        assert_eq!(
            browser.send("POST", "/login", form, &body).await.status,
            302
        );
        let sessions = stage.administer("GET /sessions").await;
        assert!(
            sessions.contains("agent") && !sessions.contains("boss"),
            "{sessions}"
        );
        assert_eq!(browser.get("/cases/1").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_a_logout_and_when_the_application_ends_its_own() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    for (method, target, status) in [("POST", "/logout", 200), ("GET", "/gone", 401)] {
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        let kept = browser.cookies.clone();
        let reply = browser.send(method, target, "", "").await;
        assert_eq!(reply.status, status, "{target}");
        let cleared = reply.header("clear-site-data").unwrap();
        assert_eq!(cleared, "\"cookies\", \"storage\", \"cache\"");
        assert!(browser.cookies.is_empty());
        browser.cookies = kept;
        assert_eq!(browser.get("/home").await.slug(), "session-revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_no_more_sessions_than_allowed() {
    let (origin, _given) = desk().await;
    let stage = staged(
        &origin,
        "{ bind: [context], required: { export: 0 }, max_sessions: { browser: 1 } }",
    )
    .await;
    let mut first = Browser::new(&stage);
    first.log_in("agent").await;
    let mut second = Browser::new(&stage);
    let refused = second.log_in("agent").await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (409, "session-limit")
    );
    assert_eq!(second.get("/home").await.slug(), "session-missing");
    assert_eq!(first.get("/home").await.status, 200);
    assert_eq!(Browser::new(&stage).log_in("boss").await.status, 302);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_session() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let cookies = {
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        browser.cookies.clone()
    };
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let policy = POLICY.replace("SESSIONS", PLAIN);
    let stage = crate::postern::start_in(folder, &policy, origin.address()).await;
    let mut browser = Browser::new(&stage);
    browser.cookies = cookies;
    assert_eq!(browser.get("/home").await.status, 200);
}
