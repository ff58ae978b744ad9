//! Reads JSON text (RFC 8259) in pieces and reports its structure to a [`Sink`].
//!
//! Guarantees: the whole document is validated, whatever the sink wants to see of it: grammar, UTF-8,
//! numbers, escapes (a lone surrogate is an error), depth, the length of names, one document without a
//! byte order mark. What is reported does not depend on how the text was split, and nothing is read
//! twice. It keeps no text but a name that a chunk's end has cut.
//!
//! It does not know what is redacted: the sink decides, and says which containers it does not need to
//! look into. Where the machine can, [`bulk`] reads the bulk of a chunk in windows.

mod bulk;
mod lexemes;
mod number;
#[cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "vector instructions behind a proof of the machine's features"
    )
)]
mod simd;
mod sink;
mod text;
mod tokens;
mod utf8;
mod walk;

use super::engine::Engine;
use crate::body_filter::BodyError;
use crate::value_action::JsonKind;

use number::Number;
use simd::Vectors;
pub(super) use sink::{Inside, Interest, Sink, Terms};
use text::{Flaw, Text};

/// The longest member name, in bytes as written between the quotes.
pub(super) const NAME_BYTES_MAX: usize = 64 * 1024;

/// Why a document cannot go on. Boxed: it is rare, and every step of the scanner returns one.
pub(super) type Halt = Box<BodyError>;

/// What may come next, or what is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    NameOrClose,
    Name,
    Colon,
    CommaOrClose,
    End,
    InString,
    InName,
    InNumber,
    InLiteral,
}

/// The state of one document between two chunks.
#[derive(Clone)]
pub(super) struct Scanner {
    expect: Expect,
    /// The open containers: whether each is an object.
    objects: Vec<bool>,
    /// The depth of the container that is being skipped; none while events are reported.
    skipped: Option<usize>,
    depth_max: usize,
    text: Text,
    number: Number,
    literal: &'static [u8],
    /// The part of the present name that earlier chunks held; only while events are reported.
    name: Vec<u8>,
    name_length: usize,
    /// Bytes in earlier chunks.
    offset: u64,
    vectors: Option<Vectors>,
    /// From where in the chunk windows may be read.
    resume: usize,
    /// For how many bytes a window is read.
    worth: usize,
}

impl Scanner {
    /// A scalar scanner before the first byte of a document.
    pub(super) fn new(depth_max: usize) -> Self {
        Self::with_engine(depth_max, Engine::Scalar)
    }

    /// A scanner before the first byte of a document.
    pub(super) fn with_engine(depth_max: usize, engine: Engine) -> Self {
        let vectors = match engine {
            Engine::Scalar => None,
            Engine::Simd | Engine::SimdAlways => Vectors::new(),
        };
        let worth = match engine {
            Engine::SimdAlways => 1,
            Engine::Scalar | Engine::Simd => bulk::WORTH,
        };
        Self {
            vectors,
            resume: usize::MAX,
            worth,
            expect: Expect::Value,
            objects: Vec::new(),
            skipped: None,
            depth_max,
            text: Text::default(),
            number: Number::default(),
            literal: b"",
            name: Vec::new(),
            name_length: 0,
            offset: 0,
        }
    }

    /// Goes on with another document, which begins `skipped` bytes after the last one. Offsets are
    /// counted from the first document's beginning.
    pub(super) fn restart(&mut self, skipped: u64) {
        self.expect = Expect::Value;
        self.objects.clear();
        self.skipped = None;
        self.name.clear();
        self.offset += skipped;
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    /// The document is not valid so far, or the sink refuses it.
    pub(super) fn push<S: Sink>(&mut self, chunk: &[u8], sink: &mut S) -> Result<(), Halt> {
        if self.vectors.is_some() {
            self.resume = 0;
        }
        self.scalar(chunk, 0, sink)?;
        self.offset += chunk.len() as u64;
        Ok(())
    }

    /// Reads a chunk from `at` on, in windows where that is worth its while.
    fn scalar<S: Sink>(&mut self, chunk: &[u8], at: usize, sink: &mut S) -> Result<(), Halt> {
        let mut at = at;
        while at < chunk.len() {
            if self.may_read_windows(chunk, at)
                && let Some(place) = self.windows(chunk, at, sink)?
            {
                at = place;
                continue;
            }
            at = match self.expect {
                Expect::InString => self.string(chunk, at, sink)?,
                Expect::InName => self.rest_of_name(chunk, at, sink)?,
                Expect::InNumber => self.digits(chunk, at, sink)?,
                Expect::InLiteral => self.letters(chunk, at, sink)?,
                Expect::Value
                | Expect::ValueOrClose
                | Expect::NameOrClose
                | Expect::Name
                | Expect::Colon
                | Expect::CommaOrClose
                | Expect::End => {
                    at = after_space(chunk, at);
                    let Some(byte) = chunk.get(at).copied() else {
                        break;
                    };
                    self.token(byte, chunk, at, sink)?
                }
            };
        }
        Ok(())
    }

    /// The document's bytes have ended; `at` is where the last chunk did.
    ///
    /// # Errors
    /// The document is not complete, or the sink refuses it.
    pub(super) fn finish<S: Sink>(&mut self, at: usize, sink: &mut S) -> Result<(), Halt> {
        if self.expect == Expect::InNumber && self.number.may_end() {
            self.scalar_ends(at, sink)?;
        }
        if self.expect == Expect::End {
            Ok(())
        } else {
            Err(Box::new(BodyError::Incomplete))
        }
    }

    /// Reads one token, or begins to.
    #[inline]
    fn token<S: Sink>(
        &mut self,
        byte: u8,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        match self.expect {
            Expect::ValueOrClose if byte == b']' => self.close(at, sink),
            Expect::Value | Expect::ValueOrClose => self.value(byte, chunk, at, sink),
            Expect::NameOrClose if byte == b'}' => self.close(at, sink),
            Expect::NameOrClose | Expect::Name if byte == b'"' => self.begin_name(chunk, at, sink),
            Expect::Colon if byte == b':' => {
                self.expect = Expect::Value;
                Ok(at + 1)
            }
            Expect::CommaOrClose => self.comma_or_close(byte, at, sink),
            Expect::End => Err(self.malformed("text after the end", at)),
            Expect::NameOrClose | Expect::Name => Err(self.malformed("expected a name", at)),
            Expect::Colon => Err(self.malformed("expected a colon", at)),
            Expect::InString | Expect::InName | Expect::InNumber | Expect::InLiteral => {
                Err(Box::new(BodyError::Spent))
            }
        }
    }

    #[inline]
    fn value<S: Sink>(
        &mut self,
        byte: u8,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        match byte {
            b'"' => {
                self.begin(JsonKind::String, at, sink)?;
                self.expect = Expect::InString;
                self.text = Text::default();
                self.string(chunk, at + 1, sink)
            }
            b'{' => self.open(JsonKind::Object, at, sink),
            b'[' => self.open(JsonKind::Array, at, sink),
            b'-' | b'0'..=b'9' => {
                self.begin(JsonKind::Number, at, sink)?;
                self.expect = Expect::InNumber;
                self.number = Number::default();
                self.digits(chunk, at, sink)
            }
            b't' => self.literal(b"true", JsonKind::Bool, at, sink),
            b'f' => self.literal(b"false", JsonKind::Bool, at, sink),
            b'n' => self.literal(b"null", JsonKind::Null, at, sink),
            _ => Err(self.malformed("expected a value", at)),
        }
    }

    fn literal<S: Sink>(
        &mut self,
        letters: &'static [u8],
        kind: JsonKind,
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        self.begin(kind, at, sink)?;
        self.expect = Expect::InLiteral;
        self.literal = letters;
        Ok(at)
    }

    #[inline]
    fn begin<S: Sink>(&mut self, kind: JsonKind, at: usize, sink: &mut S) -> Result<(), Halt> {
        if self.skipped.is_none() {
            sink.value_begins(kind, at)?;
        }
        Ok(())
    }

    #[inline]
    fn open<S: Sink>(&mut self, kind: JsonKind, at: usize, sink: &mut S) -> Result<usize, Halt> {
        if self.objects.len() >= self.depth_max {
            return Err(limit("json_depth"));
        }
        if self.skipped.is_none() && sink.value_begins(kind, at)? == Inside::Skip {
            self.skipped = Some(self.objects.len());
        }
        self.objects.push(kind == JsonKind::Object);
        self.expect = if kind == JsonKind::Object {
            Expect::NameOrClose
        } else {
            Expect::ValueOrClose
        };
        Ok(at + 1)
    }

    #[inline]
    fn close<S: Sink>(&mut self, at: usize, sink: &mut S) -> Result<usize, Halt> {
        self.objects.pop();
        if self.skipped.is_none() {
            sink.closes(at)?;
        } else if self.skipped == Some(self.objects.len()) {
            self.skipped = None;
        }
        self.scalar_ends(at + 1, sink)?;
        Ok(at + 1)
    }

    #[inline]
    fn comma_or_close<S: Sink>(
        &mut self,
        byte: u8,
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        let object = self.objects.last().copied().unwrap_or_default();
        match byte {
            b',' => {
                if self.skipped.is_none() {
                    sink.comma(at)?;
                }
                self.expect = if object { Expect::Name } else { Expect::Value };
                Ok(at + 1)
            }
            b'}' if object => self.close(at, sink),
            b']' if !object => self.close(at, sink),
            _ => Err(self.malformed("expected a comma or the end of a container", at)),
        }
    }

    /// A value has ended before `at`.
    #[inline]
    fn scalar_ends<S: Sink>(&mut self, at: usize, sink: &mut S) -> Result<(), Halt> {
        if self.skipped.is_none() {
            sink.value_ends(at)?;
        }
        self.expect = if self.objects.is_empty() {
            Expect::End
        } else {
            Expect::CommaOrClose
        };
        Ok(())
    }

    #[cold]
    fn flawed(&self, flaw: Flaw) -> Halt {
        let at = self.offset + flaw.at as u64;
        Box::new(BodyError::Malformed {
            format: "JSON",
            what: flaw.what,
            offset: at.saturating_sub(flaw.back as u64),
        })
    }

    #[cold]
    fn malformed(&self, what: &'static str, at: usize) -> Halt {
        Box::new(BodyError::Malformed {
            format: "JSON",
            what,
            offset: self.offset + at as u64,
        })
    }
}

/// A limit was reached.
#[cold]
pub(super) fn limit(limit: &'static str) -> Halt {
    Box::new(BodyError::Limit { limit })
}

/// White space (RFC 8259 section 2).
#[inline]
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where white space that begins at `at` ends.
#[inline]
fn after_space(chunk: &[u8], at: usize) -> usize {
    if chunk.get(at).is_some_and(|byte| *byte > b' ') {
        return at;
    }
    let rest = chunk.get(at..).unwrap_or_default();
    let space = rest.iter().position(|byte| !is_space(*byte));
    at + space.unwrap_or(rest.len())
}
