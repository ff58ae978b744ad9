//! What was observed in one run: what the client got, what the upstream got.

use super::client::{Capture, End};
use super::h2::{Stream, StreamEnd};
use super::messages::find;
use super::scan::Views;
use super::upstream::Seen;
use super::wire::{self, Answer};

/// One run's observations.
pub(super) struct Observed {
    /// Every byte the client received.
    pub(super) raw: Vec<u8>,
    pub(super) answer: Answer,
    /// Why the answer is not well-formed, when it is not.
    pub(super) malformed: Option<String>,
    pub(super) end: Ending,
    pub(super) seen: Seen,
}

/// How the client's side ended, whatever the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// The server closed the connection or the stream.
    Closed,
    /// The server refused the stream or cut the connection.
    Refused,
    /// The answer is whole and the connection stays open.
    KeptOpen,
    /// Nothing complete came in time.
    TimedOut,
}

impl Observed {
    /// From an HTTP/1.1 connection.
    pub(super) fn h1(capture: Capture, method: &str, seen: Seen) -> Self {
        let ended = matches!(capture.end, End::Closed);
        let (answer, malformed) = match wire::read(&capture.bytes, method, ended) {
            Ok(answer) => (answer, None),
            Err(reason) => (Answer::default(), Some(reason)),
        };
        let end = match capture.end {
            End::Closed => Ending::Closed,
            End::Reset => Ending::Refused,
            End::KeptOpen => Ending::KeptOpen,
            End::TimedOut => Ending::TimedOut,
        };
        Self {
            raw: capture.bytes,
            answer,
            malformed,
            end,
            seen,
        }
    }

    /// From an HTTP/2 stream.
    pub(super) fn h2(stream: Stream, seen: Seen) -> Self {
        let end = match stream.end {
            StreamEnd::Whole => Ending::KeptOpen,
            StreamEnd::Reset(_) | StreamEnd::GoAway(_) => Ending::Refused,
            StreamEnd::Cut => Ending::Closed,
        };
        Self {
            raw: stream.seen,
            answer: stream.answer,
            malformed: None,
            end,
            seen,
        }
    }

    /// Everything a client could make of what it got.
    pub(super) fn client_views(&self) -> Views {
        Views::of(&self.raw, &self.answer.body)
    }

    /// Everything the upstream received, requests and strays.
    pub(super) fn upstream_bytes(&self) -> Vec<u8> {
        let mut bytes = self.seen.requests.concat();
        bytes.extend(&self.seen.strays);
        bytes
    }

    /// The values of a field of the first request that reached the upstream.
    pub(super) fn upstream_field(&self, name: &str) -> Vec<String> {
        let Some(request) = self.seen.requests.first() else {
            return Vec::new();
        };
        let head = find(request, b"\r\n\r\n").unwrap_or(request.len());
        let head = String::from_utf8_lossy(&request[..head]).into_owned();
        let lines = head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let own = lines.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// The body of the first request that reached the upstream.
    pub(super) fn upstream_body(&self) -> &[u8] {
        let request = self.seen.requests.first().map_or(&[][..], Vec::as_slice);
        find(request, b"\r\n\r\n").map_or(&[], |at| &request[at + 4..])
    }
}

/// Why a forwarded request is not canonical HTTP/1.1, when it is not.
pub(super) fn not_canonical(request: &[u8]) -> Option<String> {
    let end = find(request, b"\r\n\r\n")?;
    let Ok(head) = std::str::from_utf8(&request[..end]) else {
        return Some("bytes outside of ASCII in the head".to_owned());
    };
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let canonical = matches!(words[..], [_, target, "HTTP/1.1"] if target.starts_with('/'));
    if !canonical {
        return Some("the request line is not canonical".to_owned());
    }
    let fields: Vec<String> = lines
        .map(|line| {
            line.split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        })
        .collect();
    if head.replace("\r\n", "").contains(['\r', '\n', '\0']) {
        return Some("a bare CR, LF or NUL in the head".to_owned());
    }
    for once in [
        "host",
        "content-length",
        "transfer-encoding",
        "content-type",
        "authorization",
    ] {
        if fields.iter().filter(|field| *field == once).count() > 1 {
            return Some(format!("`{once}` twice"));
        }
    }
    let both = fields.iter().any(|f| f == "content-length")
        && fields.iter().any(|f| f == "transfer-encoding");
    if both || !fields.iter().any(|field| field == "host") {
        return Some("contradicting framing, or no Host".to_owned());
    }
    None
}
