//! Sessions that a key or a certificate binds, when somebody else comes with what the client holds.

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use postern_proxy::clock::{Clock as _, SystemClock};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stage::{Held, ask, policy, refused, replica, served, told};
use super::store::StoreServer;
use crate::client::{Client, Response};
use crate::origin;
use crate::process::Process;

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_one_replica_has_seen_is_refused_by_another_and_too_often_ends_the_session() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
    let held = Held::by_login(&one, "").await;
    let mut key = Keyed::new();
    let proof = key.proof("/own/1", &held);
    assert_eq!(told(&ask(&one, &proof, "/own/1").await), served());
    // Only that it was used before is wrong with it: a fresh one is as good there.
    let fresh = key.proof("/own/1", &held);
    assert_eq!(told(&ask(&other, &fresh, "/own/1").await), served());
    for _replay in 0..2 {
        let reply = ask(&other, &proof, "/own/1").await;
        assert_eq!(told(&reply), refused(401, "binding-required"));
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.contains("invalid_dpop_proof"), "{challenge}");
    }
    let over = refused(401, "session-revoked");
    assert_eq!(told(&ask(&other, &proof, "/own/1").await), over);
    let finding = "postern_findings_total{rule=\"H04\"} 1";
    assert!(other.metrics().await.contains(finding));
    let fresh = key.proof("/own/1", &held);
    assert_eq!(told(&ask(&one, &fresh, "/own/1").await), over);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_certificate_ends_with_the_first_request_of_another() {
    let authority = Authority::new();
    let folder = authority.folder();
    let tls = "tls: { cert: file:cert.pem, key: file:key.pem, client_ca: file:ca.pem }, \
               hosts: [desk.example]";
    let process = Process::start_listening(
        tls,
        &[],
        (folder, ""),
        origin::start().await,
        &policy("[mtls, context]"),
    )
    .await;
    let (own, stolen) = (authority.sign("ann"), authority.sign("bob"));
    let login = get(&authority, &process, Some(&own), ("", "/login")).await;
    let held = Held::of(&login);
    let cookie = held.cookie();
    let asked = (cookie.as_str(), "/own/1");
    let bound = get(&authority, &process, Some(&own), asked).await;
    assert_eq!(told(&bound), served());
    assert_eq!(findings(&process).await, "");
    // Without a certificate nobody gets as far as a request, and the session goes on.
    let nothing = get(&authority, &process, None, asked).await;
    assert_eq!((nothing.status, nothing.head.as_str()), (0, ""));
    let again = get(&authority, &process, Some(&own), asked).await;
    assert_eq!(told(&again), served());
    let over = refused(401, "session-revoked");
    let other = get(&authority, &process, Some(&stolen), asked).await;
    assert_eq!(told(&other), over);
    assert_eq!(
        findings(&process).await,
        "postern_findings_total{rule=\"H01\"} 1\n"
    );
    let own = get(&authority, &process, Some(&own), asked).await;
    assert_eq!(told(&own), over);
}

/// What the rules have found so far.
async fn findings(process: &Process) -> String {
    let metrics = process.metrics().await;
    let lines = metrics.lines();
    let rules = lines.filter(|line| line.starts_with("postern_findings_total{"));
    let found = rules.filter(|line| !line.ends_with(" 0"));
    found.map(|line| format!("{line}\n")).collect()
}

/// A client with a key of its own.
struct Keyed {
    key: EncodingKey,
    jwk: Value,
    proofs: u32,
}

impl Keyed {
    fn new() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        Self {
            key,
            jwk: serde_json::to_value(jwk).unwrap(),
            proofs: 0,
        }
    }

    /// The fields of a GET with a fresh proof (RFC 9449 section 4.2).
    fn proof(&mut self, path: &str, held: &Held) -> String {
        self.proofs += 1;
        let hash = ring::digest::digest(&ring::digest::SHA256, held.0.as_bytes());
        let now = SystemClock.wall().duration_since(std::time::UNIX_EPOCH);
        let claims = json!({
            "jti": format!("proof-{}", self.proofs), "htm": "GET", "ath": URL_SAFE_NO_PAD.encode(hash),
            "htu": format!("http://desk.example{path}"), "iat": now.unwrap().as_secs(),
        });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        let handle = &held.0;
        format!(
            "Authorization: DPoP {handle}\r\nDPoP: {signed}.{}\r\n",
            signature.unwrap()
        )
    }
}

/// A certificate and its key, PEM.
type Signed = (String, String);

/// An authority that signs certificates for this test only.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A folder with what a server needs.
    fn folder(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = self.sign("localhost");
        for (name, text) in [
            ("cert.pem", &cert),
            ("key.pem", &key),
            ("ca.pem", &self.pem),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    async fn connect(&self, process: &Process, own: Option<&Signed>) -> TlsStream<TcpStream> {
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.pem)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider);
        let config = versions.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match own {
            None => config.with_no_client_auth(),
            Some((cert, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let chain = vec![certificate(cert)];
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let stream = TcpStream::connect(process.data).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }
}

/// A GET with these fields on a connection of its own. A server that wants a certificate says so after the
/// handshake: the answer is empty then.
async fn get(
    authority: &Authority,
    process: &Process,
    own: Option<&Signed>,
    (fields, path): (&str, &str),
) -> Response {
    let stream = authority.connect(process, own).await;
    let mut client = Client::over(stream).with(fields);
    match client.try_send(path).await {
        Ok(()) => client.response().await,
        Err(_refused) => Response::default(),
    }
}
