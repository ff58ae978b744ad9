//! Answers to be broken: small ones, which Postern holds whole, and long ones, which it streams; in each framing.

use crate::origin::case;

/// How an answer says where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length,
    Chunked,
    /// By the end of the connection.
    Close,
}

/// How long an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// It is held whole.
    Small,
    /// It is streamed: more than 64 KiB.
    Long,
}

/// How the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As after the last byte of an answer (FIN).
    Closed,
    /// At once (RST).
    Reset,
}

/// One answer of the origin's, and how it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) size: Size,
    pub(super) framing: Framing,
    pub(super) end: End,
    /// After so many bytes.
    pub(super) at: usize,
}

/// Every kind of answer, and every way it can end.
pub(super) fn kinds() -> Vec<(Size, Framing, End)> {
    let mut kinds = Vec::new();
    for size in [Size::Small, Size::Long] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            for end in [End::Closed, End::Reset] {
                kinds.push((size, framing, end));
            }
        }
    }
    kinds
}

impl Fault {
    /// How the origin is asked for it.
    pub(super) fn path(self) -> String {
        let Self {
            size,
            framing,
            end,
            at,
        } = self;
        format!("/broken/{size:?}-{framing:?}-{end:?}-{at}").to_lowercase()
    }

    /// What a path asks for.
    pub(super) fn of(path: &str) -> Option<Self> {
        let mut words = path.strip_prefix("/broken/")?.split('-');
        let (size, framing, end) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            size: match size {
                "small" => Size::Small,
                _ => Size::Long,
            },
            framing: match framing {
                "length" => Framing::Length,
                "chunked" => Framing::Chunked,
                _ => Framing::Close,
            },
            end: match end {
                "closed" => End::Closed,
                _ => End::Reset,
            },
            at: words.next()?.parse().ok()?,
        })
    }
}

/// Every byte of an answer, as it would be if it did not break.
pub(super) fn answer(size: Size, framing: Framing) -> Vec<u8> {
    let body = body(size);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    match framing {
        Framing::Length => format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
        Framing::Close => format!("{head}Connection: close\r\n\r\n{body}"),
        Framing::Chunked => {
            let (one, two) = body.split_at(body.len() / 2);
            let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
            let chunks = [chunk(one), chunk(two)].concat();
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }
    }
    .into_bytes()
}

fn body(size: Size) -> String {
    let cases = match size {
        Size::Small => 2,
        Size::Long => 600,
    };
    let cases: Vec<String> = (0..cases).map(case).collect();
    format!("[{}]", cases.join(","))
}

/// Where an answer is broken: everywhere when it is small, else near both ends, near the end of what is held, and at so
/// many places between.
pub(super) fn offsets(size: Size, length: usize, many: usize) -> Vec<usize> {
    const HELD: usize = 64 << 10;
    if size == Size::Small || many >= length {
        return (0..length).collect();
    }
    let between = (0..many).map(|n| n * length / many);
    let near = |at: usize| at.saturating_sub(2)..(at + 3).min(length);
    let mut all: Vec<usize> = between
        .chain(near(0))
        .chain(near(HELD))
        .chain(near(length))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
