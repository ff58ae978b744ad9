//! Runs `postern` in a folder of its own and keeps what came of it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder with the demo's policy in it, as `policy.yaml`.
pub(crate) struct Folder(tempfile::TempDir);

/// A finished command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("policy.yaml", postern_proxy::demo::POLICY);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Runs `postern` with these arguments and nothing on standard input.
    pub(crate) fn postern(&self, arguments: &[&str]) -> Ran {
        self.postern_fed(arguments, b"")
    }

    /// Runs `postern` with these arguments and these bytes on standard input.
    pub(crate) fn postern_fed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        self.postern_onto(Stdio::piped(), arguments, input)
    }

    /// Runs `postern` with a standard output that has no room left.
    pub(crate) fn postern_onto_a_full_disk(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        self.postern_onto(full.into(), arguments, input)
    }

    fn postern_onto(&self, stdout: Stdio, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = command(self.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A command that refuses its arguments does not read.
        let feeding = std::thread::spawn(move || stdin.write_all(&input).is_ok());
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// `postern`, unaffected by the environment of whoever runs the tests.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .current_dir(folder)
        .env_remove("POSTERN_CONFIG")
        .env_remove("POSTERN_LOG")
        .env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
    }
    command
}

impl Ran {
    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
