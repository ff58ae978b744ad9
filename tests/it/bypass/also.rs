//! The conditions an outcome carries in words, as far as a program can check them on the wire.
//!
//! A sentence that is about memory, processor time or the inside of the proxy is not checked here; one
//! that an invariant already covers (canaries, trailers, 1xx) is not repeated.

use super::judge::Case;
use super::observed::{Ending, Observed};
use super::wire::Answer;

/// The cap of the catalogue's policies: records per window and identity.
pub(super) const CAP: u64 = 100;

type Check = fn(&Case<'_>, &Observed) -> Result<(), String>;

/// Sentences (by a part of them) and what they ask for.
const CHECKS: &[(&str, Check)] = &[
    ("Cache-Control: no-store", no_store),
    ("nosniff present", nosniff),
    ("Content-Type exactly application/json", json_type),
    ("relabelled application/json", json_type),
    ("redact and relabel", json_type),
    ("only if the route declares", never),
    ("only if invalid bytes are replaced", never),
    ("if NDJSON is explicitly supported", never),
    ("only if SSE is a declared", never),
    ("only where the role is granted", never),
    ("Location rewritten", location_is_ours),
    ("rewritten or refused", location_is_ours),
    ("value under $.ssn fully replaced", fully_replaced),
    ("no body bytes delivered", no_body),
    ("no body; Content-Length", no_body),
    ("no upstream Content-Length/ETag", no_upstream_length),
    ("body consumed, not forwarded", body_not_forwarded),
    ("only if the forwarded CL is exactly '7'", length_seven),
    (
        "upstream sees only the proxy's own credential",
        no_credential,
    ),
    ("SHA-256 equal", bit_exact),
    ("number token byte-identical", bytes_but_the_mask),
    ("decoded strings identical", bytes_but_the_mask),
    ("only allow-listed members", only_allow_listed),
    ("unknown member dropped", only_allow_listed),
    ("mask identical for every value", only_the_mask),
    ("sealed proxy cursor", no_cursor),
    ("rendered dropped", no_rendered_text),
    ("re-encoded or identity", no_gzip_extras),
    ("length independent of redacted value", not_compressed),
    ("at most cap rows", at_most_the_cap),
    ("rows actually emitted", at_most_the_cap),
    ("included counted", at_most_the_cap),
    ("no ACAO unless", no_other_origin),
];

/// Sentences about more than one exchange, which the entry's own driver checks.
const DRIVEN: &[&str] = &[
    "sum of rows delivered",
    "global sum",
    "any sliding window",
    "monotonic time",
    "usage after restart",
    "cap key =",
    "saturating arithmetic",
    "tenant-wide cap",
    "one bucket",
    "new random id issued",
    "held in server-side jar",
    "least privileged wins",
    "frame-ancestors",
];

/// Sentences that an invariant of every run already covers: canaries and their beginnings, trailers,
/// interim answers, the upstream's own bytes, and the good request that follows each run.
const COVERED: &[&str] = &[
    "visibly incomplete",
    "visibly cut",
    "trailers",
    "1xx swallowed",
    "bytes seen so far",
    "every split offset",
    "every occurrence",
    "all redacted",
    "subtree replaced",
    "or the member dropped",
    "ctx dropped",
    "opaque members",
    "withheld until",
    "body removed",
    "nothing of the undecided",
    "still found at the depth",
    "second response never",
    "request sent on a fresh one",
    "header not forwarded",
    "header removed",
    "override headers",
    "upstream never sees",
    "origin URLs",
    "member dropped for",
    "reload refused",
    "every agent body redacted",
    "accepted only within",
    "least privilege",
];

/// Checks one sentence.
pub(super) fn check(sentence: &str, case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    absent(sentence, observed)?;
    for (part, check) in CHECKS {
        if sentence.contains(part) {
            check(case, observed)?;
        }
    }
    Ok(())
}

/// Whether any part of a sentence is checked by this file.
pub(super) fn is_checked(sentence: &str) -> bool {
    absent_field(sentence).is_some()
        || CHECKS.iter().any(|(part, _)| sentence.contains(part))
        || COVERED.iter().any(|part| sentence.contains(part))
        || DRIVEN.iter().any(|part| sentence.contains(part))
}

/// What the upstream must have seen of the request's head.
pub(super) fn upstream_saw(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    if observed.seen.requests.is_empty() {
        return Ok(());
    }
    variant_did_not_go_up(case, observed)?;
    for (name, wanted) in &case.entry.upstream_must_see {
        let values = observed.upstream_field(name);
        let fine = match wanted.as_deref() {
            None => values.is_empty(),
            Some("present") => values.len() == 1,
            Some(text) if text.starts_with("identity") => {
                values.iter().all(|value| decodable(value))
            }
            Some(text) => values == [text],
        };
        if !fine {
            return Err(format!("the upstream saw {name}: {}", values.join(", ")));
        }
    }
    Ok(())
}

/// A field that the variant added to the request is not among what the policy forwards.
fn variant_did_not_go_up(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let adds_fields = ["query-shape", "request-target", "identity-header"];
    if !adds_fields.contains(&case.entry.class.as_str()) {
        return Ok(());
    }
    let field = case.variant.and_then(|variant| variant.split_once(": "));
    let Some((name, value)) = field.filter(|(name, _)| !["Host", "User-Agent"].contains(name))
    else {
        return Ok(());
    };
    let values = observed.upstream_field(name);
    ensure(
        !values.iter().any(|own| own == value),
        "the field that the variant added went up",
    )
}

fn decodable(value: &str) -> bool {
    let known = ["identity", "gzip", "deflate", "br", "zstd"];
    value
        .split(',')
        .all(|token| known.contains(&token.split(';').next().unwrap_or_default().trim()))
}

/// The field of `X-Name absent`.
fn absent_field(sentence: &str) -> Option<String> {
    let name = sentence.strip_suffix(" absent")?;
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_name && name.starts_with(|c: char| c.is_ascii_uppercase()))
        .then(|| name.to_ascii_lowercase())
}

fn absent(sentence: &str, observed: &Observed) -> Result<(), String> {
    let Some(name) = absent_field(sentence) else {
        return Ok(());
    };
    // Postern adds a `Via` of its own (specification 02, section 7); the scan finds the upstream's.
    if name == "via" || observed.answer.field(&name).is_none() {
        return Ok(());
    }
    Err(format!("`{name}` left"))
}

fn ensure(fine: bool, reason: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(reason.to_owned()) }
}

/// The outcome depends on something that no policy of this suite grants.
fn never(_: &Case<'_>, _: &Observed) -> Result<(), String> {
    Err("no policy here grants this outcome".to_owned())
}

/// Where a redirect leads: a path of ours, which no reader can take for another host.
fn location_is_ours(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let Some(location) = observed.answer.field("location") else {
        return Ok(());
    };
    let other = location.starts_with("//") || location.contains('\\') || location.contains('@');
    ensure(
        location.starts_with('/') && !other,
        "a redirect that may lead elsewhere",
    )
}

fn no_store(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let field = observed.answer.field("cache-control").unwrap_or_default();
    ensure(field.contains("no-store"), "not marked no-store")
}

fn nosniff(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let field = observed.answer.field("x-content-type-options");
    ensure(field == Some("nosniff"), "nosniff is missing")
}

/// No policy here lists an origin, so none is told that it may read the answer.
fn no_other_origin(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let head = observed.answer.head.iter();
    let mut names = head.flat_map(|head| &head.fields).map(|(name, _)| name);
    ensure(
        !names.any(|name| name.starts_with("access-control-")),
        "another origin may read the answer",
    )
}

fn json_type(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let field = observed.answer.field("content-type");
    ensure(
        field == Some("application/json"),
        "the type is not exactly application/json",
    )
}

fn fully_replaced(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let body: serde_json::Value =
        serde_json::from_slice(&observed.answer.body).map_err(|e| e.to_string())?;
    ensure(body["ssn"] == "[REDACTED]", "the value is not the mask")
}

fn no_body(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let length = observed.answer.field("content-length").unwrap_or("0");
    ensure(
        observed.answer.body.is_empty() && length == "0",
        "a body, or a length of one",
    )
}

fn no_upstream_length(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let etag = observed.answer.field("etag");
    let length = observed.answer.field("content-length").unwrap_or("0");
    ensure(
        etag.is_none() && length == "0",
        "a validator or length of the upstream left",
    )
}

fn body_not_forwarded(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let closed = observed.end == Ending::Closed;
    ensure(
        observed.upstream_body().is_empty() && closed,
        "the body went up, or the connection stays",
    )
}

fn length_seven(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    ensure(
        observed.upstream_field("content-length") == ["7"],
        "the forwarded length is not 7",
    )
}

fn no_credential(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    ensure(
        observed.upstream_field("authorization").is_empty(),
        "a credential went up",
    )
}

fn bit_exact(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    ensure(
        upstream_body(case) == observed.answer.body,
        "the body is not the upstream's",
    )
}

fn bytes_but_the_mask(case: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let body =
        String::from_utf8_lossy(upstream_body(case)).replace("\"912-04-7731\"", "\"[REDACTED]\"");
    ensure(
        body.as_bytes() == observed.answer.body,
        "more than the masked value differs",
    )
}

fn only_allow_listed(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let body: serde_json::Value =
        serde_json::from_slice(&observed.answer.body).map_err(|e| e.to_string())?;
    let names = body
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys());
    let known = ["id", "subject", "status", "items"];
    let unknown = names.filter(|name| !known.contains(&name.as_str())).count();
    ensure(unknown == 0, "a member that is not allow-listed left")
}

/// Whatever the value was, the answer is the same: body and length.
fn only_the_mask(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    const MASKED: &[u8] = b"{\"ssn\":\"[REDACTED]\"}";
    let length = observed.answer.field("content-length");
    ensure(
        observed.answer.body == MASKED && length == Some("20"),
        "the mask tells something of the value",
    )
}

/// A cursor that holds data may also be taken out: nothing here seals one.
fn no_cursor(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    member_is_gone("next", observed)
}

fn no_rendered_text(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    member_is_gone("rendered", observed)
}

fn member_is_gone(name: &str, observed: &Observed) -> Result<(), String> {
    let body: serde_json::Value =
        serde_json::from_slice(&observed.answer.body).map_err(|e| e.to_string())?;
    ensure(body.get(name).is_none(), "the member left")
}

fn no_gzip_extras(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let body = &observed.answer.body;
    let flags = if body.starts_with(&[0x1f, 0x8b]) {
        body[3]
    } else {
        0
    };
    ensure(flags == 0, "a gzip header with extra fields left")
}

fn not_compressed(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    ensure(
        observed.answer.field("content-encoding").is_none(),
        "compressed beside a chosen text",
    )
}

/// How many records of an answer reached the client: each of which so much as the first byte did. Records
/// are objects without objects in them, in a list or in lists of an object.
pub(super) fn records(answer: &Answer) -> u64 {
    if answer.problem().is_some() {
        return 0;
    }
    let objects = answer.body.iter().filter(|byte| **byte == b'{').count();
    let root = usize::from(answer.body.starts_with(b"{"));
    u64::try_from(objects - root).expect("few")
}

fn at_most_the_cap(_: &Case<'_>, observed: &Observed) -> Result<(), String> {
    let delivered = records(&observed.answer);
    if delivered <= CAP {
        return Ok(());
    }
    Err(format!("{delivered} records left, the cap is {CAP}"))
}

/// The upstream's body, as it was sent.
pub(super) fn upstream_body<'a>(case: &Case<'a>) -> &'a [u8] {
    super::messages::find(case.upstream, b"\r\n\r\n").map_or(&[], |at| &case.upstream[at + 4..])
}
