//! `postern fmt`: a tidy layout for policies; comments stay, and what a policy says never changes. A file is replaced
//! whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
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
        if let Err(error) = replace(path, &tidy) {
            output.error(format_args!("cannot write `{}`: {error}", path.display()));
            return Outcome::Unreadable;
        }
        output.note(format_args!("tidied {}", path.display()));
    }
    Outcome::Tidy
}

/// Puts a text in a file's place, with its owner and mode: whoever has the file has it until the text is on disk.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Where a link leads.
    let path = path.canonicalize()?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)?;
    let replaced = fill(file, &fs::metadata(&path)?, text).and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        fs::remove_file(&beside).unwrap_or_default();
    }
    replaced
}

fn fill(mut file: File, like: &fs::Metadata, text: &str) -> io::Result<()> {
    // Only who may give files away has to: what others make is theirs.
    std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid())).unwrap_or_default();
    file.set_permissions(like.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn judge(path: &Path, tidy: bool, output: &Output) -> Outcome {
    if tidy {
        return Outcome::Tidy;
    }
    output.text(&format!("{} would change\n", path.display()));
    Outcome::WouldChange
}
