//! Judges one run: the invariants that hold for every exchange, and the outcomes the entry allows.
//!
//! Where the catalogue and a specification name different statuses for a refusal, both are fine; a
//! *kind* of outcome that the entry does not allow is never fine, unless the list of entries where the
//! specification wins says so.

use super::also;
use super::catalogue::{Allowed, Entry};
use super::lists::SpecWins;
use super::observed::{Ending, Observed, not_canonical};
use super::visitors;

/// Bytes of a canary that may not be seen in a message that was cut.
const PREFIX: usize = 6;

/// What one run is judged by.
pub(super) struct Case<'a> {
    pub(super) entry: &'a Entry,
    pub(super) variant: Option<&'a str>,
    /// What must not be seen, placeholders filled in.
    pub(super) hidden: &'a [String],
    pub(super) wins: Option<&'a SpecWins>,
    pub(super) policy: &'a str,
    /// The upstream's message.
    pub(super) upstream: &'a [u8],
}

/// What kind of thing happened, in the catalogue's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Refused before any upstream byte.
    Blocked,
    /// The upstream answered; none of it left.
    BlockedResponse,
    /// A visibly incomplete message.
    Aborted,
    /// An answer of the upstream's, as it may leave.
    Delivered,
}

/// Says which outcome a run had, or why it is none that is allowed.
pub(super) fn judge(case: &Case<'_>, observed: &Observed) -> Result<&'static str, String> {
    invariants(case, observed)?;
    let kind = kind(observed);
    let status = observed.answer.status();
    let mut reasons = Vec::new();
    for allowed in &case.entry.expected_client_sees.allowed_outcomes {
        match allows(allowed, case, observed, kind) {
            Ok(()) => return Ok(name(kind, allowed.status.contains(&status))),
            Err(reason) => reasons.push(format!("{}: {reason}", allowed.outcome)),
        }
    }
    if let Some(wins) = case.wins {
        let count = observed.seen.requests.len();
        if wins.status.contains(&observed.answer.status())
            && in_range(count, &wins.upstream_requests)
        {
            return Ok("listed in spec_wins");
        }
    }
    let slug = observed.answer.problem().unwrap_or_default();
    let requests = observed.seen.requests.len();
    let end = observed.end;
    Err(format!(
        "{kind:?} {status} {slug} ({end:?}, {requests} upstream requests): {}",
        reasons.join("; ")
    ))
}

/// I1, I2, I3 and I7 of the catalogue, and that neither 1xx nor trailers leave.
fn invariants(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let answer = &observed.answer;
    if let Some(reason) = &observed.malformed {
        return Err(format!("I2: the answer is not well-formed: {reason}"));
    }
    if case.entry.scans_upstream() {
        let bytes = observed.upstream_bytes();
        let found = case
            .hidden
            .iter()
            .find(|text| contains(&bytes, text.as_bytes()));
        if let Some(text) = found {
            return Err(format!("I1: the upstream received {text:?}"));
        }
    } else {
        scan_client(case, observed)?;
    }
    for request in &observed.seen.requests {
        if let Some(reason) = not_canonical(request) {
            return Err(format!(
                "I3: a request went up that is not canonical: {reason}"
            ));
        }
    }
    if !visitors::cookies_are_ours(answer, case.policy) {
        return Err("I7: a cookie of the upstream left".to_owned());
    }
    if answer
        .interim
        .iter()
        .any(|head| head.status != 100 || !head.fields.is_empty())
    {
        return Err("an interim answer of the upstream left".to_owned());
    }
    if !answer.trailers.is_empty() {
        return Err("trailers left".to_owned());
    }
    follow_up(observed)
}

fn scan_client(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let views = observed.client_views();
    for canary in case.hidden {
        if let Some(view) = views.find(canary) {
            return Err(format!("I1: {canary:?} was seen ({view})"));
        }
    }
    Ok(())
}

/// What follows a complete answer is a complete refusal, or nothing.
fn follow_up(observed: &Observed) -> Result<(), String> {
    let rest = &observed.answer.rest;
    if rest.is_empty() || observed.answer.head.is_none() {
        return Ok(());
    }
    match super::wire::read(rest, "GET", true) {
        Ok(second) if second.complete && second.status() >= 400 => Ok(()),
        _ => Err("I2: bytes follow the answer".to_owned()),
    }
}

fn kind(observed: &Observed) -> Kind {
    let reached = !observed.seen.requests.is_empty();
    let answer = &observed.answer;
    let problem = answer.problem().is_some();
    match (reached, answer.complete) {
        (false, true) if problem || answer.status() >= 400 => Kind::Blocked,
        (false, false) if observed.end == Ending::Refused => Kind::Blocked,
        (true, true) if problem => Kind::BlockedResponse,
        (_, true) => Kind::Delivered,
        (_, false) => Kind::Aborted,
    }
}

fn name(kind: Kind, own_status: bool) -> &'static str {
    match (kind, own_status) {
        (Kind::Blocked, true) => "blocked",
        (Kind::Blocked, false) => "blocked, with the specification's status or a reset stream",
        (Kind::BlockedResponse, true) => "blocked_response",
        (Kind::BlockedResponse, false) => "blocked_response, with the specification's status",
        (Kind::Aborted, _) => "aborted",
        (Kind::Delivered, _) => "delivered",
    }
}

fn allows(
    allowed: &Allowed,
    case: &Case<'_>,
    observed: &Observed,
    kind: Kind,
) -> Result<(), String> {
    let wanted = match allowed.outcome.as_str() {
        "blocked" => Kind::Blocked,
        "blocked_response" => Kind::BlockedResponse,
        "aborted" => Kind::Aborted,
        "redacted" | "passed" | "normalised" | "capped" => Kind::Delivered,
        other => return Err(format!("outcome {other} is not known")),
    };
    let named = allowed.status.contains(&observed.answer.status());
    // What is passed on may also be answered by Postern itself, where the entry names that status.
    let own_words = wanted == Kind::Delivered
        && kind == Kind::BlockedResponse
        && allowed.outcome != "redacted"
        && named;
    // What is capped may also not begin, or end before its time.
    let capped = allowed.outcome == "capped" && named;
    if wanted != kind && !own_words && !capped {
        return Err("another kind of outcome".to_owned());
    }
    if !status_fits(allowed, case, observed, kind) {
        return Err(format!("status not in {:?}", allowed.status));
    }
    if !in_range(observed.seen.requests.len(), &allowed.upstream_requests) {
        return Err(format!(
            "upstream requests not in {:?}",
            allowed.upstream_requests
        ));
    }
    let closed = matches!(observed.end, Ending::Closed | Ending::Refused);
    if allowed.connection != "any" && !closed {
        return Err(format!("the connection should end: {}", allowed.connection));
    }
    if kind == Kind::Aborted {
        no_prefix(case, observed)?;
    }
    if allowed.outcome == "redacted" {
        body_is_json(observed)?;
    }
    if kind == Kind::Delivered {
        super::reference::same_document(case, observed)?;
    }
    also::upstream_saw(case, observed)?;
    for condition in allowed.also.iter().flatten() {
        also::check(condition, case, observed)?;
    }
    Ok(())
}

/// The entry's status, or the one a specification gives this refusal; an HTTP/2 stream that is reset
/// and a cut message need none.
fn status_fits(allowed: &Allowed, case: &Case<'_>, observed: &Observed, kind: Kind) -> bool {
    let status = observed.answer.status();
    let unsaid = matches!(observed.end, Ending::Refused) && case.entry.request.proto == "h2";
    let by_spec = observed
        .answer
        .problem()
        .is_some_and(|slug| spec_status(&slug).contains(&status));
    let refusal = matches!(kind, Kind::Blocked | Kind::BlockedResponse);
    kind == Kind::Aborted
        || allowed.status.contains(&status)
        || (status == 0 && unsaid)
        || (refusal && by_spec)
}

/// The statuses that specification 02 section 7 gives to a problem.
fn spec_status(slug: &str) -> &'static [u16] {
    match slug {
        "ambiguous-request" | "query-not-allowed" => &[400],
        "misdirected-request" => &[421],
        "expectation-failed" => &[417],
        "identity-unavailable" => &[503],
        "identity-missing" | "identity-invalid" => &[401],
        "route-denied"
        | "no-role"
        | "query-on-hidden-field"
        | "write-of-hidden-field"
        | "upgrade-refused" => &[403],
        "method-not-allowed" => &[405],
        "not-acceptable" => &[406],
        "request-timeout" => &[408],
        "body-too-large" => &[413],
        "target-too-long" => &[414],
        "unsupported-media-type" => &[415],
        "headers-too-large" => &[431],
        "unreadable-body" => &[502],
        "overloaded" | "policy-unavailable" => &[503],
        "upstream-unavailable" => &[502, 504],
        "version-not-supported" => &[505],
        _ => &[],
    }
}

fn in_range(count: usize, range: &[usize]) -> bool {
    match range {
        [least, most] => (*least..=*most).contains(&count),
        _ => true,
    }
}

fn no_prefix(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    for canary in case
        .hidden
        .iter()
        .filter(|canary| canary.len() >= PREFIX && canary.is_ascii())
    {
        let prefix = &canary.as_bytes()[..PREFIX];
        if contains(&observed.raw, prefix) || contains(&observed.answer.body, prefix) {
            return Err(format!("the beginning of {canary:?} left before the cut"));
        }
    }
    Ok(())
}

fn body_is_json(observed: &Observed) -> Result<(), String> {
    let answer = &observed.answer;
    let coded = answer.field("content-encoding").is_some();
    if answer.body.is_empty() || coded {
        return Ok(());
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
        Err(error) if !error.to_string().contains("recursion limit") => {
            Err("the body is not JSON".to_owned())
        }
        _ => Ok(()),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    super::messages::find(haystack, needle).is_some()
}
