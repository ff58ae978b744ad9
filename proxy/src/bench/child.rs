//! A process that a bench has started. It ends by itself when the bench is gone; one of this binary is also killed
//! when this is dropped.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child as Process, ChildStdin, Command};
use tokio::time::{sleep, timeout};

use super::BenchError;

/// How long a process may take to say where it listens.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// How often somebody else's program is asked whether it listens yet.
const START_TIME_STEP: Duration = Duration::from_millis(20);
/// How long it may take to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);
/// The variable by which the runtime learns how many threads it works with.
const THREADS: &str = "TOKIO_WORKER_THREADS";

/// A process that listens.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    input: Option<ChildStdin>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Child {
    /// Starts this binary with these arguments in a folder, and waits until it says on standard output where
    /// it listens. What it writes to standard error goes to a file of the folder.
    pub(super) async fn start(
        name: &str,
        arguments: &[String],
        folder: &Path,
        threads: usize,
    ) -> Result<Self, BenchError> {
        let failed = |reason: String| BenchError::Start {
            name: name.to_owned(),
            reason,
        };
        let binary = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let log = folder.join(format!("{name}.log"));
        let errors = File::create(&log).map_err(BenchError::Folder)?;
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .current_dir(folder)
            .env(THREADS, threads.to_string())
            .env_remove("POSTERN_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true);
        for (variable, _) in std::env::vars_os() {
            // Nothing is exported: that would be another row.
            if variable.to_string_lossy().starts_with("OTEL_") {
                command.env_remove(variable);
            }
        }
        let mut process = command.spawn().map_err(|error| failed(error.to_string()))?;
        let input = process.stdin.take();
        let address = timeout(START_TIME_MAX, address(&mut process)).await;
        let Some(address) = address.ok().flatten() else {
            return Err(failed(last_line(&log)));
        };
        Ok(Self {
            process,
            input,
            address,
        })
    }

    /// Starts somebody else's program, and waits until it listens at `address`. What it writes goes to a file of the
    /// folder. It is not killed when this is dropped: it ends with its standard input, and whatever it has started
    /// ends with it, which nobody could see to who is killed.
    pub(super) async fn of_others(
        name: &str,
        command: &mut Command,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let failed = |reason: String| BenchError::Start {
            name: name.to_owned(),
            reason,
        };
        let log = folder.join(format!("{name}.log"));
        let errors = File::create(&log).map_err(BenchError::Folder)?;
        let output = errors.try_clone().map_err(BenchError::Folder)?;
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let mut process = command.spawn().map_err(|error| failed(error.to_string()))?;
        let input = process.stdin.take();
        let listens = timeout(START_TIME_MAX, listens(&mut process, address)).await;
        if !listens.unwrap_or(false) {
            return Err(failed(last_line(&log)));
        }
        Ok(Self {
            process,
            input,
            address,
        })
    }

    /// The process's number; none when it has ended.
    pub(super) fn number(&self) -> Option<u32> {
        self.process.id()
    }

    /// Has it stop, and kills it when that takes too long.
    pub(super) async fn close(mut self) {
        self.input = None;
        if timeout(STOP_TIME_MAX, self.process.wait()).await.is_err() {
            // One that cannot be killed has ended.
            self.process.kill().await.unwrap_or_default();
        }
    }
}

/// Whether there is somebody at an address before the process ends.
async fn listens(process: &mut Process, address: SocketAddr) -> bool {
    while TcpStream::connect(address).await.is_err() {
        if !matches!(process.try_wait(), Ok(None)) {
            return false;
        }
        sleep(START_TIME_STEP).await;
    }
    true
}

/// The address on the first line of standard output.
async fn address(process: &mut Process) -> Option<SocketAddr> {
    let output = process.stdout.take()?;
    let mut lines = BufReader::new(output).lines();
    lines.next_line().await.ok()??.parse().ok()
}

/// What a process said last about why it does not start.
fn last_line(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let line = said.lines().rfind(|line| !line.trim().is_empty());
    line.unwrap_or("it said nothing").trim().to_owned()
}
