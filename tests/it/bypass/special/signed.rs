//! Policies that have to be signed: an older one that was signed once does not come back.

use std::path::Path;

use postern_audit::{KeyKind, Signer};
use postern_config::Revision;
use postern_proxy::reload::ReloadOutcome;
use tempfile::TempDir;

use crate::bypass::catalogue::cases;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::find;
use crate::bypass::records;
use crate::origin::{Answer, Origin};
use crate::postern::{Setting, Stage, request_as, try_start_there};

use super::swaps::with_and_without_rule;
use super::{Result, ensure};

const SSN: &str = "912-04-7731";

/// A policy, and what stands beside it.
struct Signed {
    policy: String,
    note: String,
}

/// What somebody with the key makes of a policy.
fn signed(signer: &Signer, version: u64, policy: &str) -> Signed {
    let keys = std::fs::read(cases().join("keys/jwks.json")).expect("keys");
    let parts = [("policy", policy.as_bytes()), ("identity.keys", &keys[..])];
    let digest = Revision::of_closure(&parts).digest();
    let note = signer.sign(format!("postern-policy/v1\n{version}\n{digest}\n"));
    Signed {
        policy: policy.to_owned(),
        note: note.to_string(),
    }
}

impl Signed {
    /// Puts it in place, the note first: what is in force stays so until the policy has come.
    fn put(&self, folder: &Path) {
        std::fs::write(folder.join("policy.yaml.note"), &self.note).expect("our own file");
        std::fs::write(folder.join("policy.yaml"), &self.policy).expect("our own file");
    }
}

/// B-367.
pub(super) async fn never_goes_back(suite: &Suite) -> Result {
    let signer = Signer::from_seed("desk.example.org", KeyKind::Log, &[7; 32]).expect("a key");
    let other = Signer::from_seed("desk.example.org", KeyKind::Log, &[8; 32]).expect("a key");
    let (strict, loose) = with_and_without_rule();
    let (old, new) = (signed(&signer, 7, &loose), signed(&signer, 8, &strict));
    let origin = Origin::scripted(vec![Answer::json(&format!(r#"{{"ssn":"{SSN}"}}"#))]).await;
    let stage = started(&old, &signer, &origin).await?;
    ensure(
        shows(&stage, suite).await,
        "control: the old policy shows it",
    )?;
    new.put(stage.folder.path());
    let outcome = stage.running.reloader().reload_now().await;
    // Postern may have seen it by itself a moment before.
    ensure(
        !matches!(outcome, ReloadOutcome::Refused { .. }) && !shows(&stage, suite).await,
        format!("a newer version: {outcome:?}"),
    )?;
    let unsigned = Signed {
        policy: loose.clone(),
        note: new.note.clone(),
    };
    let by_somebody_else = signed(&other, 9, &loose);
    let same_version = signed(&signer, 8, &loose);
    for (what, wrong, why) in [
        ("an older version", &old, "older than 8"),
        ("an unsigned one", &unsigned, "another policy was signed"),
        ("one of somebody else's", &by_somebody_else, "no known key"),
        (
            "another one as the same version",
            &same_version,
            "of its own",
        ),
    ] {
        wrong.put(stage.folder.path());
        let outcome = stage.running.reloader().reload_now().await;
        let refused = matches!(&outcome, ReloadOutcome::Refused { report } if report.contains(why));
        ensure(refused, format!("{what}: {outcome:?}"))?;
        ensure(!shows(&stage, suite).await, format!("{what}: is in force"))?;
    }
    a_restart_remembers(ended(stage).await?, suite, (&signer, &origin), &old).await?;
    Ok("passed")
}

/// A start with the older version is refused, and one with a newer one is not.
async fn a_restart_remembers(
    folder: TempDir,
    suite: &Suite,
    (signer, origin): (&Signer, &Origin),
    old: &Signed,
) -> std::result::Result<(), String> {
    let setting = setting(old, signer);
    let before = refusals(&folder)?;
    let again = try_start_there(folder, &setting, origin.address()).await;
    let Err((error, folder)) = again else {
        return Err("it started with an older version".to_owned());
    };
    let report = error.report(false);
    ensure(
        report.contains("older than 8"),
        format!("at a restart: {report}"),
    )?;
    let (strict, _) = with_and_without_rule();
    let newer = signed(signer, 9, &strict);
    let setting = self::setting(&newer, signer);
    let started = try_start_there(folder, &setting, origin.address()).await;
    let stage = started.map_err(|(error, _)| error.report(false))?;
    ensure(
        !shows(&stage, suite).await,
        "the newest version hides nothing",
    )?;
    // What is durable is published by whoever opens the log next.
    let Stage { running, folder } = stage;
    running.shutdown().await;
    ensure(
        refusals(&folder)? == before + 1,
        "the refusal at a start is not on record",
    )
}

fn setting(signed: &Signed, signer: &Signer) -> Setting {
    let jwks = std::fs::read_to_string(cases().join("keys/jwks.json")).expect("keys");
    Setting {
        policy: signed.policy.clone(),
        files: vec![
            ("policy.yaml.note".to_owned(), signed.note.clone()),
            ("jwks.json".to_owned(), jwks),
        ],
        lines: format!("policy_signers: \"{}\"\n", signer.key()),
        ..Setting::default()
    }
}

async fn started(
    signed: &Signed,
    signer: &Signer,
    origin: &Origin,
) -> std::result::Result<Stage, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let started = try_start_there(folder, &setting(signed, signer), origin.address()).await;
    started.map_err(|(error, _)| error.report(false))
}

/// Whether an agent is shown what the strict policy hides.
async fn shows(stage: &Stage, suite: &Suite) -> bool {
    let token = suite.tokens.good("agent");
    let answer = stage
        .send(&request_as(&token, "GET", "/api/cases/1", ("", "")))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    find(&answer.body, SSN.as_bytes()).is_some()
}

/// Stops, and looks whether what was refused is on record.
async fn ended(stage: Stage) -> std::result::Result<TempDir, String> {
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let refused = refusals(&folder)?;
    ensure(
        refused >= 4,
        format!("{refused} of 4 refusals are on record"),
    )?;
    Ok(folder)
}

/// How many policies were refused, as the audit log has it.
fn refusals(folder: &TempDir) -> std::result::Result<usize, String> {
    let events = records::events(&records::folder(folder.path()))?;
    let of_policies = events
        .iter()
        .filter(|event| event["entity"]["type"] == "policy");
    Ok(of_policies.filter(|event| event["status_id"] == 2).count())
}
