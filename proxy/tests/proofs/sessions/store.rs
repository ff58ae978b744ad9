//! A store server of the test's own on a free port of this machine, which makes every write durable.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};

use crate::process::free_port;

/// A running server. It is killed when dropped.
pub(super) struct StoreServer {
    program: &'static str,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl StoreServer {
    /// Starts a server; none where none is installed.
    pub(super) fn start() -> Option<Self> {
        let Some(program) = installed() else {
            let required = std::env::var("POSTERN_REQUIRE_SERVICES").is_ok_and(|is| is == "1");
            let reason = "neither valkey-server nor redis-server is installed";
            assert!(!required, "{reason}");
            println!("did not run: {reason}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..10 {
            let port = free_port().port();
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

    /// What a server file calls it.
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops it in its tracks: connections stay open, and nobody answers.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it, without any chance to write.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on what it had written.
    pub(super) fn restart(&mut self) {
        let started = launch(self.program, &self.folder, self.port);
        self.child = started.expect("its port is free again");
    }

    /// Gives it a command.
    pub(super) async fn tell(&self, command: &[&str]) {
        let mut call = redis::cmd(command[0]);
        call.arg(&command[1..]);
        let mut connection = self.connection().await;
        let done: redis::RedisResult<redis::Value> = call.query_async(&mut connection).await;
        done.unwrap();
    }

    /// Everything that is in it, names of keys among it.
    pub(super) async fn everything(&self) -> Vec<Vec<u8>> {
        let mut connection = self.connection().await;
        let all = redis::cmd("KEYS").arg("*").clone();
        let keys: Vec<Vec<u8>> = all.query_async(&mut connection).await.unwrap();
        let mut everything = Vec::new();
        for key in keys {
            let mut kind = redis::cmd("TYPE");
            let kind: String = kind.arg(&key).query_async(&mut connection).await.unwrap();
            let mut read = match kind.as_str() {
                "string" => redis::cmd("MGET"),
                "hash" => redis::cmd("HGETALL"),
                "zset" => redis::cmd("ZRANGE"),
                "set" => redis::cmd("SMEMBERS"),
                other => panic!("{other}: not known here"),
            };
            read.arg(&key);
            if kind == "zset" {
                read.arg(0).arg(-1).arg("WITHSCORES");
            }
            let values: Vec<Vec<u8>> = read.query_async(&mut connection).await.unwrap();
            everything.push(key);
            everything.extend(values);
        }
        everything
    }

    /// The files that it has written: every command that ever changed something.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn installed() -> Option<&'static str> {
    let mut programs = ["valkey-server", "redis-server"].into_iter();
    programs.find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}

/// Starts the program and waits until it says that it is ready; none when somebody else took the port.
fn launch(program: &str, folder: &tempfile::TempDir, port: u16) -> Option<Child> {
    let mut child = Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "yes"])
        .args(["--appendfsync", "always", "--dir"])
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
