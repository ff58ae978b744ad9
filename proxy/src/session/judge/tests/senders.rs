//! Who made the browser send a request (H13), and the page for deep links.

use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};

use super::stage::ORIGIN;
use super::*;
use crate::session::record::Client;

const CSRF: Outcome = Outcome::Refuse(Refusal::Csrf);

/// A request with the cookie, and nothing of the fetch metadata.
fn untold() -> Visit {
    Visit::new()
        .without("sec-fetch-site")
        .without("sec-fetch-mode")
        .without("sec-fetch-dest")
}

#[test]
fn an_unsafe_request_of_a_browser_must_be_known_to_be_ours() {
    let site = |value| untold().field("sec-fetch-site", value);
    let other = "https://other.example";
    for (visit, outcome) in [
        (site("same-origin"), Outcome::Go),
        (site("none"), Outcome::Go),
        (site("same-site"), CSRF),
        (site("cross-site"), CSRF),
        (site("cross-site").page(), CSRF),
        (site("something"), CSRF),
        (site("cross-site").field("origin", ORIGIN), CSRF),
        (site("same-site").field("postern-request", "1"), CSRF),
        (untold(), CSRF),
        (untold().field("origin", ORIGIN), Outcome::Go),
        (
            untold().field("origin", "https://DESK.example:443"),
            Outcome::Go,
        ),
        (untold().field("origin", "http://desk.example"), CSRF),
        (untold().field("origin", other), CSRF),
        (untold().field("origin", "null"), CSRF),
        (untold().field("postern-request", "1"), Outcome::Go),
        (untold().field("postern-request", "0"), CSRF),
        (
            untold()
                .field("postern-request", "1")
                .field("origin", other),
            CSRF,
        ),
    ] {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let judgement = Stage::new().judge(&visit.clone().method(method), 100);
            assert_eq!(judgement.outcome, outcome, "{:?}", visit.shown().fetch);
        }
    }
}

#[test]
fn what_changes_nothing_or_is_no_browsers_cookie_needs_no_such_evidence() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let judgement = Stage::new().judge(&untold().method(method), 100);
        assert_eq!(judgement.outcome, Outcome::Go);
    }
    let handle = crate::session::vault::Handle::new([7; 32]).text();
    let post = untold().method(Method::POST);
    let token = post.clone().without("cookie");
    let token = token.field("authorization", &format!("Bearer {handle}"));
    assert_eq!(Stage::new().judge(&token, 100).outcome, Outcome::Go);
    let mut stage = Stage::new();
    stage.record.client = Client::Api;
    assert_eq!(stage.judge(&post, 100).outcome, Outcome::Go);
}

#[test]
fn another_site_may_show_a_page_of_ours_and_nothing_else() {
    let foreign = Visit::new().field("sec-fetch-site", "cross-site");
    let frame = foreign.clone().field("sec-fetch-mode", "navigate");
    for (visit, outcome) in [
        (foreign.clone().page(), Outcome::Go),
        (foreign, CSRF),
        (frame.field("sec-fetch-dest", "iframe"), CSRF),
        (untold().field("sec-fetch-site", "cross-site"), CSRF),
    ] {
        assert_eq!(Stage::new().judge(&visit, 100).outcome, outcome);
    }
}

#[test]
fn a_deep_link_is_a_page_that_another_site_leads_to_without_the_handle() {
    let link = Visit::bare().field("sec-fetch-site", "cross-site").page();
    assert!(is_deep_link(&link.shown()));
    for visit in [
        link.clone().field("sec-fetch-site", "same-origin"),
        link.clone().field("sec-fetch-site", "same-site"),
        link.clone().field("sec-fetch-dest", "iframe"),
        link.clone().field("sec-fetch-mode", "cors"),
        link.clone().without("sec-fetch-site"),
        link.clone().method(Method::POST),
        link.method(Method::HEAD),
        Visit::new().field("sec-fetch-site", "cross-site").page(),
    ] {
        assert!(!is_deep_link(&visit.shown()));
    }
}

#[test]
fn the_page_for_it_runs_its_one_line_and_nothing_else() {
    let page = interstitial();
    assert_eq!(page.status, 200);
    assert_eq!(page.field(&CACHE_CONTROL), Some("no-store"));
    let policy = page.field(&CONTENT_SECURITY_POLICY).unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    let (_, rest) = page.body.split_once("<script>").unwrap();
    let (script, rest) = rest.split_once("</script>").unwrap();
    assert!(script.contains("location.replace(") && !rest.contains("<script"));
    let hash = crate::session::digest::sha256(script.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    assert!(policy.contains(&format!("'sha256-{hash}'")));
}
