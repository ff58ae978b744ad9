//! Commands that the command line already names and this build does not have yet. They say so and
//! fail, so that no script mistakes their silence for success.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::output::{Exit, Output};

/// A command that is not in this build yet.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run policy tests (not in this build yet)
    Test(Rest),
    /// Say what gets stricter and what looser between two policies (not in this build yet)
    Diff(Rest),
    /// Put recorded decisions through a candidate policy (not in this build yet)
    Replay(Rest),
    /// Watch traffic and write a draft policy (not in this build yet)
    Discover(Rest),
    /// List, approve and end grants (not in this build yet)
    Grants(Rest),
}

/// Whatever follows such a command.
#[derive(Debug, Args)]
pub(super) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

pub(super) fn run(command: &Command, output: &Output) -> Exit {
    let (name, Rest { rest: _ }) = match command {
        Command::Test(rest) => ("test", rest),
        Command::Diff(rest) => ("diff", rest),
        Command::Replay(rest) => ("replay", rest),
        Command::Discover(rest) => ("discover", rest),
        Command::Grants(rest) => ("grants", rest),
    };
    output.error(format_args!("`{name}` is not in this build yet"));
    Exit::Unreadable
}
