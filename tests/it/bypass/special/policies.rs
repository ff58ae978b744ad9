//! Policies that must not take effect: half-written, blank, huge, wrong, writable by anybody, missing.
//!
//! Each is tried on a running Postern, which has to say no and go on under the last good policy.

use std::os::unix::fs::PermissionsExt as _;

use crate::bypass::bodies;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::find;
use crate::bypass::stage::{self, Setting, Stage};
use crate::bypass::upstream::Script;

use super::swaps::with_and_without_rule;
use super::{Result, ensure};

const SSN: &str = "912-04-7731";

/// Reloads a policy that must be refused, and checks that the last good one still holds.
async fn refuses(
    stage: &Stage,
    suite: &Suite,
    policy: &str,
    what: &str,
) -> std::result::Result<(), String> {
    let answer = stage.reload(policy).await.bytes;
    let ok = answer.starts_with(b"HTTP/1.1 200");
    ensure(!ok && !answer.is_empty(), format!("{what}: was loaded"))?;
    holds(stage, suite, what).await
}

/// The strict policy is in force.
async fn holds(stage: &Stage, suite: &Suite, what: &str) -> std::result::Result<(), String> {
    let record = bodies::json(&format!(r#"{{"id":1,"ssn":"{SSN}"}}"#));
    stage.upstream.play(Script {
        bytes: record,
        ..Script::default()
    });
    let answer = stage
        .send(&stage.good_request(&suite.tokens), false)
        .await
        .bytes;
    let served = answer.starts_with(b"HTTP/1.1 200") && find(&answer, b"[REDACTED]").is_some();
    ensure(
        served && find(&answer, SSN.as_bytes()).is_none(),
        format!("{what}: the last good policy is gone"),
    )
}

async fn running() -> Stage {
    Stage::start(&Setting::policy("redact")).await
}

/// B-365: cut anywhere, the file is refused, or what is left of it shows an agent no more.
pub(super) async fn half_written(suite: &Suite) -> Result {
    let (strict, _) = with_and_without_rule();
    let stage = running().await;
    let record = bodies::json(&format!(r#"{{"id":1,"ssn":"{SSN}"}}"#));
    for at in (0..strict.len()).step_by(7) {
        let half: String = strict.chars().take(at).collect();
        stage.reload(&half).await;
        stage.upstream.play(Script {
            bytes: record.clone(),
            ..Script::default()
        });
        let answer = stage
            .send(&stage.good_request(&suite.tokens), false)
            .await
            .bytes;
        ensure(
            find(&answer, SSN.as_bytes()).is_none(),
            format!("cut at {at}: shows more"),
        )?;
    }
    Ok("passed")
}

/// B-368.
pub(super) async fn empty_or_blank(suite: &Suite) -> Result {
    let (strict, _) = with_and_without_rule();
    let stage = running().await;
    let blank = |field: &str| {
        let line = strict
            .lines()
            .find(|line| line.trim_start().starts_with(field))
            .expect("a field");
        strict.replacen(
            line,
            &format!("{}:", line.split(':').next().unwrap_or_default()),
            1,
        )
    };
    let mut tries = vec![
        ("empty".to_owned(), String::new()),
        ("white space".to_owned(), "\n\n  \n".to_owned()),
        ("null".to_owned(), "null\n".to_owned()),
        ("a list".to_owned(), "[]\n".to_owned()),
        ("no rule".to_owned(), "policy: v1\nname: x\n".to_owned()),
    ];
    for field in [
        "policy:",
        "issuer:",
        "audience:",
        "keys:",
        "roles:",
        "match: ANY",
        "$..ssn:",
    ] {
        tries.push((format!("blank {field}"), blank(field)));
    }
    for (what, policy) in tries {
        refuses(&stage, suite, &policy, &what).await?;
    }
    Ok("passed")
}

/// B-369: past the size limit, and within it but with a hundred thousand rules.
pub(super) async fn too_large(suite: &Suite) -> Result {
    let (strict, _) = with_and_without_rule();
    let stage = running().await;
    let padded = format!("{strict}{}", "# padding\n".repeat(200_000));
    refuses(&stage, suite, &padded, "2 MB").await?;
    let rules: String = (0..30_000)
        .map(|n| format!("      $..a{n}..b{n}: pii.ssn\n"))
        .collect();
    let many = strict.replacen(
        "      $..ssn: pii.ssn\n",
        &format!("      $..ssn: pii.ssn\n{rules}"),
        1,
    );
    // Whether it is refused or loaded, the rule that was there must hold.
    stage.reload(&many).await;
    holds(&stage, suite, "30,000 rules").await?;
    Ok("passed")
}

/// B-371.
pub(super) async fn invalid_selectors(suite: &Suite) -> Result {
    let (strict, _) = with_and_without_rule();
    let stage = running().await;
    for selector in [
        "$.",
        "$..",
        "ssn",
        "$[",
        "$['ssn]",
        "$[?@.a=]",
        "$[01]",
        "$.a.b.",
        "$[?length(@)]",
        "$.ssn ",
        "$[1:2:3:4]",
    ] {
        let policy = strict.replacen("$..ssn", &format!("\"{selector}\""), 1);
        refuses(&stage, suite, &policy, selector).await?;
    }
    Ok("passed")
}

/// B-374: a file that anybody may write, and one reached through a link into such a folder.
pub(super) async fn not_ours_to_trust(suite: &Suite) -> Result {
    let (_, loose) = with_and_without_rule();
    let stage = running().await;
    let file = stage.folder.path().join("policy.yaml");
    let mode = |path: &std::path::Path, bits: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits))
            .expect("our own file");
    };
    mode(&file, 0o666);
    refuses(&stage, suite, &loose, "a world-writable file").await?;
    std::fs::remove_file(&file).expect("our own file");
    let elsewhere = stage.folder.path().join("shared");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(elsewhere.join("policy.yaml"), &loose).expect("a file");
    mode(&elsewhere, 0o777);
    std::os::unix::fs::symlink(elsewhere.join("policy.yaml"), &file).expect("a link");
    refuses(&stage, suite, &loose, "a link into a world-writable folder").await?;
    Ok("passed")
}

/// B-375: no policy, no proxy.
pub(super) async fn gone_at_restart() -> Result {
    let stage = running().await;
    let text = stage::server_file(&Setting::policy("redact"), stage.upstream.address());
    std::fs::remove_file(stage.folder.path().join("policy.yaml")).expect("our own file");
    let again = stage::run(&text, stage.folder.path().to_owned()).await;
    ensure(again.is_err(), "it started without a policy")?;
    Ok("passed")
}

/// B-376: taking a rule out is a reload like any other: it loads, and the process lives.
pub(super) async fn a_rule_taken_out(suite: &Suite) -> Result {
    let (strict, loose) = with_and_without_rule();
    let stage = running().await;
    for policy in [&loose, &strict] {
        let answer = stage.reload(policy).await.bytes;
        ensure(
            answer.starts_with(b"HTTP/1.1 200"),
            "a good policy was refused",
        )?;
        stage.still_serves(&suite.tokens).await?;
    }
    holds(&stage, suite, "the rule put back").await?;
    Ok("passed")
}

/// B-380: a refused reload, then a restart on the same files. A bad policy at start is fatal
/// (specification 02, section 5): nothing is served rather than something wrong.
pub(super) async fn refused_and_restarted(suite: &Suite) -> Result {
    let stage = running().await;
    refuses(&stage, suite, "policy: v1\n", "a broken policy").await?;
    let text = stage::server_file(&Setting::policy("redact"), stage.upstream.address());
    let again = stage::run(&text, stage.folder.path().to_owned()).await;
    ensure(again.is_err(), "it started with a broken policy")?;
    Ok("passed")
}
