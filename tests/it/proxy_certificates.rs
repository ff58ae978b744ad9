//! Certificates, keys and authorities that change on disk while Postern serves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::StatusCode;
use postern_proxy::reload::ReloadOutcome;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::origin::{Answer, Origin};
use crate::postern::{POLICY, Setting, Stage, get, start_with};
use crate::secure::{Authority, MUTUAL, TLS, connect, h2_get, h2_send, http2, tls_stage};

const CASE: &str = r#"{"id":1,"ssn":"912-04-7731"}"#;

/// Replaces files as a deployment does, each in one step, and reloads.
async fn renew(stage: &Stage, files: &[(&str, &str)]) -> ReloadOutcome {
    for (name, text) in files {
        replace(stage.folder.path(), name, text);
    }
    stage.running.reloader().reload_now().await
}

fn replace(folder: &Path, name: &str, text: &str) {
    let staged = folder.join(format!("{name}.staged"));
    std::fs::write(&staged, text).unwrap();
    std::fs::rename(staged, folder.join(name)).unwrap();
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    let request = get("/cases/1", "agent");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return String::new();
    }
    let mut read = vec![0; 4096];
    let length = stream.read(&mut read).await.unwrap_or(0);
    String::from_utf8_lossy(&read[..length]).into_owned()
}

/// A client that believes both authorities.
fn of_both(one: &Authority, other: &Authority) -> rustls::ClientConfig {
    let mut roots = RootCertStore::empty();
    for authority in [one, other] {
        roots
            .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
            .unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_from_the_next_connection_on() {
    let (old, new) = (Authority::new(), Authority::new());
    let (_origin, stage) = tls_stage(&old, TLS, POLICY, Answer::json(CASE)).await;
    let by = |authority: &Authority| authority.client(b"http/1.1", None);
    let mut before = connect(&stage, by(&old)).await.unwrap();
    assert!(connect(&stage, by(&new)).await.is_err());
    let (cert, key) = new.sign("localhost");
    let outcome = renew(&stage, &[("cert.pem", &cert), ("key.pem", &key)]).await;
    assert_eq!(outcome, ReloadOutcome::Unchanged, "the policy");
    let mut after = connect(&stage, by(&new)).await.unwrap();
    assert!(ask(&mut after).await.starts_with("HTTP/1.1 200 "));
    assert!(connect(&stage, by(&old)).await.is_err());
    let still = ask(&mut before).await;
    assert!(still.starts_with("HTTP/1.1 200 "), "{still}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_of_no_use_change_nothing_and_are_refused() {
    let authority = Authority::new();
    let (_origin, stage) = tls_stage(&authority, TLS, POLICY, Answer::json(CASE)).await;
    let (other, _) = authority.sign("localhost");
    for (name, text) in [
        ("cert.pem", "nonsense"),
        ("cert.pem", ""),
        ("cert.pem", other.as_str()),
        ("key.pem", "nonsense"),
    ] {
        let kept = std::fs::read_to_string(stage.folder.path().join(name)).unwrap();
        let outcome = renew(&stage, &[(name, text)]).await;
        let ReloadOutcome::Refused { report } = outcome else {
            panic!("{name} {text}: {outcome:?}");
        };
        assert!(report.contains("listen.tls."), "{report}");
        let config = authority.client(b"http/1.1", None);
        let mut stream = connect(&stage, config).await.unwrap();
        assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200 "));
        let outcome = renew(&stage, &[(name, &kept)]).await;
        assert_eq!(outcome, ReloadOutcome::Unchanged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_an_old_authority_let_in_is_served_no_more() {
    let (old, new) = (Authority::new(), Authority::new());
    let identity = "identity: { from: mtls, subject: san.dns, roles: { 'agent-*': [agent] }, without_a_role: deny }\n";
    let policy = POLICY.replace("IDENTITY\n", identity);
    let (_origin, stage) = tls_stage(&old, MUTUAL, &policy, Answer::json(CASE)).await;
    let holder = old.sign("agent-1");
    let client = |alpn: &[u8]| old.client(alpn, Some(holder.clone()));
    let mut plain = connect(&stage, client(b"http/1.1")).await.unwrap();
    assert!(ask(&mut plain).await.starts_with("HTTP/1.1 200 "));
    let mut streams = http2(connect(&stage, client(b"h2")).await.unwrap()).await;
    let (status, _) = h2_send(&mut streams, h2_get("/cases/1")).await;
    assert_eq!(status, StatusCode::OK);
    renew(&stage, &[("ca.pem", &new.pem)]).await;
    let told = ask(&mut plain).await;
    assert!(told.starts_with("HTTP/1.1 421 "), "{told}");
    assert!(told.contains("connection-outdated"), "{told}");
    assert!(
        told.to_ascii_lowercase().contains("connection: close"),
        "{told}"
    );
    let (status, _) = h2_send(&mut streams, h2_get("/cases/1")).await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
    let again = connect(&stage, client(b"http/1.1")).await;
    let answered = match again {
        Ok(mut stream) => ask(&mut stream).await,
        Err(_refused) => String::new(),
    };
    assert_eq!(answered, "", "withdrawn");
    let config = old.client(b"http/1.1", Some(new.sign("agent-2")));
    let mut known = connect(&stage, config).await.unwrap();
    assert!(ask(&mut known).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_change_under_load_and_nobody_fails() {
    let rotations = std::env::var("POSTERN_ROTATIONS").ok();
    let rotations = rotations.and_then(|count| count.parse().ok()).unwrap_or(10);
    let authorities = [Authority::new(), Authority::new()];
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let setting = Setting {
        listen: TLS.to_owned(),
        policy: POLICY.to_owned(),
        files: authorities[0].files(),
        ..Setting::default()
    };
    let stage = Arc::new(start_with(&setting, origin.address()).await);
    let [one, other] = &authorities;
    let config = of_both(one, other);
    let (whole, failed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let stop = Arc::<AtomicBool>::default();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (stage, config, stop) = (Arc::clone(&stage), config.clone(), Arc::clone(&stop));
            let (whole, failed) = (Arc::clone(&whole), Arc::clone(&failed));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = match connect(&stage, config.clone()).await {
                        Ok(mut stream) => ask(&mut stream).await,
                        Err(error) => error.to_string(),
                    };
                    match answer.starts_with("HTTP/1.1 200 ") {
                        true => whole.fetch_add(1, Ordering::Relaxed),
                        false => failed.fetch_add(1, Ordering::Relaxed),
                    };
                }
            })
        })
        .collect();
    for rotation in 0..rotations {
        let (cert, key) = authorities[(rotation + 1) % 2].sign("localhost");
        // Between the two files they do not belong together: that is refused, and the old ones stay.
        replace(stage.folder.path(), "cert.pem", &cert);
        stage.running.reloader().reload_now().await;
        renew(&stage, &[("key.pem", &key)]).await;
        let shown = connect(
            &stage,
            authorities[(rotation + 1) % 2].client(b"http/1.1", None),
        );
        assert!(shown.await.is_ok(), "rotation {rotation}");
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let [whole, failed] = [whole, failed].map(|count| count.load(Ordering::Relaxed));
    println!(
        "certificates: {rotations} rotations, {whole} handshakes with whole answers, {failed} failed"
    );
    assert_eq!(failed, 0);
    assert!(whole > 0);
}
