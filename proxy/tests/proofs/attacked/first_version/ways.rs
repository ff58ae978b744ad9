//! What each of a crowd does with its connection, again and again until it is over.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::origin;

/// How long somebody waits for a server that should have ended the connection long ago.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often somebody slow sends a byte.
const PACE: Duration = Duration::from_millis(100);
/// How many requests are sent without waiting for an answer.
const PIPELINED: usize = 200;
/// How many fields a head of many has, and how long one field of another is.
const FIELDS: usize = 1_000;
const FIELD_BYTES: usize = 1 << 20;
/// What asks as `agent`, after the request line.
const FIELDS_SOUND: &str = "Host: desk.example\r\nX-Subject: mallory\r\nX-Roles: agent\r\n";

/// One way to wear a server out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Heads that come byte by byte.
    SlowHead,
    /// Bodies that come byte by byte.
    SlowBody,
    /// Large answers of which nothing is taken.
    SlowReader,
    /// Connections that say nothing.
    Silence,
    /// Requests that do not wait for answers.
    Pipelining,
    /// Heads of a thousand fields.
    ManyFields,
    /// Heads with a field of a mebibyte.
    LongField,
    /// More connections than there are places.
    Crowd,
}

/// Every way.
pub(super) const ALL: [Way; 8] = [
    Way::SlowHead,
    Way::SlowBody,
    Way::SlowReader,
    Way::Silence,
    Way::Pipelining,
    Way::ManyFields,
    Way::LongField,
    Way::Crowd,
];

/// What the crowd met.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Connections on which everything was done that the way asks for.
    pub(super) rounds: AtomicUsize,
    /// How they ended: by the status of the last answer, 0 when there was none.
    statuses: Mutex<BTreeMap<u16, usize>>,
}

impl Met {
    fn note(&self, status: u16) {
        *self.statuses.lock().unwrap().entry(status).or_default() += 1;
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    fn with(&self, status: u16) -> usize {
        let statuses = self.statuses.lock().unwrap();
        statuses.get(&status).copied().unwrap_or_default()
    }
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connections", self.rounds.load(Ordering::Relaxed))?;
        for (status, times) in &*self.statuses.lock().unwrap() {
            match status {
                0 => write!(f, ", {times} without an answer")?,
                _ => write!(f, ", {times} with {status}")?,
            }
        }
        Ok(())
    }
}

impl Way {
    /// Runs with so many at once until it is over.
    pub(super) async fn run(
        self,
        address: SocketAddr,
        crowd: usize,
        met: Arc<Met>,
        over: watch::Receiver<bool>,
    ) {
        let mut running = JoinSet::new();
        for _ in 0..crowd {
            let (met, mut over) = (Arc::clone(&met), over.clone());
            running.spawn(async move {
                let mut ended = over.clone();
                let again = async {
                    loop {
                        self.round(address, &met, &mut over).await;
                    }
                };
                tokio::select! {
                    () = again => {}
                    _ = ended.wait_for(|over| *over) => {}
                }
            });
        }
        running.join_all().await;
    }

    /// Everything on one connection.
    async fn round(self, address: SocketAddr, met: &Met, over: &mut watch::Receiver<bool>) {
        let Ok(stream) = TcpStream::connect(address).await else {
            return;
        };
        let status = match self {
            Self::SlowHead | Self::SlowBody => drip(stream, &self.opening()).await,
            Self::Silence | Self::Pipelining | Self::ManyFields | Self::LongField => {
                say(stream, &self.opening()).await
            }
            Self::SlowReader | Self::Crowd => {
                let (status, stream) = first_answer(stream, &self.opening()).await;
                met.note(status);
                let _let_go = over.wait_for(|over| *over).await;
                return drop(stream);
            }
        };
        met.note(status);
    }

    /// What is said at once.
    fn opening(self) -> Vec<u8> {
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\n{FIELDS_SOUND}");
        let text = match self {
            Self::SlowHead => get("/cases/1") + "X-Slow: ",
            Self::SlowBody => format!(
                "POST /cases/1 HTTP/1.1\r\n{FIELDS_SOUND}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n\""
            ),
            Self::SlowReader => get("/big/64") + "\r\n",
            Self::Silence => String::new(),
            Self::Pipelining => (get("/cases/1") + "\r\n").repeat(PIPELINED),
            Self::ManyFields => {
                let fields: String = (0..FIELDS).map(|n| format!("X-{n}: 1\r\n")).collect();
                get("/cases/1") + &fields + "\r\n"
            }
            Self::LongField => format!(
                "{}X-Long: {}\r\n\r\n",
                get("/cases/1"),
                "x".repeat(FIELD_BYTES)
            ),
            Self::Crowd => get("/cases/1") + "\r\n",
        };
        text.into_bytes()
    }

    /// Whether the crowd met what it should: `spare` places less than it asked for were there.
    pub(super) fn check(self, met: &Met, spare: usize) {
        let all = met.rounds.load(Ordering::Relaxed);
        let (least, of) = match self {
            // Whoever has said something is told why; a reset may overtake the answer to what was not read.
            Self::SlowHead | Self::SlowBody => (all, met.with(408) + met.with(0)),
            Self::Silence => (all, met.with(0)),
            Self::SlowReader | Self::Pipelining => (all, met.with(200)),
            Self::ManyFields | Self::LongField => (all, met.with(431) + met.with(0)),
            Self::Crowd => (spare, met.with(0)),
        };
        assert!(of >= least, "{self}: {met}");
        let told = match self {
            Self::SlowHead | Self::SlowBody => met.with(408),
            Self::ManyFields | Self::LongField => met.with(431),
            Self::Silence => met.with(0),
            Self::SlowReader | Self::Pipelining | Self::Crowd => met.with(200),
        };
        assert!(told > 0, "{self}: {met}");
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SlowHead => "slow heads",
            Self::SlowBody => "slow bodies",
            Self::SlowReader => "slow readers",
            Self::Silence => "connections that say nothing",
            Self::Pipelining => "pipelined floods",
            Self::ManyFields => "heads of many fields",
            Self::LongField => "heads with a long field",
            Self::Crowd => "more connections than places",
        })
    }
}

/// Sends byte after byte until the server ends the connection; the status of its answer.
async fn drip(stream: TcpStream, opening: &[u8]) -> u16 {
    let (mut answers, mut orders) = stream.into_split();
    let dripping = async {
        if orders.write_all(opening).await.is_ok() {
            while orders.write_all(b"x").await.is_ok() {
                tokio::time::sleep(PACE).await;
            }
        }
        // The answer is still to come.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = last_status(&mut answers) => status,
        () = dripping => 0,
    }
}

/// Says it all at once, and reads until the server ends the connection; the status of its last answer.
async fn say(stream: TcpStream, all: &[u8]) -> u16 {
    let (mut answers, mut orders) = stream.into_split();
    let saying = async {
        // The server may have had enough before it has read everything.
        let _gone = orders.write_all(all).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = last_status(&mut answers) => status,
        () = saying => 0,
    }
}

/// Everything until the end, whose place is the server's to choose; the status of the last answer.
async fn last_status(answers: &mut (impl tokio::io::AsyncRead + Unpin)) -> u16 {
    let mut bytes = Vec::new();
    let reading = async { while answers.read_buf(&mut bytes).await.is_ok_and(|n| n > 0) {} };
    let ended = timeout(PATIENCE, reading).await;
    assert!(ended.is_ok(), "the connection was never ended");
    status_in(&bytes)
}

/// The status of the first answer, and the connection, of which nothing more is taken.
async fn first_answer(mut stream: TcpStream, request: &[u8]) -> (u16, TcpStream) {
    let _gone = stream.write_all(request).await;
    let mut bytes = vec![0; 1024];
    let read = timeout(PATIENCE, stream.read(&mut bytes)).await;
    let read = read.expect("neither served nor let go").unwrap_or(0);
    bytes.truncate(read);
    (status_in(&bytes), stream)
}

/// The last status among these bytes, none of which may be what the policy hides.
fn status_in(bytes: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(origin::CANARY), "{text}");
    let last = text
        .rsplit("HTTP/1.1 ")
        .next()
        .filter(|_| text.starts_with("HTTP/1.1 "));
    last.and_then(|last| last.get(..3)?.parse().ok())
        .unwrap_or(0)
}
