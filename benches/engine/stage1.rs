//! simdjson's first stage as a yardstick, where a C++ compiler and the library are installed.
//!
//! The program is compiled when the bench runs, and takes its turns in a process beside it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The compiled program.
#[derive(Debug)]
pub(crate) struct Stage1 {
    program: PathBuf,
}

/// The program with one document read.
#[derive(Debug)]
pub(crate) struct Passes {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Stage1 {
    /// Compiles the program; nothing when that is not possible here.
    pub(crate) fn compile(folder: &Path) -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("engine/stage1.cpp");
        let program = folder.join("stage1");
        let status = Command::new("c++")
            .args(["-std=c++17", "-O3", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-lsimdjson")
            .stderr(Stdio::null())
            .status();
        status.ok()?.success().then_some(Self { program })
    }

    /// Starts the program with a document.
    pub(crate) fn read(&self, document: &[u8]) -> Option<Passes> {
        let file = self.program.with_extension("json");
        std::fs::write(&file, document).ok()?;
        let mut process = Command::new(&self.program)
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        Some(Passes {
            orders: process.stdin.take()?,
            answers: BufReader::new(process.stdout.take()?),
            process,
        })
    }
}

impl Passes {
    /// One pass with the AVX2 code and one with the best code for this machine.
    pub(crate) fn pass(&mut self) -> [Option<Duration>; 2] {
        let mut answer = String::new();
        let asked = self
            .orders
            .write_all(b"\n")
            .and_then(|()| self.orders.flush());
        let read = asked.and_then(|()| self.answers.read_line(&mut answer));
        let mut times = answer.split_whitespace().map(|nanoseconds| {
            let nanoseconds = nanoseconds.parse().ok()?;
            Some(Duration::from_nanos(nanoseconds))
        });
        match read {
            Ok(_) => [times.next().flatten(), times.next().flatten()],
            Err(_) => [None, None],
        }
    }
}

impl Drop for Passes {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
