//! A Valkey or Redis server of the test's own, on a free port of this machine, that keeps nothing on disk.
//!
//! Where none is installed, entries that need one say that they did not run; with
//! `POSTERN_REQUIRE_SERVICES=1` they fail.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How long the server may take to answer one of our own commands.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running server. It is killed when dropped.
pub(super) struct StoreServer {
    port: u16,
    child: Child,
}

impl StoreServer {
    /// Starts a server; none where none is installed.
    pub(super) async fn start() -> Result<Option<Self>, String> {
        let Some(program) = installed() else {
            let required = std::env::var("POSTERN_REQUIRE_SERVICES").is_ok_and(|is| is == "1");
            let reason = "neither valkey-server nor redis-server is installed";
            println!("did not run: {reason}");
            return if required {
                Err(reason.to_owned())
            } else {
                Ok(None)
            };
        };
        for _ in 0..10 {
            let mut server = Self::launch(program, free_port().await)?;
            for _ in 0..100 {
                if server.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                    // Somebody else took the port meanwhile.
                    break;
                }
                if server
                    .command("PING")
                    .await
                    .is_ok_and(|answer| answer == "+PONG")
                {
                    return Ok(Some(server));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Err(format!("{program} does not start"))
    }

    fn launch(program: &str, port: u16) -> Result<Self, String> {
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        Ok(Self { port, child })
    }

    /// What a server file calls it.
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Gives it a command that it has to accept.
    pub(super) async fn tell(&self, command: &str) -> Result<(), String> {
        let answer = self.command(command).await?;
        if answer == "+OK" {
            return Ok(());
        }
        Err(format!("{command}: {answer}"))
    }

    async fn command(&self, command: &str) -> Result<String, String> {
        let talking = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream
                .write_all(format!("{command}\r\n").as_bytes())
                .await?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n") && stream.read_buf(&mut answer).await? > 0 {}
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).trim_end().to_owned())
        };
        let answer = timeout(PATIENCE, talking).await;
        answer
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }

    /// Stops it in its tracks: connections stay open, and nobody answers.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it.
    pub(super) fn end(&mut self) {
        // It may have ended by itself: what counts is that it is gone.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("our own child");
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn installed() -> Option<&'static str> {
    let mut programs = ["valkey-server", "redis-server"].into_iter();
    programs.find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("bound").port()
}
