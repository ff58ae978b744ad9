//! The data listener: TLS and HTTP/2, client certificates, a Unix socket, and what one connection may
//! cost.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, get, start_with};
use crate::secure::{Authority, MUTUAL, TLS, connect, h2_get, h2_send, http2, tls_stage};

const CASE: &str = r#"{"id":1,"ssn":"912-04-7731"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn serves_http1_and_http2_over_tls() {
    let authority = Authority::new();
    let (_origin, stage) = tls_stage(&authority, TLS, POLICY, Answer::json(CASE)).await;
    let mut stream = connect(&stage, authority.client(b"http/1.1", None))
        .await
        .unwrap();
    stream
        .write_all(get("/cases/1", "agent").as_bytes())
        .await
        .unwrap();
    let mut read = vec![0; 4096];
    let length = stream.read(&mut read).await.unwrap();
    let text = String::from_utf8_lossy(&read[..length]).into_owned();
    assert!(
        text.starts_with("HTTP/1.1 200 ") && text.ends_with(r#"{"id":1,"ssn":"[redacted]"}"#),
        "{text}"
    );
    let stream = connect(&stage, authority.client(b"h2", None))
        .await
        .unwrap();
    let mut client = http2(stream).await;
    let (status, body) = h2_send(&mut client, h2_get("/cases/1")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body.unwrap(), br#"{"id":1,"ssn":"[redacted]"}"#);
    let (status, body) = h2_send(&mut client, h2_get("/cases/../x")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        String::from_utf8(body.unwrap())
            .unwrap()
            .contains("ambiguous-request")
    );
    let other = Request::get("https://a.example/cases/1").header("host", "b.example");
    let (status, _) = h2_send(&mut client, other.body(()).unwrap()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_late_resets_the_http2_stream() {
    let authority = Authority::new();
    let body = format!("[{}1]", format!("{CASE},").repeat(8000));
    let whole = Answer::json(&body);
    let answer = whole.clone().cut_at(whole.len() - 1);
    let (_origin, stage) = tls_stage(&authority, TLS, POLICY, answer).await;
    let stream = connect(&stage, authority.client(b"h2", None))
        .await
        .unwrap();
    let mut client = http2(stream).await;
    let (status, body) = h2_send(&mut client, h2_get("/cases/1")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.unwrap_err().is_reset());
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_old_tls_and_does_not_resume() {
    let authority = Authority::new();
    let (_origin, stage) = tls_stage(&authority, TLS, POLICY, Answer::json(CASE)).await;
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let old = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    assert!(connect(&stage, old).await.is_err());
    let config = authority.client(b"http/1.1", None);
    for _ in 0..3 {
        let mut stream = connect(&stage, config.clone()).await.unwrap();
        stream
            .write_all(get("/cases/1", "agent").as_bytes())
            .await
            .unwrap();
        let mut read = vec![0; 4096];
        assert!(stream.read(&mut read).await.unwrap() > 0);
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requires_and_recognises_client_certificates() {
    let authority = Authority::new();
    let identity = "identity: { from: mtls, subject: san.dns, roles: { 'agent-*': [agent] }, without_a_role: deny }\n";
    let policy = POLICY.replace("IDENTITY\n", identity);
    let (_origin, stage) = tls_stage(&authority, MUTUAL, &policy, Answer::json(CASE)).await;
    let statuses = |identity: Option<(String, String)>, alpn: &'static [u8]| {
        let config = authority.client(alpn, identity);
        let stage = &stage;
        async move {
            let mut stream = connect(stage, config).await.ok()?;
            if alpn == b"h2" {
                let mut client = http2(stream).await;
                return Some(h2_send(&mut client, h2_get("/cases/1")).await.0.as_u16());
            }
            stream
                .write_all(get("/cases/1", "x").as_bytes())
                .await
                .ok()?;
            let mut read = vec![0; 4096];
            let length = stream
                .read(&mut read)
                .await
                .ok()
                .filter(|length| *length > 0)?;
            String::from_utf8_lossy(&read[..length])
                .split(' ')
                .nth(1)?
                .parse()
                .ok()
        }
    };
    assert_eq!(statuses(None, b"http/1.1").await, None, "no certificate");
    let stranger = Authority::new().sign("agent-1");
    assert_eq!(
        statuses(Some(stranger), b"http/1.1").await,
        None,
        "another authority"
    );
    for alpn in [&b"http/1.1"[..], b"h2"] {
        assert_eq!(
            statuses(Some(authority.sign("agent-1")), alpn).await,
            Some(200)
        );
        assert_eq!(
            statuses(Some(authority.sign("nobody")), alpn).await,
            Some(403)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verifies_the_upstreams_certificate() {
    let authority = Authority::new();
    for (name, status) in [("localhost", 200), ("elsewhere.example", 502)] {
        let (cert, key) = authority.sign(name);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut read = vec![0; 4096];
            let _some = stream.read(&mut read).await.unwrap();
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        });
        let setting = Setting {
            scheme: "https",
            upstream: ", ca: 'file:ca.pem'".to_owned(),
            files: authority.files(),
            ..Setting::default()
        };
        let stage = start_with(&setting, address).await;
        assert_eq!(
            stage.get("/cases/1", "agent").await.status,
            status,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_a_unix_socket() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let setting = Setting {
        listen: "unix:postern.sock".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let path = stage.folder.path().join("postern.sock");
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream
        .write_all(get("/cases/1", "agent").as_bytes())
        .await
        .unwrap();
    let mut read = vec![0; 4096];
    let length = stream.read(&mut read).await.unwrap();
    assert!(read[..length].ends_with(br#"{"id":1,"ssn":"[redacted]"}"#));
    stage.running.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_cut_off_on_first_and_later_requests() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let setting = Setting {
        limits: "{ header_seconds: 1 }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let mut silent = Client::connect(stage.address()).await;
    let mut dripping = Client::connect(stage.address()).await;
    dripping.write(b"GET /notes HTT").await;
    let reply = dripping.reply(false).await.unwrap();
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (408, "request-timeout")
    );
    assert!(dripping.is_closed().await);
    assert!(silent.is_closed().await, "who says nothing is told nothing");
    let mut later = Client::connect(stage.address()).await;
    later.write(get("/cases/1", "agent").as_bytes()).await;
    assert_eq!(later.reply(false).await.unwrap().status, 200);
    later.write(b"G").await;
    assert_eq!(later.reply(false).await.unwrap().status, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preface_of_http2_that_does_not_come_is_cut_off() {
    let authority = Authority::new();
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let setting = Setting {
        listen: TLS.to_owned(),
        limits: "{ header_seconds: 1 }".to_owned(),
        files: authority.files(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let parts: [&[u8]; 3] = [b"", b"PRI * HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"];
    for part in parts {
        let client = authority.client(b"h2", None);
        let mut stream = connect(&stage, client).await.unwrap();
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
        // SETTINGS may come first; then the end, or the reset of a connection with unread bytes.
        let mut read = vec![0; 4096];
        let ending = async { while stream.read(&mut read).await.is_ok_and(|length| length > 0) {} };
        let ended = tokio::time::timeout(Duration::from_secs(30), ending).await;
        assert!(ended.is_ok(), "it is open after {} octets", part.len());
    }
    let stream = connect(&stage, authority.client(b"h2", None));
    let mut client = http2(stream.await.unwrap()).await;
    let (status, _) = h2_send(&mut client, h2_get("/cases/1")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_connections_and_exchanges_to_their_limits() {
    let answer = Answer::json(CASE);
    let whole = answer.len();
    let origin = Origin::scripted(vec![answer.held_at(whole - 1)]).await;
    let setting = Setting {
        limits: "{ connections: 3, exchanges: 1 }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let mut first = Client::connect(stage.address()).await;
    first.write(get("/cases/1", "agent").as_bytes()).await;
    origin.asked(1).await;
    let mut second = Client::connect(stage.address()).await;
    second.write(get("/cases/1", "agent").as_bytes()).await;
    let refused = second.reply(false).await.unwrap();
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (503, "overloaded")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    let mut third = Client::connect(stage.address()).await;
    third.write(get("/cases/1", "agent").as_bytes()).await;
    assert_eq!(third.reply(false).await.unwrap().status, 503);
    let mut fourth = Client::connect(stage.address()).await;
    assert!(fourth.is_closed().await, "one connection past the limit");
    origin.let_go();
    assert_eq!(first.reply(false).await.unwrap().status, 200);
    stage.idle().await;
    second.write(get("/cases/1", "agent").as_bytes()).await;
    assert_eq!(second.reply(false).await.unwrap().status, 200);
}
