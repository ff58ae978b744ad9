//! `postern check`: reads, resolves and lints a policy, or the server file and its policy, and says
//! which selectors stream and which hold something back.
//!
//! Exit 2 when something does not load, 3 when something it needs is not there or of no use, 1 when there are lint
//! findings, else 0. It makes and changes nothing. With `--offline` it needs neither keys nor network.

mod live;
mod needs;
mod summary;

use std::path::{Path, PathBuf};

use clap::Args;
use postern_config::server::Limits;
use postern_filters::PseudonymKeys;
use serde_json::json;

use crate::load::{self, LoadError, LoadedPolicy};
use crate::policy_signature;
use crate::start::engine_limits;

use super::findings::{self, Finding};
use super::output::{Exit, Format, Output};

/// The arguments of `postern check`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy [default: the server file and the policy it names]
    policy: Option<PathBuf>,
    /// Need neither keys nor network
    #[arg(long, conflicts_with = "live")]
    offline: bool,
    /// Also try to reach the upstream, the keys behind a URL and a shared store
    #[arg(long)]
    live: bool,
}

/// What came of a check.
#[derive(Default)]
struct Review {
    /// Errors that keep something from loading, and lints.
    findings: Vec<Finding>,
    /// What is needed and not there, or of no use.
    missing: Vec<Finding>,
    /// What loads, in words and as values.
    policy: Option<summary::Summary>,
    /// Something does not load.
    broken: bool,
    /// Reports for people, as the loader wrote them.
    reports: Vec<String>,
}

/// Loads a policy as commands do that need neither keys nor network.
pub(super) fn load_offline(path: &Path) -> Result<LoadedPolicy, LoadError> {
    let limits = engine_limits(&Limits::default());
    load::load_policy(path, PseudonymKeys::for_offline_use(), limits)
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    let mut review = Review::default();
    let checked = match &arguments.policy {
        Some(path) => {
            review.policy(load_offline(path), arguments.offline, output);
            if arguments.live {
                output.note("--live: a policy alone names no upstream; check the server file");
            }
            path.clone()
        }
        None if !config.exists() => return output.no_server_file(config),
        None => {
            review.server(config, arguments, output);
            config.to_owned()
        }
    };
    review.print(&checked.display().to_string(), output);
    review.exit()
}

impl Review {
    /// Checks a server file and the policy it names.
    fn server(&mut self, config: &Path, arguments: &Arguments, output: &Output) {
        let server = match load::load_server(config) {
            Ok(server) => server,
            Err(error) => return self.fails(&error, output),
        };
        let base = load::base_of(config);
        // Test keys, so that the rest can be checked where the real ones are absent. A server file that names none
        // has none.
        let keys = match server.pseudonym_keys.is_empty() {
            true => PseudonymKeys::default(),
            false => PseudonymKeys::for_offline_use(),
        };
        let path = base.join(&server.policy);
        let loaded = load::load_policy(&path, keys, engine_limits(&server.limits))
            .and_then(|loaded| policy_signature::judged(&server, base, loaded))
            .map_err(|error| error.of_policy_in(config, &server));
        let policy = loaded.as_ref().ok();
        let policy = policy.and_then(|loaded| loaded.compiled.policy());
        let file = config.display().to_string();
        if !arguments.offline {
            self.missing
                .extend(needs::start(&server, base, policy, &file));
        }
        let unreachable = match arguments.live {
            true => live::unreachable(&server, base, policy, &file),
            false => Vec::new(),
        };
        self.policy(loaded, arguments.offline, output);
        self.missing.extend(unreachable);
    }

    fn policy(&mut self, loaded: Result<LoadedPolicy, LoadError>, offline: bool, output: &Output) {
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return self.fails(&error, output),
        };
        let Some(policy) = loaded.compiled.policy() else {
            return;
        };
        let lints = policy.lints();
        if !lints.errors.is_empty() {
            self.findings.extend(Finding::of_report(lints));
            self.reports.push(lints.render(output.colors_errors()));
        }
        self.policy = Some(summary::Summary::of(&loaded, policy));
        if !offline {
            self.missing.extend(needs::identity_keys(loaded));
        }
    }

    fn fails(&mut self, error: &LoadError, output: &Output) {
        self.broken = true;
        self.findings.extend(Finding::of_load_error(error));
        self.reports.push(output.load_report(error));
    }

    fn print(&self, checked: &str, output: &Output) {
        let all: Vec<Finding> = self.findings.iter().chain(&self.missing).cloned().collect();
        match output.format() {
            Format::Human => self.print_for_people(output),
            Format::Json => output.json(&json!({
                "checked": checked,
                "loads": !self.broken,
                "policy": self.policy.as_ref().map(summary::Summary::as_json),
                "findings": all.iter().map(Finding::as_json).collect::<Vec<_>>(),
            })),
            Format::Sarif => output.json(&findings::sarif(&all)),
            Format::Junit => output.text(&findings::junit(checked, &all)),
            Format::Github => output.text(&findings::github(&all)),
        }
    }

    fn print_for_people(&self, output: &Output) {
        if let Some(summary) = &self.policy {
            output.summary(&summary.as_text());
        }
        for report in &self.reports {
            output.report(report);
        }
        for finding in &self.missing {
            let separator = if finding.file.is_empty() { "" } else { ": " };
            output.error(format_args!(
                "{}{separator}{}",
                finding.file, finding.message
            ));
        }
        if self.exit() == Exit::Fine {
            output.summary("nothing to complain about\n");
        }
    }

    fn exit(&self) -> Exit {
        if self.broken {
            Exit::Unreadable
        } else if !self.missing.is_empty() {
            Exit::Unreachable
        } else if !self.findings.is_empty() {
            Exit::Findings
        } else {
            Exit::Fine
        }
    }
}
