//! Sessions behind the proxy: a login through it, what the client holds afterwards, and what it never sees.

use crate::legacy_desk::{POLICY, desk};
use crate::origin::Origin;
use crate::postern::{Client, Reply, Stage, start};

/// A browser as far as cookies go.
pub(crate) struct Browser<'s> {
    stage: &'s Stage,
    pub(crate) cookies: Vec<(String, String)>,
    /// Everything that it was sent.
    pub(crate) seen: Vec<u8>,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(stage: &'s Stage) -> Self {
        Self {
            stage,
            cookies: Vec::new(),
            seen: Vec::new(),
        }
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
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/146.0.0.0\r\n\
             Sec-Fetch-Site: same-origin\r\n{cookies}{fields}{length}\r\n{body}"
        );
        let mut client = Client::connect(self.stage.address()).await;
        client.write(request.as_bytes()).await;
        let reply = client.reply(false).await.expect("an answer");
        self.seen.extend_from_slice(reply.head.as_bytes());
        self.seen.extend_from_slice(&reply.body);
        for line in reply.head.lines() {
            if let Some(cookie) = line.to_ascii_lowercase().strip_prefix("set-cookie: ") {
                let cookie = &line[line.len() - cookie.len()..];
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
    let stage = staged(&origin, "{ bind: [context] , required: { export: 0 } }").await;
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
    let moved = moved.header("location").unwrap();
    assert!(
        moved.starts_with("/home;jsessionid=pnp_") && moved.ends_with("&tab=1"),
        "{moved}"
    );
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
