//! Controls: the same exchange where nothing is hidden must show the canary, or the case proves nothing.
//!
//! It is asked through Postern with policy `open` as the administrator first. Where Postern refuses
//! even that (a body nobody can read), the scripted upstream's own bytes must show it.

use super::catalogue::Entry;
use super::exchange::{self, Run, Suite};
use super::messages::{Fill, find};
use super::scan::Views;
use super::special;
use super::stage::Stage;
use super::wire;

/// Where the canary of a control was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visible {
    /// Through Postern, with nothing hidden.
    ThroughPostern,
    /// In what the upstream sends.
    AtTheUpstream,
}

/// Runs one entry's control, for the first of its variants that holds a canary.
pub(super) async fn run(suite: &Suite, open: &Stage, entry: &Entry) -> Result<Visible, String> {
    let entry = &special::for_control(entry);
    let mut vacuous = "it has no variant".to_owned();
    for variant in entry.runs() {
        match one(suite, open, entry, variant).await {
            Ok(visible) => return Ok(visible),
            Err(reason) => vacuous = reason,
        }
    }
    Err(vacuous)
}

async fn one(
    suite: &Suite,
    open: &Stage,
    entry: &Entry,
    variant: Option<String>,
) -> Result<Visible, String> {
    let run = Run {
        entry,
        variant,
        credential: None,
        body: None,
    };
    let host = open.host();
    let fill = Fill {
        as_admin: true,
        ..exchange::fill(suite, &run, &host)
    };
    let script = exchange::script(&run, &fill);
    let message = script.bytes.clone();
    let hidden: Vec<String> = entry
        .must_not_contain
        .iter()
        .map(|text| fill.text(text))
        .collect();
    if entry.request.proto == "h1" {
        let observed = exchange::send(open, entry, &fill, script).await;
        if shows(&observed.client_views(), &hidden) {
            return Ok(Visible::ThroughPostern);
        }
    }
    let method = if message.is_empty() { "HEAD" } else { "GET" };
    let lenient = without_transfer_coding(&message);
    let body = wire::read(&lenient, method, true)
        .map(|answer| answer.body)
        .unwrap_or_default();
    let after_head = find(&message, b"\r\n\r\n").map_or(&message[..], |at| &message[at + 4..]);
    let direct = [&body[..], after_head];
    if direct
        .iter()
        .any(|body| shows(&Views::of(&message, body), &hidden))
    {
        return Ok(Visible::AtTheUpstream);
    }
    Err("the canary is not visible where nothing is hidden: the case is vacuous".to_owned())
}

fn shows(views: &Views, hidden: &[String]) -> bool {
    hidden.iter().any(|canary| views.find(canary).is_some())
}

/// The message with `gzip, chunked` made `chunked`, which is as far as the strict reader goes: a control
/// looks behind the coding, not at it.
fn without_transfer_coding(message: &[u8]) -> Vec<u8> {
    const CODINGS: &[u8] = b"gzip, chunked";
    let mut plain = message.to_vec();
    if let Some(at) = find(message, CODINGS) {
        plain.splice(at..at + CODINGS.len(), b"chunked".iter().copied());
    }
    plain
}
