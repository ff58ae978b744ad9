//! Proofs of possession: a handle that is bound to a key is worth nothing without a proof that is made for the
//! request, by that key, and used once.
//!
//! The catalogue writes the credential as a bearer token; here it is a handle, as `Authorization: DPoP` with its
//! proof beside it. Every bad proof is shown for a session that a good one opens before and after.

use std::time::UNIX_EPOCH;

use postern_proxy::clock::{Clock as _, SystemClock};

use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::{self, Run, Suite};
use crate::bypass::observed::Observed;
use crate::bypass::stage::{Setting, Stage};
use crate::bypass::tokens::proofs::{For, KeyHolder};
use crate::bypass::visitors;

use super::server::StoreServer;
use super::{Result, ensure};

const POLICY: &str = "bound";

/// Runs one entry.
pub(super) async fn run(suite: &Suite, entry: &Entry) -> Result {
    match entry.id.as_str() {
        "B-330" => replayed(suite, entry).await,
        "B-331" => sweep(suite, entry, "dpop_htu").await,
        "B-332" => sweep(suite, entry, "dpop_ath").await,
        "B-334" => sweep(suite, entry, "dpop_alg").await,
        "B-336" => by_another_key(suite, entry).await,
        other => Err(format!("{other} has no driver")),
    }
}

pub(super) fn now() -> u64 {
    let since = SystemClock.wall().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

/// Where a client knows the entries' case to be.
pub(super) fn target(stage: &Stage) -> String {
    format!("http://{}/api/cases/1", stage.host())
}

/// Credential and proof, as fields.
fn fields(handle: &str, proof: &str) -> String {
    format!("Authorization: DPoP {handle}\r\nDPoP: {proof}")
}

/// An agent's handle, bound to a key by a first good request.
async fn bound(
    suite: &Suite,
    stage: &Stage,
    holder: &KeyHolder,
) -> std::result::Result<String, String> {
    let handle = visitors::sign_in(stage, &suite.tokens, "agent", "").await?;
    is_let_in(stage, holder, &handle, "the first proof").await?;
    Ok(handle)
}

/// A good proof opens the session.
async fn is_let_in(
    stage: &Stage,
    holder: &KeyHolder,
    handle: &str,
    what: &str,
) -> std::result::Result<(), String> {
    let target = target(stage);
    let (target, now) = (target.as_str(), now());
    let of = For {
        target,
        handle,
        now,
    };
    let fields = format!("{}\r\n", fields(handle, &holder.proof(of)));
    let answer = visitors::ask_for_a_case(stage, &fields).await?;
    ensure(
        answer.status() == 200,
        format!("{what}: a good proof got {}", answer.status()),
    )
}

/// The entry's request with this credential, as it is judged.
async fn judged(
    suite: &Suite,
    stage: &Stage,
    entry: &Entry,
    credential: &str,
) -> (Observed, Result) {
    let mut entry = entry.clone();
    for part in &mut entry.request.parts {
        let line = part
            .data
            .lines()
            .find(|line| line.starts_with("Authorization:"));
        if let Some(line) = line.map(str::to_owned) {
            part.data = part.data.replace(&line, "{{V}}");
        }
    }
    let run = Run {
        entry: &entry,
        variant: Some(credential.to_owned()),
        credential: None,
        body: None,
    };
    let host = stage.host();
    let fill = exchange::fill(suite, &run, &host);
    let script = exchange::script(&run, &fill);
    exchange::judged(suite, stage, POLICY, (&run, &fill), script).await
}

/// Bad proofs are refused and leave the session to its holder; near misses are good.
async fn sweep(suite: &Suite, entry: &Entry, name: &str) -> Result {
    let stage = Stage::start(&Setting::policy(POLICY)).await;
    let (holder, target) = (KeyHolder::new(), target(&stage));
    let handle = bound(suite, &stage, &holder).await?;
    let of = For {
        target: &target,
        handle: &handle,
        now: now(),
    };
    for (what, proof, is_good) in holder.malformed(name, of) {
        let (observed, outcome) = judged(suite, &stage, entry, &fields(&handle, &proof)).await;
        if is_good {
            let status = observed.answer.status();
            ensure(status == 200, format!("{what}: a near miss got {status}"))?;
            continue;
        }
        outcome.map_err(|reason| format!("{what}: {reason}"))?;
        challenges(&observed, "invalid_dpop_proof").map_err(|why| format!("{what}: {why}"))?;
        is_let_in(&stage, &holder, &handle, &what).await?;
    }
    visitors::are_secret(suite, &stage).await?;
    Ok("blocked")
}

/// What a refused client is told (RFC 9449 section 7.1).
fn challenges(observed: &Observed, code: &str) -> std::result::Result<(), String> {
    let field = observed
        .answer
        .field("www-authenticate")
        .unwrap_or_default();
    ensure(
        field.starts_with("DPoP ") && field.contains(code),
        format!("it is told `{field}`"),
    )
}

/// B-330: a proof is good once: at the same Postern, and at another that shares its store.
async fn replayed(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy(POLICY)).await;
    replayed_at(suite, entry, (&stage, &stage)).await?;
    let Some(server) = StoreServer::start().await? else {
        return Ok("not run on replicas: no store server is installed");
    };
    let setting = Setting {
        store: Some(server.url()),
        ..Setting::policy(POLICY)
    };
    let (one, other) = (Stage::start(&setting).await, Stage::start(&setting).await);
    replayed_at(suite, entry, (&one, &other)).await?;
    Ok("blocked")
}

async fn replayed_at(
    suite: &Suite,
    entry: &Entry,
    (first, second): (&Stage, &Stage),
) -> std::result::Result<(), String> {
    let holder = KeyHolder::new();
    let handle = bound(suite, first, &holder).await?;
    // One that both are known by.
    let of = For {
        target: "http://127.0.0.1/api/cases/1",
        handle: &handle,
        now: now(),
    };
    let once = fields(&handle, &holder.proof(of));
    let (observed, _) = judged(suite, first, entry, &once).await;
    let status = observed.answer.status();
    ensure(status == 200, format!("a proof's first use got {status}"))?;
    for stage in [second, first] {
        let (observed, outcome) = judged(suite, stage, entry, &once).await;
        outcome?;
        challenges(&observed, "invalid_dpop_proof")?;
    }
    is_let_in(second, &holder, &handle, "after the replays").await?;
    visitors::are_secret(suite, first).await
}

/// B-336: a good proof by another key than the session's; it is refused, and the session ends, since somebody else
/// holds its handle.
async fn by_another_key(suite: &Suite, entry: &Entry) -> Result {
    let stage = Stage::start(&Setting::policy(POLICY)).await;
    let (holder, thief, target) = (KeyHolder::new(), KeyHolder::new(), target(&stage));
    let handle = bound(suite, &stage, &holder).await?;
    let of = For {
        target: &target,
        handle: &handle,
        now: now(),
    };
    let (_, outcome) = judged(suite, &stage, entry, &fields(&handle, &thief.proof(of))).await;
    outcome?;
    let after = is_let_in(&stage, &holder, &handle, "afterwards").await;
    ensure(after.is_err(), "the session goes on in two hands")?;
    // The thief's key under the holder's signature, and the holder's under the thief's.
    let handle = bound(suite, &stage, &holder).await?;
    let of = For {
        handle: &handle,
        ..of
    };
    for (one, other) in [(&holder, &thief), (&thief, &holder)] {
        let proof = one.changed(of, |header, _claims| header["jwk"] = other.public().clone());
        let (observed, outcome) = judged(suite, &stage, entry, &fields(&handle, &proof)).await;
        outcome?;
        challenges(&observed, "invalid_dpop_proof")?;
    }
    is_let_in(&stage, &holder, &handle, "after what is no proof").await?;
    visitors::are_secret(suite, &stage).await?;
    Ok("blocked")
}
