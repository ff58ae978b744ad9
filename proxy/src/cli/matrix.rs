//! `postern matrix`: who sees what, roles across and labels down, who may ask what and how much may leave;
//! and its lock, which a review can hold a policy to.

mod lock;
mod questions;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use postern_config::Policy;
use serde_json::{Map, Value, json};

use crate::load;

use super::output::{Exit, Format, Output};
use super::{check, wording};

/// The arguments of `postern matrix`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy [default: the one the server file names]
    policy: Option<PathBuf>,
    /// Fail when the matrix differs from `matrix.lock` beside the policy
    #[arg(long, conflicts_with = "write")]
    locked: bool,
    /// Write `matrix.lock` beside the policy
    #[arg(long)]
    write: bool,
}

/// The lock's file name, in the folder of the policy.
const LOCK_FILE: &str = "matrix.lock";

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let (path, server) = match &arguments.policy {
        Some(path) => (path.clone(), None),
        None if !config.exists() => return output.no_server_file(config),
        None => match load::load_server(config) {
            Ok(server) => (load::base_of(config).join(&server.policy), Some(server)),
            Err(error) => return output.load_failure(&error),
        },
    };
    let loaded = match (check::load_offline(&path), server) {
        (Ok(loaded), _) => loaded,
        (Err(error), None) => return output.load_failure(&error),
        (Err(error), Some(server)) => {
            return output.load_failure(&error.of_policy_in(config, &server));
        }
    };
    let Some(policy) = loaded.compiled.policy() else {
        return Exit::Unreadable;
    };
    let lock_path = load::base_of(&path).join(LOCK_FILE);
    if arguments.write {
        return write(&lock_path, policy, output);
    }
    if arguments.locked {
        return compare(&lock_path, policy, output);
    }
    match output.format() {
        Format::Json => {
            let mut matrix = as_json(policy);
            if let Some(members) = matrix.as_object_mut() {
                members.insert(
                    "questions".to_owned(),
                    questions::as_json(policy, &loaded.compiled),
                );
                members.insert("quotas".to_owned(), wording::quotas_json(policy));
            }
            output.json(&matrix);
        }
        Format::Human | Format::Sarif | Format::Junit | Format::Github => {
            output.text(&format!(
                "{}{}{}",
                as_text(policy),
                questions::as_text(policy, &loaded.compiled),
                below(&wording::quota_table(policy)),
            ));
        }
    }
    Exit::Fine
}

/// The matrix as aligned text, with what happens to fields nobody labelled below it.
pub(super) fn as_text(policy: &Policy) -> String {
    let roles = policy.roles.keys().cloned();
    let mut rows = vec![std::iter::once(String::new()).chain(roles).collect()];
    for (label, _) in policy.labels.iter() {
        let name = std::iter::once(label.as_str().to_owned());
        let cells = policy
            .roles
            .values()
            .map(|role| wording::action(&policy.action(role, label).0));
        rows.push(name.chain(cells).collect());
    }
    format!("{}\n{}", wording::table(&rows), unlabelled(policy))
}

/// A further table, apart from what is above it.
fn below(table: &str) -> String {
    match table.is_empty() {
        true => String::new(),
        false => format!("\n{table}"),
    }
}

/// A line for each way a route treats fields nobody labelled.
fn unlabelled(policy: &Policy) -> String {
    let mut by_action: Vec<(&str, Vec<&str>)> = Vec::new();
    for route in policy.routes.iter().filter(|route| !route.deny) {
        let action = wording::unlabelled(route.unlabelled);
        match by_action.iter_mut().find(|(known, _)| *known == action) {
            Some((_, routes)) => routes.push(&route.name),
            None => by_action.push((action, vec![&route.name])),
        }
    }
    by_action
        .into_iter()
        .map(|(action, routes)| format!("without a label: {action} ({})\n", wording::list(routes)))
        .collect()
}

fn as_json(policy: &Policy) -> Value {
    let mut labels = Map::new();
    for (label, entry) in policy.labels.iter() {
        let cells: Map<String, Value> = policy
            .roles
            .iter()
            .map(|(name, role)| {
                let (action, because) = policy.action(role, label);
                let cell = json!({
                    "action": wording::action(&action),
                    "because": wording::because(&because),
                });
                (name.clone(), cell)
            })
            .collect();
        labels.insert(
            label.as_str().to_owned(),
            json!({ "about": entry.about, "roles": cells }),
        );
    }
    let routes: Map<String, Value> = policy
        .routes
        .iter()
        .filter(|route| !route.deny)
        .map(|route| {
            let action = json!(wording::unlabelled(route.unlabelled));
            (route.name.clone(), action)
        })
        .collect();
    json!({
        "policy": policy.name,
        "roles": policy.roles.keys().collect::<Vec<_>>(),
        "labels": labels,
        "unlabelled": routes,
    })
}

fn write(path: &Path, policy: &Policy, output: &Output) -> Exit {
    match fs::write(path, lock::text(policy)) {
        Ok(()) => {
            output.note(format_args!("wrote {}", path.display()));
            Exit::Fine
        }
        Err(error) => {
            output.error(format_args!("cannot write `{}`: {error}", path.display()));
            Exit::Unreadable
        }
    }
}

fn compare(path: &Path, policy: &Policy, output: &Output) -> Exit {
    let locked = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            output.error(format_args!(
                "there is no `{}`; `postern matrix --write` makes it",
                path.display()
            ));
            return Exit::Findings;
        }
        Err(error) => {
            output.error(format_args!("cannot read `{}`: {error}", path.display()));
            return Exit::Unreadable;
        }
    };
    let differences = lock::differences(&locked, &lock::text(policy));
    if output.format() == Format::Json {
        output.json(&json!({ "same": differences.is_empty(), "differences": differences }));
    } else {
        for line in &differences {
            output.text(&format!("{line}\n"));
        }
    }
    if differences.is_empty() {
        return Exit::Fine;
    }
    output.error(format_args!(
        "the matrix differs from `{}`; if that is meant, `postern matrix --write` accepts it",
        path.display()
    ));
    Exit::Findings
}
