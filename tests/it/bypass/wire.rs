//! A strict reader of what a server sent over HTTP/1.1: interim answers, the answer, its framing,
//! and whatever follows it.
//!
//! It never repairs anything: what is not exactly RFC 9112 is an error or an incomplete answer.

use super::messages::find;

/// A head: status and fields, names in lower case, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) version: String,
    pub(super) fields: Vec<(String, String)>,
}

/// Everything one connection answered to one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    /// 1xx heads that came first.
    pub(super) interim: Vec<Head>,
    /// The final head; none when the server said nothing.
    pub(super) head: Option<Head>,
    /// The body, without its framing.
    pub(super) body: Vec<u8>,
    /// Trailer fields.
    pub(super) trailers: Vec<(String, String)>,
    /// The message ended as its framing says.
    pub(super) complete: bool,
    /// Bytes after the end of the message.
    pub(super) rest: Vec<u8>,
}

enum Framing {
    None,
    Length(usize),
    Chunked,
    Close,
}

impl Head {
    /// The values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a field.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }
}

impl Answer {
    /// The final status; 0 when there is none.
    pub(super) fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    /// The first value of a field of the final head.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let own = self.head.iter().flat_map(|head| &head.fields);
        let mut own = own.filter(|(field, _)| field == name);
        own.next().map(|(_, value)| value.as_str())
    }

    /// The problem slug, when the answer is one of Postern's own refusals.
    pub(super) fn problem(&self) -> Option<String> {
        if self.field("content-type") != Some("application/problem+json") {
            return None;
        }
        let document: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let kind = document.get("type")?.as_str()?;
        kind.strip_prefix("urn:postern:problem:").map(str::to_owned)
    }
}

/// Reads an answer to a request of `method`. `ended` says that the connection was closed, which is
/// what ends a body without any other framing.
pub(super) fn read(bytes: &[u8], method: &str, ended: bool) -> Result<Answer, String> {
    let mut answer = Answer::default();
    let mut rest = bytes;
    loop {
        let Some(end) = find(rest, b"\r\n\r\n") else {
            answer.rest = rest.to_vec();
            return Ok(answer);
        };
        let head = read_head(&rest[..end + 2])?;
        rest = &rest[end + 4..];
        if (100..200).contains(&head.status) && head.status != 101 {
            answer.interim.push(head);
            continue;
        }
        let framing = framing(&head, method)?;
        answer.head = Some(head);
        read_body(&mut answer, &framing, rest, ended)?;
        return Ok(answer);
    }
}

fn read_head(bytes: &[u8]) -> Result<Head, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("the head is not UTF-8: {error}"))?;
    if text.replace("\r\n", "").contains(['\r', '\n', '\0']) {
        return Err("a bare CR, LF or NUL in the head".to_owned());
    }
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let mut words = status_line.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|word| word.parse().ok());
    let (Some(status), true) = (status, version.starts_with("HTTP/1.")) else {
        return Err("the status line is malformed".to_owned());
    };
    let mut fields = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("a field line without a colon")?;
        if name.is_empty() || name.contains([' ', '\t']) {
            return Err("white space in a field name".to_owned());
        }
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Head {
        status,
        version: version.to_owned(),
        fields,
    })
}

// RFC 9112 section 6.3.
fn framing(head: &Head, method: &str) -> Result<Framing, String> {
    let lengths: Vec<&str> = head.all("content-length").collect();
    let codings: Vec<&str> = head.all("transfer-encoding").collect();
    if method == "HEAD" || matches!(head.status, 101 | 204 | 304) {
        return Ok(Framing::None);
    }
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Framing::Close),
        ([length], []) => {
            let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
            let length = length.parse().ok().filter(|_| digits);
            length
                .map(Framing::Length)
                .ok_or_else(|| "a malformed length".to_owned())
        }
        ([], ["chunked"]) => Ok(Framing::Chunked),
        _ => Err("contradicting framing".to_owned()),
    }
}

fn read_body(
    answer: &mut Answer,
    framing: &Framing,
    rest: &[u8],
    ended: bool,
) -> Result<(), String> {
    match framing {
        Framing::None => {
            answer.complete = true;
            answer.rest = rest.to_vec();
        }
        Framing::Length(length) => {
            let have = rest.len().min(*length);
            answer.body = rest[..have].to_vec();
            answer.complete = have == *length;
            answer.rest = rest[have..].to_vec();
        }
        Framing::Close => {
            answer.body = rest.to_vec();
            answer.complete = ended;
        }
        Framing::Chunked => read_chunks(answer, rest)?,
    }
    Ok(())
}

fn read_chunks(answer: &mut Answer, mut rest: &[u8]) -> Result<(), String> {
    loop {
        let Some(end) = find(rest, b"\r\n") else {
            answer.rest = rest.to_vec();
            return Ok(());
        };
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default();
        let digits = size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| digits);
        let size = size.ok_or("a malformed chunk size")?;
        rest = &rest[end + 2..];
        if size == 0 {
            return read_trailers(answer, rest);
        }
        let have = size.min(rest.len());
        answer.body.extend(&rest[..have]);
        if rest.len() < size + 2 {
            return Ok(());
        }
        if &rest[size..size + 2] != b"\r\n" {
            return Err("a chunk that does not end where it says".to_owned());
        }
        rest = &rest[size + 2..];
    }
}

fn read_trailers(answer: &mut Answer, mut rest: &[u8]) -> Result<(), String> {
    while let Some(end) = find(rest, b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 2..];
        if line.is_empty() {
            answer.complete = true;
            answer.rest = rest.to_vec();
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or("a trailer without a colon")?;
        let field = (name.to_ascii_lowercase(), value.trim().to_owned());
        answer.trailers.push(field);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_complete_from_cut_by_each_framing() {
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for message in [length, chunked] {
            let whole = read(message.as_bytes(), "GET", true).expect("well formed");
            assert!(whole.complete && whole.body == b"abc");
            let cut = &message.as_bytes()[..message.len() - 1];
            assert!(!read(cut, "GET", true).expect("well formed").complete);
        }
    }

    #[test]
    fn sees_interim_answers_trailers_and_what_follows() {
        let bytes = b"HTTP/1.1 103 x\r\nA: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: x\r\n\r\nmore";
        let answer = read(bytes, "GET", false).expect("well formed");
        assert_eq!(answer.interim[0].first("a"), Some("1"));
        assert_eq!(answer.trailers, [("t".to_owned(), "x".to_owned())]);
        assert_eq!(answer.rest, b"more");
    }

    #[test]
    fn refuses_contradicting_framing() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc";
        assert!(read(bytes, "GET", true).is_err());
    }
}
