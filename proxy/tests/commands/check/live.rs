//! `postern check --live`: what it connects to, and what it says of what cannot be had.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use super::super::runner::{Folder, Ran};

const POLICY: &str = "\
policy: v1
name: small
identity: IDENTITY
labels: { secret: Secrets }
unlabelled: show
routes:
  case: { match: GET /case, label: { $.secret: secret } }
  everything_else: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { secret: remove } }
quotas:
  a-day: { unit: requests, per: identity, window: 24h, limit: { agent: 200 }, on_exceed: deny }
";
const HEADER: &str =
    "{ from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }";

/// Serves every connection on a free port of loopback, and says which.
fn serving(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
    port
}

/// Shakes hands with whoever connects, as `localhost`, and says how it is known.
fn tls() -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(cert.der().to_vec())], key)
        .unwrap();
    let config = Arc::new(config);
    let shake = move |mut stream: TcpStream| {
        let mut server = ServerConnection::new(Arc::clone(&config)).unwrap();
        while server.is_handshaking() && server.complete_io(&mut stream).is_ok() {}
    };
    (serving(shake), cert.pem())
}

/// What a check says of a server file with these lines.
fn check(identity: &str, lines: &str, pems: &[(&str, &str)]) -> Ran {
    let folder = Folder::new();
    folder.write("policy.yaml", &POLICY.replace("IDENTITY", identity));
    let file =
        format!("listen: unix:postern.sock\npolicy: policy.yaml\nadmin: 127.0.0.1:0\n{lines}\n");
    folder.write("postern.yaml", &file);
    for (name, pem) in pems {
        folder.write(name, pem);
    }
    folder.postern(&["check", "--live"])
}

#[test]
fn an_upstream_behind_tls_is_one_whose_certificate_is_believed() {
    let (port, own) = tls();
    let (_other_port, other) = tls();
    let upstream = |host: &str, ca: &str| {
        let line = format!("upstream: {{ url: \"https://{host}:{port}\", ca: file:{ca} }}");
        check(HEADER, &line, &[("own.pem", &own), ("other.pem", &other)])
    };
    let ran = upstream("localhost", "own.pem").exits(0);
    assert!(ran.out.contains("nothing to complain about"), "{ran:#?}");
    for (host, ca) in [("localhost", "other.pem"), ("127.0.0.1", "own.pem")] {
        let ran = upstream(host, ca).exits(3);
        let told = format!(
            "the upstream `https://{host}:{port}` cannot be reached: TLSHandshakeFailure: "
        );
        assert!(
            ran.err.contains(&told) && ran.err.contains("certificate"),
            "{ran:#?}"
        );
    }
}

#[test]
fn an_upstream_that_speaks_no_tls_is_told() {
    let port = serving(|mut stream| {
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer).unwrap();
    });
    check(HEADER, &format!("upstream: http://127.0.0.1:{port}"), &[]).exits(0);
    let (_port, pem) = tls();
    let line = format!("upstream: {{ url: \"https://127.0.0.1:{port}\", ca: file:own.pem }}");
    let ran = check(HEADER, &line, &[("own.pem", &pem)]).exits(3);
    let told = format!("the upstream `https://127.0.0.1:{port}` cannot be reached: TLSHandshake");
    assert!(ran.err.contains(&told), "{ran:#?}");
}

#[test]
fn keys_behind_a_url_and_a_shared_store_are_asked_for() {
    let port = serving(drop);
    let upstream = format!("upstream: http://127.0.0.1:{port}");
    let url = format!("http://127.0.0.1:{port}/jwks.json");
    let jwt = format!(
        "{{ from: jwt, issuer: https://idp.example.com, audience: case-api, keys: \"{url}\", subject: $.sub, \
         roles: '$.groups[*]', without_a_role: deny }}"
    );
    let ran = check(&jwt, &upstream, &[]).exits(3);
    let told = format!("`identity`: there are no keys at `{url}`: ");
    assert!(ran.err.contains(&told), "{ran:#?}");
    assert!(!ran.err.contains("the upstream"), "{ran:#?}");

    let store = format!("{upstream}\nstore: {{ url: \"redis://127.0.0.1:9\" }}");
    let ran = check(HEADER, &store, &[]).exits(3);
    assert!(
        ran.err.contains("`store`: the server cannot be reached: "),
        "{ran:#?}"
    );
}
