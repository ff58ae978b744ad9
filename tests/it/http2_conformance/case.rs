//! A row: a section, a claim, what is sent, and what has to come back.

use std::fmt;

use crate::bypass::h2::frames::{Frame, kind};

use super::connection::Connection;
use super::given::Given;

/// Error codes (RFC 9113 section 7).
pub(super) mod code {
    pub(in super::super) const PROTOCOL: u32 = 1;
    pub(in super::super) const FLOW_CONTROL: u32 = 3;
    pub(in super::super) const STREAM_CLOSED: u32 = 5;
    pub(in super::super) const FRAME_SIZE: u32 = 6;
    pub(in super::super) const REFUSED_STREAM: u32 = 7;
    pub(in super::super) const CANCEL: u32 = 8;
    pub(in super::super) const COMPRESSION: u32 = 9;
    pub(in super::super) const ENHANCE_YOUR_CALM: u32 = 11;

    /// For a stream that was ended: the standard asks for the first; the library sometimes takes it for an
    /// error of the connection and says the second.
    pub(in super::super) const ENDED: &[u32] = &[STREAM_CLOSED, PROTOCOL];
}

/// One step of a case.
enum Step {
    Send(Vec<u8>),
    /// Waits until a stream was answered whole.
    Answered(u32),
    /// Waits until SETTINGS are acknowledged.
    Acknowledged,
    /// Waits for the first DATA of a stream.
    Data(u32),
}

/// What has to come back.
enum Expect {
    /// GOAWAY with one of these codes, and the end of the connection.
    Gone(&'static [u32]),
    /// The end of the connection, with or without a word.
    Closed,
    /// RST_STREAM of a stream with one of these codes, or the end of the connection for one of them.
    Reset(u32, &'static [u32]),
    /// As a malformed request: RST_STREAM or GOAWAY with PROTOCOL_ERROR, or the answer 400.
    Malformed,
    /// A whole answer to a stream, and its status if it matters.
    Answer(u32, Option<&'static str>),
    /// Nothing: the connection goes on, and no stream was reset.
    Ignored,
    /// A frame of that kind before anything else.
    First(u8),
    /// SETTINGS with ACK.
    Acknowledged,
    /// Exactly so many octets in the next DATA frame of stream 1, and not its last.
    Data(usize),
    /// No DATA at all, while the connection goes on.
    NoData,
}

/// A case of the suite.
pub(super) struct Case {
    section: &'static str,
    claim: &'static str,
    shakes: bool,
    steps: Vec<Step>,
    expect: Expect,
}

/// A case of a section of RFC 9113, or of RFC 7541 where it says so.
pub(super) fn case(section: &'static str, claim: &'static str) -> Case {
    Case {
        section,
        claim,
        shakes: true,
        steps: Vec::new(),
        expect: Expect::Ignored,
    }
}

impl Case {
    /// The prefaces are not exchanged: the case says everything itself.
    pub(super) fn unasked(mut self) -> Self {
        self.shakes = false;
        self
    }

    /// Then these octets are sent.
    pub(super) fn sends(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    /// Then the answer of a stream is awaited.
    pub(super) fn awaits_answer(mut self, stream: u32) -> Self {
        self.steps.push(Step::Answered(stream));
        self
    }

    /// Then the acknowledgement of SETTINGS is awaited.
    pub(super) fn awaits_acknowledgement(mut self) -> Self {
        self.steps.push(Step::Acknowledged);
        self
    }

    /// Then the first DATA of a stream is awaited.
    pub(super) fn awaits_data(mut self, stream: u32) -> Self {
        self.steps.push(Step::Data(stream));
        self
    }

    /// The server says GOAWAY with one of these codes and closes.
    pub(super) fn goes_away(self, codes: &'static [u32]) -> Self {
        self.expecting(Expect::Gone(codes))
    }

    /// The server closes.
    pub(super) fn closes(self) -> Self {
        self.expecting(Expect::Closed)
    }

    /// The server resets a stream with one of these codes.
    pub(super) fn resets(self, stream: u32, codes: &'static [u32]) -> Self {
        self.expecting(Expect::Reset(stream, codes))
    }

    /// The server takes the request of stream 1 for malformed.
    pub(super) fn refuses(self) -> Self {
        self.expecting(Expect::Malformed)
    }

    /// The server serves a stream.
    pub(super) fn serves(self, stream: u32) -> Self {
        self.expecting(Expect::Answer(stream, Some("200")))
    }

    /// The server answers a stream, whatever it says.
    pub(super) fn answers(self, stream: u32) -> Self {
        self.expecting(Expect::Answer(stream, None))
    }

    /// The server takes no notice.
    pub(super) fn goes_on(self) -> Self {
        self.expecting(Expect::Ignored)
    }

    /// The server begins with a frame of this kind.
    pub(super) fn begins_with(self, kind: u8) -> Self {
        self.expecting(Expect::First(kind))
    }

    /// The server acknowledges SETTINGS.
    pub(super) fn acknowledges(self) -> Self {
        self.expecting(Expect::Acknowledged)
    }

    /// The next DATA of stream 1 has exactly so many octets.
    pub(super) fn gives(self, octets: usize) -> Self {
        self.expecting(Expect::Data(octets))
    }

    /// No DATA comes.
    pub(super) fn gives_nothing(self) -> Self {
        self.expecting(Expect::NoData)
    }

    fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Plays the case on a connection of its own; why it failed, if it did.
    pub(super) async fn check(&self, given: &Given) -> Result<(), String> {
        let mut connection = Connection::open(given).await?;
        if self.shakes {
            connection.shake().await?;
        }
        for step in &self.steps {
            match step {
                Step::Send(bytes) => connection.send(bytes).await,
                Step::Answered(stream) => connection.answer(*stream, None).await?,
                Step::Acknowledged => drop(connection.until("an ACK", acknowledges).await?),
                Step::Data(stream) => drop(connection.until("DATA", data_of(*stream)).await?),
            }
        }
        self.judge(&mut connection).await
    }

    async fn judge(&self, connection: &mut Connection) -> Result<(), String> {
        match self.expect {
            Expect::Gone(codes) => gone(connection, codes).await,
            Expect::Closed => {
                while connection.next().await?.is_some() {}
                Ok(())
            }
            Expect::Reset(stream, codes) => reset(connection, stream, codes).await,
            Expect::Malformed => malformed(connection).await,
            Expect::Answer(stream, status) => connection.answer(stream, status).await,
            Expect::Ignored => ignored(connection).await,
            Expect::First(kind) => {
                let first = connection.expect("its first frame").await?;
                let acknowledges = kind == kind::SETTINGS && first.flags & 1 != 0;
                same(&(first.kind, acknowledges), &(kind, false))
            }
            Expect::Acknowledged => connection.until("an ACK", acknowledges).await.map(|_| ()),
            Expect::Data(octets) => {
                let data = connection.until("DATA", data_of(1)).await?;
                same(&(data.payload.len(), data.ends_stream()), &(octets, false))
            }
            Expect::NoData => {
                let head = |got: &Frame| got.kind == kind::HEADERS && got.stream == 1;
                connection.until("an answer", head).await?;
                let before = connection.settle().await?;
                let data = before.iter().filter(|got| got.kind == kind::DATA);
                same(&data.map(|got| got.payload.len()).sum::<usize>(), &0)
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.section, self.claim)
    }
}

fn acknowledges(got: &Frame) -> bool {
    got.kind == kind::SETTINGS && got.flags & 1 != 0
}

fn data_of(stream: u32) -> impl Fn(&Frame) -> bool {
    move |got| got.kind == kind::DATA && got.stream == stream
}

fn same<T: PartialEq + fmt::Debug>(got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{got:?} instead of {wanted:?}"))
}

fn one_of(got: u32, codes: &[u32], what: &str) -> Result<(), String> {
    if codes.contains(&got) {
        return Ok(());
    }
    Err(format!("{what} {got} instead of one of {codes:?}"))
}

/// GOAWAY, and after it the end.
async fn gone(connection: &mut Connection, codes: &[u32]) -> Result<(), String> {
    let mut told = None;
    while let Some(got) = connection.next().await? {
        if got.kind == kind::GOAWAY {
            told = Some(got.code(4));
        }
    }
    one_of(told.ok_or("closed without GOAWAY")?, codes, "GOAWAY")
}

async fn reset(connection: &mut Connection, stream: u32, codes: &[u32]) -> Result<(), String> {
    while let Some(got) = connection.next().await? {
        if got.kind == kind::RST_STREAM && got.stream == stream {
            return one_of(got.code(0), codes, "RST_STREAM");
        }
        if got.kind == kind::GOAWAY {
            return one_of(got.code(4), codes, "GOAWAY");
        }
    }
    Err("closed without a word".to_owned())
}

async fn malformed(connection: &mut Connection) -> Result<(), String> {
    while let Some(got) = connection.next().await? {
        match got.kind {
            kind::GOAWAY => return one_of(got.code(4), &[code::PROTOCOL], "GOAWAY"),
            kind::RST_STREAM if got.stream == 1 => {
                return one_of(got.code(0), &[code::PROTOCOL], "RST_STREAM");
            }
            kind::HEADERS if got.stream == 1 => {
                return same(&connection.status(&got).as_str(), &"400");
            }
            _ => {}
        }
    }
    Err("closed without a word".to_owned())
}

async fn ignored(connection: &mut Connection) -> Result<(), String> {
    for got in connection.settle().await? {
        if matches!(got.kind, kind::RST_STREAM | kind::GOAWAY | kind::PING) {
            return Err(format!("a frame of type {} came of it", got.kind));
        }
    }
    Ok(())
}
