//! The command line: what each command is called, what it takes, and what its exit code means.
//!
//! | exit | meaning |
//! | --- | --- |
//! | 0 | fine |
//! | 1 | findings, or something differs |
//! | 2 | the input or the command line cannot be read, the result cannot be written, or the command is not in this build |
//! | 3 | what was asked for cannot be reached |
//! | 4 | the evidence does not verify |
//! | 74 | `run`: the audit log is damaged or was rolled back |
//! | 78 | `run`: another process has the audit log |
//!
//! All text leaves through one module, `output`. The commands hold no policy logic of their own: they call the
//! same load function and the same engine as the proxy.

mod admin_client;
mod audit;
mod bench;
mod check;
mod completions;
mod explain;
mod findings;
mod fmt;
mod later;
mod matrix;
mod output;
mod pseudonym;
mod quotas;
mod redact;
mod reload;
mod run;
mod schema;
mod serving_runtime;
mod sessions;
mod sign;
mod status;
mod tap;
mod top;
mod wording;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand};

use output::{Color, Exit, Format, Output};

/// The server file that is read when none is named.
const CONFIG_DEFAULT: &str = "postern.yaml";

/// A sidecar reverse proxy that redacts fields by role.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// The server file [default: postern.yaml]
    #[arg(
        short,
        long,
        global = true,
        env = "POSTERN_CONFIG",
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    /// How results are written
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value = "human",
        value_name = "FORMAT"
    )]
    output: Format,
    /// Whether to colour text
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    color: Color,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Log more; twice for much more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the proxy; with no server file, a demo case API, a demo policy and Postern in one process
    Run(run::Arguments),
    /// Read, resolve and lint a policy, or the server file and its policy
    Check(check::Arguments),
    /// Print who sees what: roles across, labels down
    Matrix(matrix::Arguments),
    /// Redact a document from standard input
    Redact(redact::Arguments),
    /// Print the tokens that a value has for a reader, one for each key
    Pseudonym(pseudonym::Arguments),
    /// Explain why a field is shown, masked or removed, or what an error code means
    Explain(explain::Arguments),
    /// Print the JSON Schema of policies, or of server files
    Schema(schema::Arguments),
    /// Tidy the layout of policies; comments stay
    Fmt(fmt::Arguments),
    /// Sign a policy with a version, for a Postern that takes only signed ones
    Sign(sign::Arguments),
    /// Ask a running Postern how it is
    Status(status::Arguments),
    /// Tell a running Postern to reload its policy
    Reload(reload::Arguments),
    /// Watch decisions as a running Postern makes them
    Tap(tap::Arguments),
    /// Show what is busiest in a running Postern, and what it costs
    Top(top::Arguments),
    /// List, show and reset what identities have used of their quotas
    Quotas(quotas::Arguments),
    /// List, show and end the sessions of people
    Sessions(sessions::Arguments),
    /// Verify, show and export the audit log, and cosign those of others
    Audit(audit::Arguments),
    /// Measure added latency, throughput and processor time against the bare upstream and a bare proxy
    Bench(Box<bench::Arguments>),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    #[command(flatten)]
    Later(later::Command),
}

/// Runs the command that `arguments` name (the first of them is the program) and gives its exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => return output::usage(&error).into(),
    };
    let output = Output::new(line.global.output, line.global.color, line.global.quiet);
    output.ended(dispatch(&line, &output)).into()
}

fn dispatch(line: &CommandLine, output: &Output) -> Exit {
    let global = &line.global;
    match &line.command {
        Command::Run(arguments) => run::run(arguments, global, output),
        Command::Check(arguments) => check::run(arguments, global.config(), output),
        Command::Matrix(arguments) => matrix::run(arguments, global.config(), output),
        Command::Redact(arguments) => redact::run(arguments, output),
        Command::Pseudonym(arguments) => pseudonym::run(arguments, global.config(), output),
        Command::Explain(arguments) => explain::run(arguments, output),
        Command::Schema(arguments) => schema::run(arguments, output),
        Command::Fmt(arguments) => fmt::run(arguments, output),
        Command::Sign(arguments) => sign::run(arguments, output),
        Command::Status(arguments) => status::run(arguments, global.config(), output),
        Command::Reload(arguments) => reload::run(arguments, global.config(), output),
        Command::Tap(arguments) => tap::run(arguments, global.config(), output),
        Command::Top(arguments) => top::run(arguments, global.config(), output),
        Command::Quotas(arguments) => quotas::run(arguments, global.config(), output),
        Command::Sessions(arguments) => sessions::run(arguments, global.config(), output),
        Command::Audit(arguments) => audit::run(arguments, global.config(), output),
        Command::Bench(arguments) => bench::run(arguments, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Later(command) => later::run(command, output),
    }
}

impl Global {
    /// The server file: as named, or the usual one.
    fn config(&self) -> &Path {
        self.config
            .as_deref()
            .unwrap_or_else(|| Path::new(CONFIG_DEFAULT))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
