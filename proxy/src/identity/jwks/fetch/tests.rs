//! One fetch: what it takes, and what it does not.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use super::super::scripted::{Scripted, ok};
use super::*;

async fn fetched(answer: Vec<u8>) -> Result<Bytes, FetchError> {
    let server = Scripted::start(answer, None).await;
    KeyUrl::parse(&server.url()).unwrap().fetch().await
}

#[test]
fn takes_https_and_loopback_only() {
    let parse = |url: &str| KeyUrl::parse_with_roots(url, || Ok(RootCertStore::empty()));
    for url in [
        "https://idp.example.com/keys",
        "https://idp.example.com",
        "https://[2001:db8::1]:8443/keys?a=b",
        "http://127.0.0.1:1/keys",
        "http://[::1]/keys",
        "http://localhost:1/",
    ] {
        assert!(parse(url).is_ok(), "{url}");
    }
    for url in [
        "http://idp.example.com/keys",
        "http://10.0.0.1/keys",
        "http://127.0.0.1.example.com/",
        "https://user@idp.example.com/",
        "http://localhost@10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "/keys",
        "",
    ] {
        assert!(parse(url).is_err(), "{url}");
    }
}

#[tokio::test]
async fn takes_a_whole_200_of_at_most_1_mib() {
    assert_eq!(fetched(ok(b"{}")).await.unwrap(), "{}");
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    assert_eq!(fetched(chunked.to_vec()).await.unwrap(), "{}");
    let most = vec![b' '; SET_BYTES_MAX];
    assert_eq!(fetched(ok(&most)).await.unwrap().len(), SET_BYTES_MAX);
    let more = vec![b' '; SET_BYTES_MAX + 1];
    assert_eq!(
        fetched(ok(&more)).await,
        Err(FetchError::Call(CallError::Answer))
    );
}

#[tokio::test]
async fn refuses_every_other_answer() {
    let head =
        |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\n{{}}").into_bytes();
    for (answer, expected) in [
        (head("404 Not Found"), FetchError::Status),
        (
            head("302 Found\r\nLocation: http://127.0.0.1:1/"),
            FetchError::Status,
        ),
        (head("206 Partial Content"), FetchError::Status),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}".to_vec(),
            FetchError::Call(CallError::Answer),
        ),
        (b"hello".to_vec(), FetchError::Call(CallError::Answer)),
        (Vec::new(), FetchError::Call(CallError::Answer)),
    ] {
        assert_eq!(fetched(answer).await, Err(expected));
    }
}

#[tokio::test]
async fn gives_up_on_a_server_that_does_not_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let url = KeyUrl::parse(&url).unwrap();
    let outcome = url.fetch_within(Duration::from_millis(20)).await;
    assert_eq!(outcome, Err(FetchError::Call(CallError::Time)));
    drop(silent);
    assert_eq!(url.fetch().await, Err(FetchError::Call(CallError::Connect)));
}

#[tokio::test]
async fn verifies_the_servers_certificate() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            made.signing_key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let server = Scripted::start(ok(b"{}"), Some(tls)).await;
    let fetch = async |host: &str, trusted: bool| {
        let mut roots = RootCertStore::empty();
        if trusted {
            roots.add(made.cert.der().clone()).unwrap();
        }
        let url = format!("https://{host}:{}/", server.address.port());
        let url = KeyUrl::parse_with_roots(&url, || Ok(roots)).unwrap();
        url.fetch().await
    };
    assert_eq!(fetch("localhost", true).await.unwrap(), "{}");
    assert_eq!(
        fetch("localhost", false).await,
        Err(FetchError::Call(CallError::Tls))
    );
    assert_eq!(
        fetch("127.0.0.1", true).await,
        Err(FetchError::Call(CallError::Tls)),
        "another name"
    );
    assert_eq!(
        server.requests(),
        1,
        "nothing was sent over an unverified connection"
    );
}
