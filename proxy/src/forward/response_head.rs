//! The upstream's response head, read from its raw bytes and held to one meaning (RFC 9112 sections 2
//! to 6).
//!
//! The library repairs some heads before it shows them: of a message with both Content-Length and
//! Transfer-Encoding it drops the length. Here every doubt about where the body ends is an error, and
//! nothing of such an answer leaves.

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};

/// The largest response head, in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;

/// A response head with one meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ResponseHead {
    /// The status: 200 to 599, or 100 to 199 for an interim answer.
    pub status: StatusCode,
    /// Every field.
    pub headers: HeaderMap,
}

/// Why a head has no one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unsound(pub &'static str);

impl ResponseHead {
    /// Reads a raw head, which ends with an empty line.
    pub(super) fn read(raw: &[u8]) -> Result<Self, Unsound> {
        if raw.len() > HEAD_BYTES_MAX {
            return Err(Unsound("the head is too large"));
        }
        let lines = crate::hygiene::lines_of(raw).map_err(|_refusal| Unsound("a line's end"))?;
        let (first, fields) = lines.split_first().ok_or(Unsound("no status line"))?;
        let (version, status) = status_of(first)?;
        let mut headers = HeaderMap::new();
        for line in fields {
            let (name, value) = field_of(line)?;
            headers.append(name, value);
        }
        check_framing(version, &headers)?;
        Ok(Self { status, headers })
    }

    /// Whether the answer has no body whatever its head says (RFC 9110 section 6.4.1), 205 included.
    pub(super) fn is_bodiless(&self, method: &Method) -> bool {
        method == Method::HEAD
            || [
                StatusCode::NO_CONTENT,
                StatusCode::RESET_CONTENT,
                StatusCode::NOT_MODIFIED,
            ]
            .contains(&self.status)
    }

    /// Whether the body is a stream of events that must not be held.
    pub(super) fn is_event_stream(&self) -> bool {
        self.headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("text/event-stream"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpVersion {
    Ten,
    Eleven,
}

fn status_of(line: &[u8]) -> Result<(HttpVersion, StatusCode), Unsound> {
    const WRONG: Unsound = Unsound("the status line");
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let version = match parts.next() {
        Some(b"HTTP/1.1") => HttpVersion::Eleven,
        Some(b"HTTP/1.0") => HttpVersion::Ten,
        Some(_) | None => return Err(WRONG),
    };
    let digits = parts.next().filter(|code| code.len() == 3).ok_or(WRONG)?;
    let status = StatusCode::from_bytes(digits).map_err(|_error| WRONG)?;
    if (100..=599).contains(&status.as_u16()) {
        Ok((version, status))
    } else {
        Err(WRONG)
    }
}

/// One field. A folded line begins with a space and fails here: no name holds one.
fn field_of(line: &[u8]) -> Result<(HeaderName, HeaderValue), Unsound> {
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(Unsound("a line without colon"))?;
    let (name, rest) = line.split_at(colon);
    let name = HeaderName::from_bytes(name).map_err(|_error| Unsound("a field name"))?;
    let value = rest.get(1..).unwrap_or_default().trim_ascii();
    let value = HeaderValue::from_bytes(value).map_err(|_error| Unsound("a field value"))?;
    Ok((name, value))
}

/// At most one of a plain length and `chunked`, once. Neither: the body ends with the connection.
fn check_framing(version: HttpVersion, headers: &HeaderMap) -> Result<(), Unsound> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let (length, coding) = (lengths.next(), codings.next());
    if lengths.next().is_some() || codings.next().is_some() {
        return Err(Unsound("repeated framing fields"));
    }
    match (length, coding) {
        (Some(_), Some(_)) => Err(Unsound("both a length and a transfer coding")),
        (Some(length), None) => {
            let digits = length.as_bytes();
            let plain = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
            plain.then_some(()).ok_or(Unsound("the length"))
        }
        (None, Some(coding)) => {
            let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
            (chunked && version == HttpVersion::Eleven)
                .then_some(())
                .ok_or(Unsound("the transfer coding"))
        }
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<ResponseHead, Unsound> {
        ResponseHead::read(format!("{lines}\r\n\r\n").as_bytes())
    }

    #[test]
    fn reads_sound_heads() {
        let head = read("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX: a\r\nX: b").unwrap();
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers.get_all("x").iter().count(), 2);
        for sound in [
            "HTTP/1.0 200 OK",
            "HTTP/1.1 200",
            "HTTP/1.1 404 Not \u{fc}here",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked",
            "HTTP/1.1 103 Early Hints\r\nLink: </x>",
        ] {
            assert!(read(sound).is_ok(), "{sound}");
        }
    }

    #[test]
    fn refuses_heads_with_two_meanings() {
        for unsound in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
            "HTTP/1.1 200 OK\r\nContent-Length: 1, 1",
            "HTTP/1.1 200 OK\r\nContent-Length: +1",
            "HTTP/1.1 200 OK\r\nContent-Length:",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 200 OK\r\nX: a\r\n b",
            "HTTP/1.1 200 OK\r\nX : a",
            "HTTP/1.1 200 OK\nX: a",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 999 No",
            "HTTP/2.0 200 OK",
            "ICY 200 OK",
            "",
        ] {
            assert!(read(unsound).is_err(), "{}", unsound.escape_debug());
        }
    }

    #[test]
    fn holds_a_head_to_its_limit_and_no_further() {
        let sized = |bytes: usize| {
            let empty = "HTTP/1.1 200 OK\r\nX: \r\n\r\n".len();
            read(&format!(
                "HTTP/1.1 200 OK\r\nX: {}",
                "y".repeat(bytes - empty)
            ))
        };
        assert!(sized(HEAD_BYTES_MAX).is_ok());
        assert!(sized(HEAD_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn knows_event_streams_by_their_type() {
        let head = |kind: &str| read(&format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}")).unwrap();
        assert!(head("Text/Event-Stream; charset=utf-8").is_event_stream());
        assert!(!head("application/json").is_event_stream());
    }
}
