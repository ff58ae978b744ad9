//! What else could lead to the application: other protocols at Postern's own port. What Postern listens on is looked at
//! where it runs as a process of its own.

use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::upstream::Script;
use crate::bypass::{bodies, wire};

use super::deployed::Deployed;
use super::{Result, ensure};

/// B-409: the data listener speaks HTTP on declared routes and nothing else, whatever it is spoken to; and there is no
/// other listener but the one for operators.
pub(super) async fn one_way_in(suite: &Suite) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    for (what, bytes) in protocols(&stage, suite) {
        stage.upstream.play(Script {
            bytes: bodies::json(r#"{"id":1}"#),
            ..Script::default()
        });
        let sending = Sending {
            bytes,
            expects_close: true,
            ..Sending::default()
        };
        let capture = stage.send(&sending, false).await;
        let seen = stage.upstream.seen();
        ensure(
            seen.requests.is_empty() && seen.strays.is_empty(),
            format!("{what}: it went up"),
        )?;
        let answer = wire::read(&capture.bytes, "GET", true)?;
        ensure(
            capture.bytes.is_empty() || answer.status() >= 400,
            format!("{what}: was answered {}", answer.status()),
        )?;
        stage.still_serves(&suite.tokens).await?;
    }
    let deployed = Deployed::start("").await;
    deployed.asks_once().await?;
    let listening = deployed.listening()?;
    ensure(
        listening == deployed.announced(),
        format!(
            "it listens on {listening:?}, and says {:?}",
            deployed.announced()
        ),
    )?;
    deployed.ends().await?;
    Ok("passed")
}

/// How other servers of a legacy system are spoken to.
fn protocols(stage: &Stage, suite: &Suite) -> Vec<(&'static str, Vec<u8>)> {
    let (host, token) = (stage.host(), suite.tokens.good("agent"));
    let http = |line: &str, more: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
        format!("{head}{more}").into_bytes()
    };
    let envelope = "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"/>";
    let soap = format!(
        "Content-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n{envelope}",
        envelope.len()
    );
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    vec![
        ("SFTP", b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        ("FTP", b"USER anonymous\r\n\r\n".to_vec()),
        (
            "PostgreSQL",
            b"\0\0\0\x16\0\x03\0\0user\0legacy\0\0\r\n\r\n".to_vec(),
        ),
        (
            "TDS",
            b"\x12\x01\0\x2f\0\0\x01\0\0\0\x1a\0\x06\r\n\r\n".to_vec(),
        ),
        (
            "LDAP",
            b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0\r\n\r\n".to_vec(),
        ),
        ("SOAP", http("POST /services/CaseService", &soap)),
        ("WSDL", http("GET /services/CaseService?wsdl", "\r\n")),
        ("WebSocket", http("GET /api/cases/1", socket)),
        (
            "CONNECT",
            http("CONNECT legacy-origin.internal.example:22", "\r\n"),
        ),
        (
            "another port",
            http(
                "GET http://legacy-origin.internal.example:8443/api/cases/1",
                "\r\n",
            ),
        ),
    ]
}
