//! Verifies a copy of an audit log, offline, without the proxy.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use postern_audit::verify_folder;

const USAGE: &str = "\
postern-verify --dir DIR --policy FILE [--since CHECKPOINT] [--anchor CHECKPOINT]...

Verifies the audit log in DIR by a trust policy (C2SP tlog-policy). Checkpoints that were kept elsewhere
have to be beginnings of it. Exit codes: 0 ok, 4 tampered, 1 incomplete or unanchored, 2 unreadable or usage.
";

/// What the command line says.
#[derive(Default)]
struct Arguments {
    dir: Option<PathBuf>,
    policy: Option<PathBuf>,
    anchors: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let code = match parse(std::env::args_os().skip(1)) {
        Some((dir, policy, anchors)) => verify_folder(&dir, &policy, &anchors, &mut out),
        None => out.write_all(USAGE.as_bytes()).map(|()| 2),
    };
    code.map_or_else(|_unwritten| ExitCode::from(2), ExitCode::from)
}

fn parse(mut words: impl Iterator<Item = OsString>) -> Option<(PathBuf, PathBuf, Vec<PathBuf>)> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        let value = PathBuf::from(words.next()?);
        match word.to_str()? {
            "--dir" => arguments.dir = Some(value),
            "--policy" => arguments.policy = Some(value),
            "--since" | "--anchor" => arguments.anchors.push(value),
            _ => return None,
        }
    }
    Some((arguments.dir?, arguments.policy?, arguments.anchors))
}
