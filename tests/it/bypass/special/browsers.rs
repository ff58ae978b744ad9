//! What browsers are told of pages that are ours.

use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::visitors;
use crate::bypass::wire::Answer;

use super::{Result, ensure};

/// The entry with an application that lets whichever origin asks read its answers; what it says as it is written, `*`
/// with credentials, is believed by no browser.
pub(super) fn reflecting(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    for part in &mut entry.upstream_response.parts {
        part.data = part.data.replace(
            "Access-Control-Allow-Origin: *",
            "Access-Control-Allow-Origin: {{V}}",
        );
    }
    entry
}

/// B-338: whatever origin asks and whatever the application says of it, no page of another origin may read an
/// answer in which something is hidden.
pub(super) async fn other_origins(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("redact")).await;
    for entry in [entry, &reflecting(entry)] {
        for variant in entry.runs() {
            let origin = variant.clone().unwrap_or_default();
            let run = Run {
                entry,
                variant,
                credential: None,
                body: None,
            };
            let host = stage.host();
            let fill = exchange::fill(suite, &run, &host);
            let script = exchange::script(&run, &fill);
            let (_, outcome) =
                exchange::judged(suite, &stage, "redact", (&run, &fill), script).await;
            outcome.map_err(|reason| format!("{origin}: {reason}"))?;
        }
    }
    stage.still_serves(&suite.tokens).await?;
    Ok("redacted")
}

/// B-340: nothing that the admin listener answers is shown in a frame, whatever it is asked; nor is the page that
/// Postern puts before a link from another site.
pub(super) async fn no_frames(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy("session")).await;
    let mut entry = entry.clone();
    entry.request.listener = Some("admin".to_owned());
    let allowed = entry.expected_client_sees.allowed_outcomes[0].clone();
    let admin = stage.running().admin_address().to_string();
    for (line, host) in [
        ("GET /", admin.as_str()),
        ("GET /livez", &admin),
        ("GET /status", &admin),
        ("GET /metrics", &admin),
        ("GET /", "rebound.example"),
    ] {
        let mut entry = entry.clone();
        entry.request.parts[0].data = entry.request.parts[0].data.replace("GET /", line);
        let run = Run {
            entry: &entry,
            variant: None,
            credential: None,
            body: None,
        };
        let fill = exchange::fill(suite, &run, host);
        let script = exchange::script(&run, &fill);
        let observed = exchange::send(&stage, &entry, &fill, script).await;
        let status = observed.answer.status();
        let named = allowed.status.contains(&status) || (status == 421 && host != admin);
        ensure(named, format!("{line} at {host} got {status}"))?;
        ensure(observed.seen.requests.is_empty(), "the upstream was asked")?;
        is_in_no_frame(&observed.answer).map_err(|why| format!("{line} at {host}: {why}"))?;
    }
    let link =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let page = visitors::ask(&stage, "GET /api/cases/1", link).await?;
    ensure(
        page.status() == 200 && stage.upstream.seen().requests.is_empty(),
        "no page of ours was shown",
    )?;
    is_in_no_frame(&page)?;
    Ok("normalised")
}

fn is_in_no_frame(answer: &Answer) -> std::result::Result<(), String> {
    let policy = answer.field("content-security-policy").unwrap_or_default();
    ensure(
        policy.contains("frame-ancestors 'none'")
            && answer.field("x-frame-options") == Some("DENY"),
        "it may be shown in a frame",
    )
}
