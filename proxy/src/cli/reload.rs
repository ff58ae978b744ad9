//! `postern reload`: tells a running Postern to read its policy again.
//!
//! The admin listener answers when the reload is over, so that the exit code says how it went; `--wait`
//! says in a script that this is meant.

use std::path::Path;

use clap::Args;
use http::{Method, StatusCode};
use serde_json::Value;

use super::admin_client::{AdminClient, AskError};
use super::output::{Exit, Format, Output};

/// The arguments of `postern reload`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Wait until the reload is over (always so in this build)
    #[arg(long)]
    wait: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path, output: &Output) -> Exit {
    let Arguments { wait: _ } = arguments;
    AdminClient::run(config, output, |client| {
        let (status, answer) = client.ask(Method::POST, "/reload")?;
        Ok::<_, AskError>(tell(status, &answer, output))
    })
}

fn tell(status: StatusCode, answer: &Value, output: &Output) -> Exit {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let exit = match (status, text("outcome")) {
        (StatusCode::OK, Some(_)) => Exit::Fine,
        (StatusCode::UNPROCESSABLE_ENTITY, Some(_)) => Exit::Unreadable,
        (_, _) => Exit::Unreachable,
    };
    if output.format() == Format::Json {
        output.json(answer);
        return exit;
    }
    match (text("outcome"), text("revision"), text("report")) {
        (Some("refused"), _, report) => {
            output.report(report.unwrap_or_default());
            output.error("the new policy was refused; the one in force stays");
        }
        (Some(outcome), revision, _) => {
            output.summary(&format!(
                "{outcome}: revision {}\n",
                revision.unwrap_or("-")
            ));
        }
        (None, _, _) => output.error(format_args!("the admin listener answers {status}")),
    }
    exit
}
