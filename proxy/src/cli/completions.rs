//! `postern completions`: a completion script for a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::CommandLine;
use super::output::{Exit, Output};

/// The arguments of `postern completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut CommandLine::command(),
        "postern",
        &mut script,
    );
    output.bytes(&script);
    Exit::Fine
}
