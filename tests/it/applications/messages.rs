//! What a kept connection says: its bytes, read as HTTP/1.1 messages with their bodies decoded.
//!
//! It reads leniently and refuses nothing: what a relay kept is evidence, and a message that was cut is shown as
//! far as it goes.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// One message.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    /// The request line or the status line.
    pub(super) first: String,
    /// The fields, as they came.
    pub(super) fields: Vec<(String, String)>,
    /// The body, without chunks and content coding.
    pub(super) body: Vec<u8>,
}

/// Which side said it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

impl Message {
    /// The status of an answer; 0 when there is none.
    pub(super) fn status(&self) -> u16 {
        let word = self.first.split(' ').nth(1).unwrap_or_default();
        word.parse().unwrap_or_default()
    }

    /// `METHOD /path` of a request, without its query.
    pub(super) fn line(&self) -> String {
        let mut words = self.first.split([' ', '?']);
        let method = words.next().unwrap_or_default();
        format!("{method} {}", words.next().unwrap_or_default())
    }

    /// Every value of a field.
    pub(super) fn all<'m, 'n>(
        &'m self,
        name: &'n str,
    ) -> impl Iterator<Item = &'m str> + use<'m, 'n> {
        let named = self.fields.iter();
        named.filter_map(move |(found, value)| {
            found.eq_ignore_ascii_case(name).then_some(value.as_str())
        })
    }

    /// The first value of a field, or nothing.
    pub(super) fn field(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn reads(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| line.split_once(':'));
        Self {
            first,
            fields: fields
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }
}

/// The requests of a connection.
pub(super) fn requests(bytes: &[u8]) -> Vec<Message> {
    messages(bytes, Side::Client)
}

/// The answers of a connection on which nobody asked for a head only.
pub(super) fn answers(bytes: &[u8]) -> Vec<Message> {
    messages(bytes, Side::Server)
}

fn messages(mut rest: &[u8], side: Side) -> Vec<Message> {
    let mut found = Vec::new();
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        let mut message = Message::reads(&String::from_utf8_lossy(&rest[..end]));
        rest = &rest[end + 4..];
        let (body, used) = body(&message, rest, side);
        message.body = decoded(body, &message);
        rest = &rest[used..];
        found.push(message);
    }
    found
}

/// The body at the beginning of `rest`, and how long it is on the wire.
fn body(message: &Message, rest: &[u8], side: Side) -> (Vec<u8>, usize) {
    let bare = side == Side::Server && matches!(message.status(), 100..200 | 204 | 304);
    if bare {
        return (Vec::new(), 0);
    }
    if message.all("transfer-encoding").next().is_some() {
        return dechunked(rest);
    }
    let length = message.field("content-length").parse();
    let length: usize = length.unwrap_or(match side {
        Side::Client => 0,
        Side::Server => rest.len(),
    });
    let length = length.min(rest.len());
    (rest[..length].to_vec(), length)
}

fn dechunked(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut body = Vec::new();
    let mut at = 0;
    while let Some(line) = bytes[at..].windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[at..at + line]).into_owned();
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        let start = at + line + 2;
        let end = bytes.len().min(start + size);
        body.extend_from_slice(&bytes[start..end]);
        at = bytes.len().min(end + 2);
        if size == 0 {
            return (body, at);
        }
    }
    (body, bytes.len())
}

/// The body without its content coding, as far as it can be read.
fn decoded(body: Vec<u8>, message: &Message) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = match message.field("content-encoding") {
        "gzip" => MultiGzDecoder::new(body.as_slice()).read_to_end(&mut plain),
        "deflate" => ZlibDecoder::new(body.as_slice()).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(body.as_slice(), 4096).read_to_end(&mut plain),
        "zstd" => zstd::stream::copy_decode(body.as_slice(), &mut plain).map(|()| 0),
        _ => return body,
    };
    // A body that was cut is read as far as it goes.
    let _ended = read.is_ok();
    plain
}

#[test]
fn reads_what_is_chunked_and_coded() {
    let mut coded = Vec::new();
    flate2::read::GzEncoder::new(&b"secret"[..], flate2::Compression::fast())
        .read_to_end(&mut coded)
        .unwrap();
    let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for chunk in coded.chunks(5) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\nHTTP/1.1 302 Found\r\nContent-Length: 9\r\n\r\nno");
    let read = answers(&bytes);
    let statuses: Vec<u16> = read.iter().map(Message::status).collect();
    assert_eq!(statuses, [100, 200, 204, 302]);
    assert_eq!(read[1].body, b"secret");
    assert_eq!(read[2].field("a"), "b");
    assert_eq!(read[3].body, b"no");
    let asked =
        requests(b"POST /a?b HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /c HTTP/1.1\r\n\r\n");
    let lines: Vec<String> = asked.iter().map(Message::line).collect();
    assert_eq!(lines, ["POST /a", "GET /c"]);
}
