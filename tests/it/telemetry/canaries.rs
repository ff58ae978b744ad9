//! A canary in every place that holds data, and a look at everything that is exported or kept.

use std::path::Path;

use super::collector::{Collector, Manners, Speaks};
use super::{desk_of_canaries, observed};
use crate::postern::{request, request_as, token};

/// Everything below a folder, read.
fn everything(folder: &Path, into: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything(&path, into);
        } else {
            into.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Requests that carry a canary everywhere, and the status of each.
fn requests(token: &str) -> Vec<(String, u16)> {
    let lines = "Cookie: sid=canarycookie\r\nUser-Agent: canaryagent\r\nX-Case-Note: canaryheader\r\n\
                 Accept-Language: canarylang\r\nbaggage: user=canarybaggage\r\n\
                 tracestate: v=canarystate\r\n\
                 traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    let of = |method: &str, target: &str, further: &str, body: &str| {
        request_as(token, method, target, (&format!("{lines}{further}"), body))
    };
    let posted = r#"{"note":"canaryposted"}"#;
    let hidden = r#"{"ssn":"canarywritten"}"#;
    let framing = |body: &str| {
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )
    };
    vec![
        (of("GET", "/cases/canarypath?page=canaryquery", "", ""), 200),
        (
            of("GET", "/cases/canarypath?other=canaryquery", "", ""),
            400,
        ),
        (of("GET", "/nowhere/canarypath", "", ""), 403),
        (of("POST", "/notes", &framing(posted), posted), 200),
        (
            of("POST", "/cases/canarypath", &framing(hidden), hidden),
            403,
        ),
        (of("GET", "/cases/error", "", ""), 500),
        (of("GET", "/cases/malformed", "", ""), 502),
        (of("GET", "/cases/unreadable", "", ""), 502),
        (
            request_as("canarytoken.canarytoken.x", "GET", "/cases/1", (lines, "")),
            401,
        ),
        (of("GET", "/cases/1", "Host: canaryhost\r\n", ""), 400),
        // What is left of a body whose length was wrong is read as a method.
        (of("canarymethod", "/cases/1", "", ""), 400),
    ]
}

/// What must be nowhere.
const CANARIES: [&str; 18] = [
    "canarymethod",
    "canarypath",
    "canaryquery",
    "canarycookie",
    "canaryagent",
    "canaryheader",
    "canarylang",
    "canarybaggage",
    "canarystate",
    "canaryposted",
    "canarywritten",
    "canarytoken",
    "canaryhost",
    "canaryhidden",
    "canaryvisible",
    "canaryerror",
    "canarymalformed",
    "canaryunreadable",
];

async fn check(speaks: Speaks) {
    let collector = Collector::start(speaks, Manners::Takes).await;
    let origin = desk_of_canaries().await;
    let (stage, _logs) = observed(&collector, &[], &origin).await;
    let token = token("agent");
    let mut seen = String::new();
    for (request, status) in requests(&token) {
        let reply = stage.send(&request).await;
        assert_eq!(reply.status, status, "{request}\n{}", reply.text());
        seen.push_str(&reply.text());
    }
    // The canaries were alive: what may be seen was seen, and what goes up went up.
    let asked = origin.requests().concat();
    assert!(seen.contains("canaryvisible"), "{seen}");
    for canary in ["canarypath", "canaryquery", "canaryposted", "canarystate"] {
        assert!(asked.contains(canary), "{canary}: {asked}");
    }
    stage.idle().await;
    let mut kept = stage.metrics().await.into_bytes();
    stage.running.shutdown().await;
    everything(&stage.folder.path().join("state"), &mut kept);
    let received = collector.received();
    assert_eq!(
        received.events("postern.decision").len(),
        requests(&token).len()
    );
    let exported = received.bytes();
    assert!(holds(&exported, "case") && exported.len() > 4_000);
    let secrets = token.split('.').filter(|part| part.len() > 16);
    for canary in CANARIES.into_iter().chain(secrets) {
        assert!(!holds(&exported, canary), "exported: {canary}");
        assert!(!holds(&kept, canary), "kept: {canary}");
    }
}

#[tokio::test]
async fn nothing_that_is_exported_or_kept_holds_a_canary_or_a_token() {
    check(Speaks::Grpc).await;
    check(Speaks::Http).await;
}

#[tokio::test]
async fn the_search_would_find_a_canary() {
    let request = request("GET", "/cases/canarypath", "agent", "", "");
    assert!(holds(request.as_bytes(), "CanaryPath"));
}
