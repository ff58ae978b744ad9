//! A real server for the tests of the shared store: Valkey or Redis, whichever is installed, on a free
//! port of this machine, with its data in a folder of the test.
//!
//! Where none is installed, the tests that need one say that they did not run; with
//! `POSTERN_REQUIRE_SERVICES=1` they fail.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::samples::folder;

/// A running server. It is killed when dropped.
pub(crate) struct Server {
    program: &'static str,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Server {
    /// Starts a server that makes each write durable; none where no server is installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = installed() else {
            let required = std::env::var("POSTERN_REQUIRE_SERVICES").is_ok_and(|is| is == "1");
            assert!(
                !required,
                "neither valkey-server nor redis-server is installed"
            );
            println!("did not run: neither valkey-server nor redis-server is installed");
            return None;
        };
        let folder = folder();
        for _ in 0..10 {
            let port = free_port();
            if let Some(child) = launch(program, &folder, port) {
                return Some(Self {
                    program,
                    folder,
                    port,
                    child,
                });
            }
        }
        panic!("{program} does not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Kills the server, without any chance to write, and starts it on what it had written.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        for _ in 0..10 {
            if let Some(child) = launch(self.program, &self.folder, self.port) {
                self.child = child;
                return;
            }
        }
        panic!("{} does not start again", self.program);
    }

    /// Stops the server in its tracks: connections stay open, and nobody answers.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills the server, without any chance to write.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn installed() -> Option<&'static str> {
    ["valkey-server", "redis-server"]
        .into_iter()
        .find(|program| {
            let version = Command::new(program).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts the program and waits until it says that it is ready.
fn launch(program: &str, folder: &tempfile::TempDir, port: u16) -> Option<Child> {
    let mut child = Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args([
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("Ready to accept connections"));
    if !ready {
        child.wait().unwrap();
        return None;
    }
    // The server must not block on a pipe that nobody reads.
    std::thread::spawn(move || lines.for_each(drop));
    Some(child)
}
