//! The application of the soak: a desk with a login, cases, lists and exports, which breaks what it is asked to break.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What only leads are shown.
pub(super) const NAME: &str = "zq7-the-customer";
/// What nobody is shown.
pub(super) const MAIL: &str = "zq7.victim@leak.example";

/// The policy: leads see names, agents do not, and nobody sees addresses, for which stands a constant of this revision.
pub(super) fn policy(constant: &str) -> String {
    format!(
        r#"policy: v1
name: soak
identity:
  from: session
  login: {{ match: "GET /login/{{user}}", success: {{ status: 200 }}, user: {{ json: $.user }} }}
  logout: {{ match: GET /logout }}
  roles: {{ 'agent-*': agent, 'lead-*': lead }}
  without_a_role: deny
labels:
  pii.name: Names
  pii.mail: Addresses
routes:
  cases:
    match: [ "GET /cases/{{id}}", "GET /slow/{{ms}}" ]
    records: $
    label:
      $.name: pii.name
      $.mail: pii.mail
  lists:
    match: [ "GET /lists/{{count}}", "GET /broken/{{at}}", "GET /reset/{{at}}" ]
    records: $[*]
    label:
      $[*].name: pii.name
      $[*].mail: pii.mail
  everything_else:
    match: ANY /{{path...}}
    deny: true
roles:
  agent:
    sees:
      pii.name: {{ redact: {{ with: "{constant}" }} }}
      pii.mail: {{ redact: {{ with: "{constant}" }} }}
  lead:
    sees:
      pii.name: show
      pii.mail: {{ redact: {{ with: "{constant}" }} }}
quotas:
  a-minute: {{ unit: records, per: identity, window: 1m, limit: {{ agent: 20000, lead: 1000000 }} }}
  asked: {{ unit: requests, per: identity, window: 1h, limit: {{ '*': 100000000 }} }}
sessions: {{ bind: [context], required: {{ export: 0 }} }}
"#
    )
}

/// The desk while it runs; it ends with every connection when dropped.
pub(super) struct Desk {
    pub(super) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Desk {
    /// Starts it on a free port.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, serving }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream) {
    let mut buffer = Vec::new();
    while let Some(path) = asked(&mut stream, &mut buffer).await {
        let mut words = path.trim_start_matches('/').split('/');
        let (kind, of) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let number: usize = of.parse().unwrap_or_default();
        let answer = match kind {
            "login" => login(of),
            "logout" => whole("{}"),
            "lists" => whole(&list(number)),
            "broken" | "reset" => {
                let answer = whole(&list(1_000));
                let part = &answer.as_bytes()[..number.min(answer.len())];
                if stream.write_all(part).await.is_ok() && kind == "reset" {
                    drop(stream.set_zero_linger());
                }
                return;
            }
            "slow" => {
                tokio::time::sleep(Duration::from_millis(number as u64)).await;
                whole(&case(number))
            }
            _ => whole(&case(number)),
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The path of the next request; none when there is no more.
async fn asked(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            return head.split(' ').nth(1).map(str::to_owned);
        }
        let read = stream.read_buf(buffer).await;
        read.ok().filter(|count| *count > 0)?;
    }
}

fn login(user: &str) -> String {
    let body = format!(r#"{{"user":"{user}"}}"#);
    let cookie = format!("sid=b4f1a29c7d3e5068{user}b4f1a29c7d3e5068; Path=/; HttpOnly");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: {cookie}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn whole(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn case(id: usize) -> String {
    format!(r#"{{"id":{id},"name":"{NAME}","mail":"{MAIL}","status":"open"}}"#)
}

fn list(count: usize) -> String {
    let cases: Vec<String> = (0..count).map(case).collect();
    format!("[{}]", cases.join(","))
}
