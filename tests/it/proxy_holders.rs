//! Whoever copies what a client holds: refused at once where a key or a certificate binds the session, and
//! found out by their surroundings otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use postern_proxy::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::legacy_desk::desk;
use crate::postern::{Reply, Stage};
use crate::proxy_audit::entries;
use crate::proxy_sessions::{Browser, staged};

/// A client with a key.
struct Keyed {
    key: EncodingKey,
    jwk: Value,
    proofs: u32,
}

impl Keyed {
    fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        Self {
            key,
            jwk: serde_json::to_value(jwk).unwrap(),
            proofs: 0,
        }
    }

    /// A fresh proof for a request with this handle (RFC 9449 section 4.2).
    fn proof(&mut self, stage: &Stage, (method, path): (&str, &str), handle: &str) -> String {
        self.proofs += 1;
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(handle.as_bytes()));
        let now = SystemClock.wall().duration_since(std::time::UNIX_EPOCH);
        let claims = json!({
            "jti": format!("proof-{}", self.proofs), "htm": method, "ath": hash,
            "htu": format!("http://{}{path}", stage.address()), "iat": now.unwrap().as_secs(),
        });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    }

    /// A GET with the handle as a token that the key binds.
    async fn get(&mut self, browser: &mut Browser<'_>, path: &str, handle: &str) -> Reply {
        let proof = self.proof(browser.stage(), ("GET", path), handle);
        let fields = format!("Authorization: DPoP {handle}\r\nDPoP: {proof}\r\n");
        browser.send("GET", path, &fields, "").await
    }
}

/// The handle that a browser got; it is taken out of its cookies.
fn handle_of(browser: &mut Browser<'_>) -> String {
    browser.cookies.pop().unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_a_key_binds_is_worth_nothing_without_it() {
    let (origin, _given) = desk().await;
    let stage = staged(
        &origin,
        "{ bind: [context, dpop], required: { export: 2 } }",
    )
    .await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    assert_eq!(browser.get("/export").await.slug(), "binding-required");
    let handle = handle_of(&mut browser);
    let (mut keyed, mut other) = (Keyed::new(), Keyed::new());
    let bound = keyed.get(&mut browser, "/cases/1", &handle).await;
    assert_eq!(bound.text(), r#"{"id":1,"ssn":"[redacted]"}"#);
    assert_eq!(
        keyed.get(&mut browser, "/export", &handle).await.status,
        200
    );
    // As a bearer token it is refused (RFC 9449 section 7.2), and that is a downgrade.
    for _again in 0..2 {
        let fields = format!("Authorization: Bearer {handle}\r\n");
        let reply = browser.send("GET", "/cases/1", &fields, "").await;
        assert_eq!(reply.status, 401);
    }
    let reply = other.get(&mut browser, "/cases/1", &handle).await;
    assert_eq!(reply.slug(), "session-revoked");
    let reply = keyed.get(&mut browser, "/cases/1", &handle).await;
    assert_eq!(reply.slug(), "session-revoked", "the session has ended");
    assert!(
        stage
            .metrics()
            .await
            .contains("postern_findings_total{rule=\"H01\"}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_jar_is_found_out_when_network_and_browser_change() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, "{ bind: [context], required: { export: 0 } }").await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let mut thief = Browser::new(&stage);
    thief.cookies.clone_from(&browser.cookies);
    thief.from = "127.7.7.7".parse().unwrap();
    thief.agent =
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) Version/17.4 Safari/605.1.15".to_owned();
    let reply = thief.get("/cases/1").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (401, "session-revoked")
    );
    assert!(thief.cookies.is_empty());
    assert_eq!(browser.get("/cases/1").await.slug(), "session-revoked");
    assert!(
        stage
            .metrics()
            .await
            .contains("postern_findings_total{rule=\"H05b\"}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_alone_asks_for_a_fresh_login_and_observing_lets_it_go_on() {
    let (origin, _given) = desk().await;
    for (rules, status) in [("{}", 401), ("{ H05a: observe }", 200)] {
        let sessions = format!("{{ bind: [context], required: {{ export: 0 }}, rules: {rules} }}");
        let stage = staged(&origin, &sessions).await;
        let mut browser = Browser::new(&stage);
        browser.log_in("agent").await;
        browser.from = "127.7.7.7".parse().unwrap();
        let reply = browser.get("/cases/1").await;
        assert_eq!(reply.status, status, "{}", reply.head);
        if status == 401 {
            assert_eq!(reply.slug(), "step-up-required");
            let challenge = reply.header("www-authenticate").unwrap();
            assert!(
                challenge.contains("insufficient_user_authentication"),
                "{challenge}"
            );
            browser.log_in("agent").await;
            assert_eq!(browser.get("/cases/1").await.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_another_site_is_refused_and_a_link_from_one_gets_a_page_between() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, "{ bind: [context], required: { export: 0 } }").await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    browser.site = "cross-site";
    let reply = browser
        .send(
            "POST",
            "/comment",
            "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty\r\n",
            "x=1",
        )
        .await;
    assert_eq!((reply.status, reply.slug().as_str()), (403, "csrf"));
    let mut stranger = Browser::new(&stage);
    stranger.site = "cross-site";
    let link = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let page = stranger.send("GET", "/cases/1", link, "").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("location.replace"), "{}", page.text());
    stranger.site = "same-origin";
    let reply = stranger.send("GET", "/cases/1", link, "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/login"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoy_without_its_handle_betrays_whose_jar_was_copied() {
    let (origin, _given) = desk().await;
    let sessions = "{ bind: [context], required: { export: 0 }, decoy: JSESSIONID }";
    let stage = staged(&origin, sessions).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let names: Vec<&str> = browser
        .cookies
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["__Host-Http-pn", "JSESSIONID"]);
    assert_eq!(browser.get("/home").await.status, 200);
    let mut thief = Browser::new(&stage);
    thief.cookies.push(browser.cookies[1].clone());
    assert_eq!(thief.get("/home").await.slug(), "session-missing");
    assert_eq!(browser.get("/home").await.slug(), "session-revoked");
    assert!(
        stage
            .metrics()
            .await
            .contains("postern_findings_total{rule=\"H11\"}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_decoy_does_to_its_session_is_what_the_rule_says() {
    let (origin, _given) = desk().await;
    for (action, slug) in [
        ("step_up", "step-up-required"),
        ("downgrade", "binding-required"),
    ] {
        for in_a_session in [false, true] {
            let sessions = format!(
                "{{ bind: [context], required: {{ export: 0, read: 1 }}, decoy: JSESSIONID, \
                 rules: {{ H11: {action} }} }}"
            );
            let stage = staged(&origin, &sessions).await;
            let mut owner = Browser::new(&stage);
            owner.log_in("agent").await;
            assert_eq!(owner.get("/home").await.status, 200);
            let mut thief = Browser::new(&stage);
            if in_a_session {
                thief.log_in("boss").await;
                thief.cookies.truncate(1);
            }
            thief.cookies.push(owner.cookies[1].clone());
            assert_eq!(thief.get("/home").await.slug(), "session-missing");
            assert_eq!(owner.get("/home").await.slug(), slug, "{in_a_session}");
            assert_eq!(betrayed(stage).await, ["agent"], "{in_a_session}");
        }
    }
}

/// Whose sessions H11 was about, as it is on record.
async fn betrayed(stage: Stage) -> Vec<String> {
    stage.idle().await;
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let events = entries(folder.path());
    let found = events
        .iter()
        .filter(|event| event["class_uid"] == 2004 && event["finding_info"]["uid"] == "H11");
    found
        .map(|event| {
            event["actor"]["user"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_to_log_in_again_may_log_out_instead() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, "{ bind: [context], required: { export: 0 } }").await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    browser.from = "127.7.7.7".parse().unwrap();
    assert_eq!(browser.get("/home").await.slug(), "step-up-required");
    browser.site = "cross-site";
    let reply = browser.send("POST", "/logout", "", "").await;
    assert_eq!(reply.slug(), "csrf", "nobody else logs them out");
    browser.site = "same-origin";
    assert_eq!(browser.send("POST", "/logout", "", "").await.status, 200);
    assert!(browser.cookies.is_empty());
}
