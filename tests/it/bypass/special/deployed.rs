//! Postern as a process of its own: what it listens on, what it writes and what it leaves behind.
//!
//! This package has no program. The test binary starts itself again, and runs the command line where a variable says so.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use crate::bypass::messages::find;
use crate::origin::{Answer, Origin};
use crate::postern::{IDENTITY, POLICY, key_file, token};
use crate::secure::Authority;

use super::{Result, ensure};

/// What the process is to do: the arguments of `postern`.
const AS_PROGRAM: &str = "POSTERN_IT_AS_PROGRAM";
/// What must be in no file that the process leaves.
const SSN: &str = "912-04-7731";

#[test]
fn stands_in_for_the_program() {
    let Ok(arguments) = std::env::var(AS_PROGRAM) else {
        return;
    };
    let words = std::iter::once("postern").chain(arguments.split(' '));
    let exit = postern_proxy::cli::main(words.map(Into::into));
    println!("dumpable: {:?}", rustix::process::dumpable_behavior());
    assert_eq!(exit, ExitCode::SUCCESS);
}

/// A running process in a folder of its own; it is killed when dropped.
pub(super) struct Deployed {
    child: Child,
    folder: TempDir,
    authority: Authority,
    _origin: Origin,
    data: SocketAddr,
    admin: SocketAddr,
}

impl Deployed {
    /// Starts it behind a shell that allows core dumps and sets these variables (`A=b C=d`), and waits until it listens.
    pub(super) async fn start(variables: &str) -> Self {
        let origin = Origin::scripted(vec![Answer::json(&format!(r#"{{"ssn":"{SSN}"}}"#))]).await;
        let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("our own folder");
        };
        for (name, text) in authority.files() {
            write(&name, &text);
        }
        write("jwks.json", &key_file("jwks.json"));
        write("policy.yaml", &POLICY.replace("IDENTITY\n", IDENTITY));
        let tls = "tls: { cert: 'file:cert.pem', key: 'file:key.pem' }";
        let listen = format!("listen: {{ address: '127.0.0.1:0', {tls} }}");
        let upstream = format!("upstream: 'http://{}'", origin.address());
        write(
            "postern.yaml",
            &format!(
                "{listen}\n{upstream}\npolicy: policy.yaml\nadmin: 127.0.0.1:0\nstate: state\n"
            ),
        );
        let program = std::env::current_exe().expect("this program");
        let test = "bypass::special::deployed::stands_in_for_the_program";
        let script = format!(
            "ulimit -c unlimited || ulimit -c \"$(ulimit -Hc)\"; exec env {variables} '{}' --exact {test} --nocapture",
            program.display()
        );
        let log = |name: &str| fs::File::create(folder.path().join(name)).expect("our own folder");
        let child = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env(AS_PROGRAM, "run -c postern.yaml")
            .env_remove("POSTERN_CONFIG")
            .stdin(Stdio::null())
            .stdout(log("stdout.log"))
            .stderr(log("stderr.log"))
            .spawn()
            .expect("a process");
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut deployed = Self {
            child,
            folder,
            authority,
            _origin: origin,
            data: nowhere,
            admin: nowhere,
        };
        deployed.listens().await;
        deployed
    }

    /// Waits until it says where it listens.
    async fn listens(&mut self) {
        for _ in 0..1_000 {
            let said = self.file("stderr.log");
            if let Some((data, admin)) = addresses(&String::from_utf8_lossy(&said)) {
                (self.data, self.admin) = (data, admin);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let said = self.file("stderr.log");
        panic!("it never listened: {}", String::from_utf8_lossy(&said));
    }

    /// What it says it listens on.
    pub(super) fn announced(&self) -> BTreeSet<SocketAddr> {
        BTreeSet::from([self.data, self.admin])
    }

    /// What it listens on, as the system knows it: TCP in any state that takes connections, and UDP.
    pub(super) fn listening(&self) -> std::result::Result<BTreeSet<SocketAddr>, String> {
        let process = format!("/proc/{}", self.child.id());
        let open = fs::read_dir(format!("{process}/fd")).map_err(|error| error.to_string())?;
        let sockets: BTreeSet<String> = open
            .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
            .filter_map(|link| {
                let link = link.to_str()?.strip_prefix("socket:[")?;
                Some(link.strip_suffix(']')?.to_owned())
            })
            .collect();
        ensure(!sockets.is_empty(), "it has no socket at all")?;
        let mut found = BTreeSet::new();
        for (table, listens) in [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")] {
            let text = fs::read_to_string(format!("{process}/net/{table}")).unwrap_or_default();
            for line in text.lines().skip(1) {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words[3] == listens && sockets.contains(words[9]) {
                    found.insert(address(words[1]));
                }
            }
        }
        Ok(found)
    }

    /// One exchange over TLS, as an agent; its answer is redacted.
    pub(super) async fn asks_once(&self) -> std::result::Result<(), String> {
        let answer = self.ask().await.map_err(|error| error.to_string())?;
        let served = answer.starts_with(b"HTTP/1.1 200 ");
        ensure(
            served && find(&answer, SSN.as_bytes()).is_none(),
            format!("it answers {}", String::from_utf8_lossy(&answer)),
        )
    }

    async fn ask(&self) -> std::io::Result<Vec<u8>> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let config = std::sync::Arc::new(self.authority.client(b"http/1.1", None));
        let stream = tokio::net::TcpStream::connect(self.data).await?;
        let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
        let mut stream = TlsConnector::from(config).connect(name, stream).await?;
        let fields = format!(
            "Authorization: Bearer {}\r\nConnection: close\r\n",
            token("agent")
        );
        let request = format!("GET /cases/1 HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // However the connection ends, what was answered counts.
        drop(stream.read_to_end(&mut answer).await);
        Ok(answer)
    }

    /// A file of its folder; nothing where there is none.
    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Everything it has written, once this is among it.
    async fn said(&self, word: &str) -> std::result::Result<Vec<u8>, String> {
        for _ in 0..500 {
            let log = [self.file("stderr.log"), self.file("stdout.log")].concat();
            if find(&log, word.as_bytes()).is_some() {
                return Ok(log);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("it never wrote {word}: the case is vacuous"))
    }

    /// Sends a signal and waits for its end.
    fn signalled(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).expect("our own child");
        self.child.wait().expect("our own child")
    }

    /// Stops it well.
    pub(super) async fn ends(mut self) -> std::result::Result<(), String> {
        let ended = tokio::task::spawn_blocking(move || self.signalled(Signal::TERM));
        let status = ended.await.map_err(|error| error.to_string())?;
        ensure(status.success(), format!("it ended with {status}"))
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        // It may have ended by itself: what counts is that it is gone.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where it says that clients and operators connect.
fn addresses(said: &str) -> Option<(SocketAddr, SocketAddr)> {
    let rest = said.split_once("listens on ")?.1;
    let line = rest.lines().next()?;
    let data = line.split(' ').next()?.parse().ok()?;
    let admin = line.split_once("admin on ")?.1.trim().parse().ok()?;
    Some((data, admin))
}

/// An address of `/proc/net`: the host's words in hexadecimal, as the machine keeps them, and the port.
fn address(text: &str) -> SocketAddr {
    let (host, port) = text.split_once(':').expect("an address");
    let port = u16::from_str_radix(port, 16).expect("a port");
    let bytes = hex::decode(host).expect("a host");
    let words = bytes.chunks(4).flat_map(|word| word.iter().rev().copied());
    let bytes: Vec<u8> = words.collect();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => SocketAddr::from((v4, port)),
        Err(_) => SocketAddr::from((<[u8; 16]>::try_from(bytes).expect("a host"), port)),
    }
}

/// B-415: a crash leaves no core dump though the shell that started it allows one, nobody may read the memory, and what
/// holds credentials is wiped when it is let go (that is where it is made: `Zeroizing`).
pub(super) async fn leaves_no_image_of_its_memory() -> Result {
    let mut deployed = Deployed::start("").await;
    deployed.asks_once().await?;
    let limits = fs::read_to_string(format!("/proc/{}/limits", deployed.child.id()));
    let limits = limits.map_err(|error| error.to_string())?;
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.unwrap_or_default().split_whitespace().collect();
    ensure(
        words.get(4..6) == Some(&["0", "0"]),
        format!("a core dump may be written: {words:?}"),
    )?;
    let (deployed, status) = tokio::task::spawn_blocking(move || {
        let status = deployed.signalled(Signal::ABORT);
        (deployed, status)
    })
    .await
    .map_err(|error| error.to_string())?;
    let left = fs::read_dir(deployed.folder.path()).map_err(|error| error.to_string())?;
    let dumps = left
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("core"));
    ensure(
        status.signal().is_some() && !status.core_dumped() && dumps.count() == 0,
        format!("it dumped its memory: {status}"),
    )?;
    let deployed = Deployed::start("").await;
    let folder = deployed.folder.path().join("stdout.log");
    let said = {
        let mut deployed = deployed;
        let ended = tokio::task::spawn_blocking(move || {
            let status = deployed.signalled(Signal::TERM);
            (status, fs::read_to_string(folder).unwrap_or_default())
        });
        ended.await.map_err(|error| error.to_string())?
    };
    ensure(
        said.0.success() && said.1.contains("dumpable: Ok(NotDumpable)"),
        format!("its memory can be read: {said:?}"),
    )?;
    Ok("passed")
}

/// B-416: the variables that make other programs write keys and everything they are sent change nothing, and our own at
/// its loudest writes no value, no token and no key.
pub(super) async fn tells_nothing_however_it_is_asked() -> Result {
    let variables = "SSLKEYLOGFILE=keys.log RUST_LOG=trace RUST_BACKTRACE=full POSTERN_LOG=trace";
    let deployed = Deployed::start(variables).await;
    deployed.asks_once().await?;
    let log = deployed.said("postern::decision").await?;
    ensure(
        !deployed.folder.path().join("keys.log").exists(),
        "the keys of its connections were written",
    )?;
    let bearer = token("agent");
    let key = String::from_utf8_lossy(&deployed.file("key.pem")).into_owned();
    let key = key.lines().nth(1).unwrap_or("no key").to_owned();
    let signature = bearer
        .rsplit('.')
        .next()
        .unwrap_or("no signature")
        .to_owned();
    for secret in [SSN, &signature, &key, "Bearer"] {
        ensure(
            find(&log, secret.as_bytes()).is_none(),
            format!("the log holds {secret:?}"),
        )?;
    }
    deployed.ends().await?;
    Ok("passed")
}
