//! `postern audit keys`: what verifiers, witnesses and peers need to know. `postern audit rotate-key`: another
//! key signs from now on.
//!
//! A running Postern changes its key itself, asked through the admin listener; where none runs, the log is
//! opened for that moment. Verifiers follow by themselves; witnesses and peers have to be told the new key.

use std::path::Path;
use std::sync::Arc;

use http::{Method, StatusCode};
use postern_audit::OnDamage;
use postern_config::Server;
use postern_config::server::AuditLog;
use prometheus::Registry;
use serde_json::{Value, json};

use super::{KEYS, read};
use crate::cli::admin_client::{AdminClient, AskError};
use crate::cli::output::{Exit, Format, Output};
use crate::clock::SystemClock;
use crate::evidence::{Evidence, EvidenceError, Opening, witness_key};
use crate::load;

/// What has to be done with a new key.
const TELL: &str = "hand the new key to whoever cosigns this log; verifiers follow from the first one by themselves";

pub(super) fn show(config: &Path, output: &Output) -> Result<Exit, String> {
    let (server, audit) = log_of(config)?;
    let base = load::base_of(config);
    let log = read(&base.join(&audit.dir).join(KEYS))?;
    let log = String::from_utf8_lossy(&log).into_owned();
    let witness = match audit.peers.is_empty() {
        true => None,
        false => Some(
            witness_key(&base.join(&server.state), &audit.domain)
                .map_err(|error| error.to_string())?
                .to_string(),
        ),
    };
    match output.format() {
        Format::Json => output.json(&json!({
            "log": log.lines().collect::<Vec<_>>(),
            "witness": witness,
        })),
        Format::Human | Format::Sarif | Format::Junit | Format::Github => {
            for key in log.lines() {
                output.text(&format!("log {key}\n"));
            }
            if let Some(key) = witness {
                output.text(&format!("witness {key}\n"));
            }
        }
    }
    Ok(Exit::Fine)
}

pub(super) fn rotate(config: &Path, output: &Output) -> Result<Exit, String> {
    let (server, audit) = log_of(config)?;
    let client = AdminClient::of_server_file(config).map_err(|error| error.to_string())?;
    match client.ask(Method::POST, "/audit/rotate-key") {
        Ok((StatusCode::OK, answer)) => Ok(tell(&answer, output)),
        Ok((_, answer)) => {
            let error = answer.get("error").and_then(Value::as_str);
            output.error(error.unwrap_or("the running Postern does not change its key"));
            Ok(Exit::Unreachable)
        }
        Err(AskError::Token { .. } | AskError::NoAnswer { .. }) => {
            stopped(&server, &audit, config, output)
        }
        Err(error @ AskError::Refused { .. }) => {
            output.error(error);
            Ok(Exit::Unreachable)
        }
    }
}

/// No Postern answers: opens the log as one would that starts, changes the key and closes it.
fn stopped(
    server: &Server,
    audit: &AuditLog,
    config: &Path,
    output: &Output,
) -> Result<Exit, String> {
    let base = load::base_of(config);
    let opening = Opening {
        audit,
        on_damage: OnDamage::Refuse,
        base,
        state: &base.join(&server.state),
        clock: Arc::new(SystemClock),
        disk: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let rotated = runtime.block_on(async {
        let evidence = Evidence::start(opening, &Registry::new()).await?;
        let log = evidence.clone();
        let rotating = tokio::task::spawn_blocking(move || log.rotate_key()).await;
        evidence.close().await;
        Ok::<_, EvidenceError>(rotating.ok().flatten())
    });
    match rotated {
        Ok(Some(Ok((key, index)))) => Ok(tell(&json!({ "key": key, "index": index }), output)),
        Ok(Some(Err(error))) => Err(error.to_string()),
        Ok(None) => Err("the key could not be changed because of a fault in Postern".to_owned()),
        Err(error) => {
            output.error(&error);
            Ok(match error {
                EvidenceError::Log(error) => Exit::of_log(&error),
                EvidenceError::Folder { .. }
                | EvidenceError::HashKey { .. }
                | EvidenceError::Seed { .. }
                | EvidenceError::Anchor { .. }
                | EvidenceError::Fault => Exit::Unreadable,
            })
        }
    }
}

fn tell(answer: &Value, output: &Output) -> Exit {
    match output.format() {
        Format::Json => output.json(answer),
        Format::Human | Format::Sarif | Format::Junit | Format::Github => {
            let key = answer.get("key").and_then(Value::as_str);
            output.text(&format!("log {}\n", key.unwrap_or_default()));
            output.note(TELL);
        }
    }
    Exit::Fine
}

fn log_of(config: &Path) -> Result<(Server, AuditLog), String> {
    let server = load::load_server(config).map_err(|error| error.report(false))?;
    let audit = server.audit.clone();
    let audit = audit.ok_or("the server file says `audit: off`: there is no log")?;
    Ok((server, audit))
}
