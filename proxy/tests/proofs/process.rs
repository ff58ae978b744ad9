//! Postern as a process: a folder with a server file and a policy, started and stopped for real.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use super::client::Client;

/// A policy that replaces both personal fields of a case by one constant.
pub(crate) fn policy(constant: &str) -> String {
    format!(
        r#"policy: v1
name: proofs
identity: {{ from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }}
labels:
  pii: Personal data
routes:
  cases:
    match: [ "GET /cases/{{id}}", "GET /slow/{{ms}}" ]
    label:
      $.customer.name: pii
      $.customer.email: pii
  lists:
    match: [ "GET /big/{{mib}}", "GET /cut/{{bytes}}" ]
    label:
      $[*].customer.name: pii
      $[*].customer.email: pii
  everything_else:
    match: ANY /{{path...}}
    deny: true
roles:
  agent:
    sees:
      pii: {{ redact: {{ with: "{constant}" }} }}
"#
    )
}

/// A running Postern with a folder of its own; killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) data: SocketAddr,
    pub(crate) admin: SocketAddr,
    folder: tempfile::TempDir,
}

impl Process {
    /// Starts Postern in front of `origin` and waits until it is ready. `more` is added to the server
    /// file, and may refer to files that `prepare` wrote into the folder.
    pub(crate) async fn start(origin: SocketAddr, tls: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_in(folder, origin, tls).await
    }

    pub(crate) async fn start_in(
        folder: tempfile::TempDir,
        origin: SocketAddr,
        tls: Option<&str>,
    ) -> Self {
        Self::start_with(folder, origin, tls, &policy("old")).await
    }

    /// The same with a policy of one's own.
    pub(crate) async fn start_with(
        folder: tempfile::TempDir,
        origin: SocketAddr,
        tls: Option<&str>,
        policy: &str,
    ) -> Self {
        Self::start_as((folder, ""), origin, tls, policy).await
    }

    /// The same with further lines of the server file.
    pub(crate) async fn start_as(
        (folder, lines): (tempfile::TempDir, &str),
        origin: SocketAddr,
        tls: Option<&str>,
        policy: &str,
    ) -> Self {
        Self::start_under(&[], (folder, lines), origin, tls, policy).await
    }

    /// The same with further variables of the environment.
    pub(crate) async fn start_under(
        variables: &[(&str, String)],
        (folder, lines): (tempfile::TempDir, &str),
        origin: SocketAddr,
        tls: Option<&str>,
        policy: &str,
    ) -> Self {
        let listen = tls.map_or_else(String::new, |tls| format!("tls: {tls}"));
        Self::start_listening(&listen, variables, (folder, lines), origin, policy).await
    }

    /// The same with further keys of `listen`.
    pub(crate) async fn start_listening(
        listen: &str,
        variables: &[(&str, String)],
        (folder, lines): (tempfile::TempDir, &str),
        origin: SocketAddr,
        policy: &str,
    ) -> Self {
        let upstream = format!("http://{origin}");
        Self::start_between((listen, &upstream), variables, (folder, lines), policy).await
    }

    /// The same with the whole value of `upstream`.
    pub(crate) async fn start_between(
        (listen, upstream): (&str, &str),
        variables: &[(&str, String)],
        (folder, lines): (tempfile::TempDir, &str),
        policy: &str,
    ) -> Self {
        let (data, admin) = (free_port(), free_port());
        let server = format!(
            "listen: {{ address: \"{data}\", {listen} }}\nupstream: {upstream}\npolicy: policy.yaml\nadmin: {admin}\nstate: state\ndrain: 10s\n{lines}"
        );
        fs::write(folder.path().join("postern.yaml"), server).unwrap();
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["run", "-c", "postern.yaml"])
            .current_dir(folder.path())
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                fs::File::options()
                    .create(true)
                    .append(true)
                    .open(folder.path().join("stderr.log"))
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        let mut process = Self {
            child,
            data,
            admin,
            folder,
        };
        process.wait_until_ready().await;
        process
    }

    /// Lets another process take its place, and waits until it has.
    pub(crate) async fn upgraded(mut self) -> Self {
        let log = self.folder.path().join("stderr.log");
        let child = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["run", "-c", "postern.yaml", "--upgrade"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::options().append(true).open(log).unwrap())
            .spawn()
            .unwrap();
        let mut old = std::mem::replace(&mut self.child, child);
        let status = tokio::task::spawn_blocking(move || old.wait().unwrap());
        let status = status.await.unwrap();
        assert!(status.success(), "{status}: {}", self.log());
        self.wait_until_ready().await;
        self
    }

    /// What becomes of a Postern that is not to start: it has to stop by itself.
    pub(crate) async fn refusal(lines: &str, origin: SocketAddr, policy: &str) -> Output {
        let folder = tempfile::tempdir().unwrap();
        let (data, admin) = (free_port(), free_port());
        let server = format!(
            "listen: {data}\nupstream: http://{origin}\npolicy: policy.yaml\nadmin: {admin}\nstate: state\n{lines}"
        );
        fs::write(folder.path().join("postern.yaml"), server).unwrap();
        fs::write(folder.path().join("policy.yaml"), policy).unwrap();
        let running = tokio::process::Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["run", "-c", "postern.yaml"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let stopped = tokio::time::timeout(Duration::from_secs(60), running).await;
        stopped.expect("it runs and should not").unwrap()
    }

    /// How long its threads that still run have worked.
    pub(crate) fn worked(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let worked = tasks.filter_map(|task| {
            let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(worked.sum())
    }

    /// What `postern quotas list` says.
    pub(crate) fn quotas(&self) -> serde_json::Value {
        quotas(self.folder.path())
    }

    /// Every metric, as the admin listener tells them.
    pub(crate) async fn metrics(&self) -> String {
        let mut client = Client::connect(self.admin).await;
        client.send_to("/metrics", &self.admin.to_string()).await;
        String::from_utf8(client.response().await.body).unwrap()
    }

    /// The policy file.
    pub(crate) fn policy_path(&self) -> PathBuf {
        self.folder.path().join("policy.yaml")
    }

    /// Kills the process, as SIGKILL does it, and gives back its folder.
    pub(crate) fn killed(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Lets the process stop well, and gives back its folder.
    pub(crate) fn stopped(mut self) -> tempfile::TempDir {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Replaces the policy file in one step, as a deployment does.
    pub(crate) fn write_policy(&self, text: &str) {
        let staged = self.folder.path().join("policy.staged");
        fs::write(&staged, text).unwrap();
        fs::rename(staged, self.policy_path()).unwrap();
    }

    /// What `postern audit verify` says of its log.
    pub(crate) fn verified(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args(["audit", "verify"])
            .current_dir(self.folder.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs another `postern` in its folder.
    pub(crate) fn postern(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(arguments).current_dir(self.folder.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Runs `postern reload --wait` and returns its exit code.
    pub(crate) fn reload(&self) -> i32 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args(["reload", "--wait", "-c", "postern.yaml"])
            .current_dir(self.folder.path());
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .code()
            .unwrap()
    }

    /// How many files and sockets it has open, the connection that asks included.
    pub(crate) async fn open_files(&self) -> u64 {
        let metrics = self.metrics().await;
        let mut lines = metrics.lines();
        let line = lines.find_map(|line| line.strip_prefix("process_open_fds "));
        line.expect("the system counts them").parse().unwrap()
    }

    /// How many files it has open once it has settled: what it watches and where it can be replaced it opens when it
    /// is ready already, and whoever asked for that may not have left yet.
    pub(crate) async fn open_files_at_rest(&self) -> u64 {
        const SETTLED: u32 = 25;
        let (mut open, mut unchanged) = (self.open_files().await, 0);
        for _ in 0..1_500 {
            if unchanged == SETTLED {
                return open;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.open_files().await;
            unchanged = if now == open { unchanged + 1 } else { 0 };
            open = now;
        }
        panic!("its files never settle: {:#?}", self.what_is_open())
    }

    /// Waits until it has no more files open than it had once, now that nobody is connected.
    pub(crate) async fn lets_go_down_to(&self, base: u64) -> u64 {
        let mut open = self.open_files().await;
        for _ in 0..1_500 {
            if open <= base {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            open = self.open_files().await;
        }
        assert!(
            open <= base,
            "{open} files are open, {base} were: {:#?}\n{}",
            self.what_is_open(),
            self.log()
        );
        open
    }

    /// What its open files are, as the system names them.
    fn what_is_open(&self) -> Vec<PathBuf> {
        let folder = format!("/proc/{}/fd", self.child.id());
        let files = fs::read_dir(folder).unwrap().map_while(Result::ok);
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .collect()
    }

    /// What Postern wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr.log")).unwrap_or_default()
    }

    /// A figure of `/proc/PID/status` in KiB, such as `VmHWM`.
    pub(crate) fn memory_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "the signal was not sent");
    }

    /// Waits until `/readyz` answers 200; the process has no other way to say so.
    async fn wait_until_ready(&mut self) {
        for _ in 0..500 {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("postern stopped with {status}: {}", self.log());
            }
            if tokio::net::TcpStream::connect(self.admin).await.is_ok()
                && self.admin_status("/readyz").await == 200
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("postern did not become ready: {}", self.log());
    }

    async fn admin_status(&self, path: &str) -> u16 {
        let mut client = Client::connect(self.admin).await;
        client.send_to(path, &self.admin.to_string()).await;
        client.response().await.status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A free loopback port that nobody else takes: it lies below those that the system gives out, and each is
/// named once.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 12_000;
    const PORTS: u16 = 18_000;
    let own = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (own + next) % PORTS;
        if let Ok(free) = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return free.local_addr().unwrap();
        }
    }
}

/// What `postern quotas list` says in a folder, whether a Postern runs there or not.
pub(crate) fn quotas(folder: &Path) -> serde_json::Value {
    let ran = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["quotas", "list", "-o", "json"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    serde_json::from_slice(&ran.stdout).unwrap()
}
