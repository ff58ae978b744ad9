//! `postern fmt`: a tidy layout for policies; comments stay, and what a policy says never changes.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{Exit, Output};

/// The arguments of `postern fmt`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Change nothing; fail when a file would change
    #[arg(long)]
    check: bool,
    /// The policies; `-` reads standard input and writes standard output
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What came of one file; the worst of all files is the command's exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Tidy,
    WouldChange,
    Unreadable,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    if !output.is_human_or_json() {
        return Exit::Unreadable;
    }
    let outcomes = arguments
        .files
        .iter()
        .map(|path| one(path, arguments.check, output));
    match outcomes.max().unwrap_or(Outcome::Tidy) {
        Outcome::Tidy => Exit::Fine,
        Outcome::WouldChange => Exit::Findings,
        Outcome::Unreadable => Exit::Unreadable,
    }
}

fn one(path: &Path, check: bool, output: &Output) -> Outcome {
    let piped = path == Path::new("-");
    let read = if piped {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_length| text)
    } else {
        fs::read_to_string(path)
    };
    let text = match read {
        Ok(text) => text,
        Err(error) => {
            output.error(format_args!("cannot read `{}`: {error}", path.display()));
            return Outcome::Unreadable;
        }
    };
    let tidy = match postern_config::policy::format(&text) {
        Ok(tidy) => tidy,
        Err(mut errors) => {
            errors.file = path.display().to_string();
            output.report(&errors.render(output.colors_errors()));
            return Outcome::Unreadable;
        }
    };
    if check {
        return judge(path, tidy == text, output);
    }
    if piped {
        output.text(&tidy);
        return Outcome::Tidy;
    }
    if tidy != text {
        if let Err(error) = fs::write(path, &tidy) {
            output.error(format_args!("cannot write `{}`: {error}", path.display()));
            return Outcome::Unreadable;
        }
        output.note(format_args!("tidied {}", path.display()));
    }
    Outcome::Tidy
}

fn judge(path: &Path, tidy: bool, output: &Output) -> Outcome {
    if tidy {
        return Outcome::Tidy;
    }
    output.text(&format!("{} would change\n", path.display()));
    Outcome::WouldChange
}
