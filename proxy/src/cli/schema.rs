//! `postern schema`: the JSON Schemas of policies and server files, for editors.

use super::output::{Exit, Output};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// That of server files instead
    #[arg(long)]
    server: bool,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    output.json(&match arguments.server {
        true => postern_config::server::schema(),
        false => postern_config::policy::schema(),
    });
    Exit::Fine
}
