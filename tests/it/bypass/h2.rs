//! A raw HTTP/2 client: it sends any field list, legal or not, and reads what comes back.
//!
//! It writes frames and literal HPACK itself, because a real library refuses to send what these cases
//! are about. It never shrinks anything and uses no dynamic table towards the server.

pub(crate) mod frames;
pub(crate) mod hpack;
mod huffman;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::client::PATIENCE;
use super::wire::{Answer, Head};
use frames::{Frame, kind};

/// How one stream ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// As the protocol says.
    #[default]
    Whole,
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code.
    GoAway(u32),
    /// The connection was closed, or nothing came in time.
    Cut,
}

/// What came back on one stream.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) answer: Answer,
    pub(super) end: StreamEnd,
    /// Every field line and body byte, for the scan.
    pub(super) seen: Vec<u8>,
}

/// Sends one request on a new connection and reads its answer.
pub(super) async fn exchange<S>(mut stream: S, fields: &[(String, String)], body: &[u8]) -> Stream
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = frames::PREFACE.to_vec();
    bytes.extend(frames::settings(&[(1, 0)]));
    bytes.extend(frames::headers(1, &hpack::encode(fields), body.is_empty()));
    if !body.is_empty() {
        bytes.extend(frames::data(1, body, true));
    }
    let mut got = Stream::default();
    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
        got.end = StreamEnd::Cut;
        return got;
    }
    if timeout(PATIENCE, read(&mut stream, &mut got))
        .await
        .is_err()
    {
        got.end = StreamEnd::Cut;
    }
    got
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, got: &mut Stream) {
    let mut decoder = hpack::Decoder::default();
    let mut buffer = Vec::new();
    loop {
        while let Some(frame) = frames::take(&mut buffer) {
            if let Some(end) = apply(&frame, 1, &mut decoder, got) {
                got.end = end;
                return;
            }
            let reply = frames::reply(&frame);
            if !reply.is_empty() && stream.write_all(&reply).await.is_err() {
                got.end = StreamEnd::Cut;
                return;
            }
        }
        if !stream.read_buf(&mut buffer).await.is_ok_and(|n| n > 0) {
            got.end = StreamEnd::Cut;
            return;
        }
    }
}

/// Takes in one frame; says how the stream of that number ended when it did.
fn apply(
    frame: &Frame,
    number: u32,
    decoder: &mut hpack::Decoder,
    got: &mut Stream,
) -> Option<StreamEnd> {
    got.seen.extend(&frame.payload);
    match frame.kind {
        kind::HEADERS => {
            let fields = decoder.decode(frame.block());
            for (name, value) in &fields {
                got.seen.extend(format!("{name}: {value}\r\n").into_bytes());
            }
            take_head(fields, &mut got.answer);
        }
        kind::DATA => got.answer.body.extend(frame.block()),
        kind::RST_STREAM if frame.stream == number => return Some(StreamEnd::Reset(frame.code(0))),
        kind::GOAWAY if frame.code(4) != 0 => return Some(StreamEnd::GoAway(frame.code(4))),
        _ => return None,
    }
    if frame.ends_stream() {
        got.answer.complete = true;
        return Some(StreamEnd::Whole);
    }
    None
}

fn take_head(fields: Vec<(String, String)>, answer: &mut Answer) {
    let status = fields.iter().find(|(name, _)| name == ":status");
    let status = status
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let head = Head {
        status,
        version: "HTTP/2".to_owned(),
        fields,
    };
    match (&answer.head, status) {
        (Some(_), _) => answer.trailers = head.fields,
        (None, 100..200) => answer.interim.push(head),
        (None, _) => answer.head = Some(head),
    }
}

/// Sends one request on many streams of a new connection at once and reads all answers. What has not
/// ended in time counts as cut.
pub(super) async fn multiplex<S>(
    mut stream: S,
    fields: &[(String, String)],
    count: u32,
) -> Vec<Stream>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = frames::PREFACE.to_vec();
    bytes.extend(frames::settings(&[(1, 0)]));
    let mut streams = BTreeMap::new();
    for number in (0..count).map(|index| 2 * index + 1) {
        bytes.extend(frames::headers(number, &hpack::encode(fields), true));
        let end = StreamEnd::Cut;
        streams.insert(
            number,
            Stream {
                end,
                ..Stream::default()
            },
        );
    }
    if stream.write_all(&bytes).await.is_ok() && stream.flush().await.is_ok() {
        // Whatever is not there by then keeps its end.
        drop(timeout(PATIENCE, read_all(&mut stream, &mut streams)).await);
    }
    streams.into_values().collect()
}

async fn read_all<S>(stream: &mut S, streams: &mut BTreeMap<u32, Stream>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut decoder = hpack::Decoder::default();
    let mut buffer = Vec::new();
    let mut open: BTreeSet<u32> = streams.keys().copied().collect();
    while !open.is_empty() {
        if !stream.read_buf(&mut buffer).await.is_ok_and(|n| n > 0) {
            return;
        }
        while let Some(frame) = frames::take(&mut buffer) {
            let number = frame.stream;
            let reply = frames::reply(&frame);
            if !reply.is_empty() && stream.write_all(&reply).await.is_err() {
                return;
            }
            let Some(got) = streams.get_mut(&number) else {
                continue;
            };
            if let Some(end) = apply(&frame, number, &mut decoder, got)
                && open.remove(&number)
            {
                got.end = end;
            }
        }
    }
}

/// Writes frames and reads until the server closes, or until nothing has come for `quiet`; the frames.
pub(super) async fn provoke<S>(stream: &mut S, bytes: &[u8], quiet: Duration) -> Vec<Frame>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A server that has had enough closes while we still write.
    drop(stream.write_all(bytes).await);
    drop(stream.flush().await);
    let mut buffer = Vec::new();
    let mut list = Vec::new();
    while let Ok(Ok(1..)) = timeout(quiet, stream.read_buf(&mut buffer)).await {
        while let Some(frame) = frames::take(&mut buffer) {
            list.push(frame);
        }
    }
    list
}

/// A header block of these fields, every one a literal.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let owned = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    hpack::encode(&owned.collect::<Vec<_>>())
}
