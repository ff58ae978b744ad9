//! `deflate`: the zlib format (RFC 1950), checksum included.
//!
//! Some servers send bare deflate data (RFC 1951) under this name. The first two bytes decide, once:
//! when they are a valid zlib header without a dictionary, the body is zlib and nothing else.

use flate2::Decompress;

use crate::body_filter::BodyError;
use crate::coding::damaged;
use crate::coding::gzip::inflate;
use crate::coding::stage::Step;

/// A deflate body being decoded.
pub(super) enum DeflateStream {
    /// Fewer than two bytes have come.
    Undecided(Option<u8>),
    Running(Decompress),
    Ended,
}

impl DeflateStream {
    pub(super) const fn new() -> Self {
        Self::Undecided(None)
    }

    pub(super) const fn is_complete(&self) -> bool {
        matches!(self, Self::Ended)
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, BodyError> {
        match self {
            Self::Ended if input.is_empty() => Ok(Step::default()),
            Self::Ended => Err(damaged("bytes follow the deflate stream")),
            Self::Undecided(first) => match (*first, input) {
                (_, []) => Ok(Step::default()),
                (None, [first, ..]) => {
                    *self = Self::Undecided(Some(*first));
                    Ok(Step {
                        read: 1,
                        written: 0,
                    })
                }
                (Some(first), [second, ..]) => self.begin([first, *second], out),
            },
            Self::Running(stream) => {
                let (step, ended) = inflate(stream, input, out)?;
                if ended {
                    *self = Self::Ended;
                }
                Ok(step)
            }
        }
    }

    /// Decides by the first two bytes and decodes them; the second is the input's first.
    fn begin(&mut self, head: [u8; 2], out: &mut [u8]) -> Result<Step, BodyError> {
        let [method, flags] = head;
        let zlib = method & 0x0f == 8
            && method >> 4 <= 7
            && flags & 0x20 == 0
            && u16::from_be_bytes(head).is_multiple_of(31);
        let mut stream = Decompress::new(zlib);
        // INVARIANT: two bytes decode to far less than a step, so both are read here.
        let (step, ended) = inflate(&mut stream, &head, out)?;
        if step.read < head.len() {
            return Err(damaged("bytes follow the deflate stream"));
        }
        *self = match ended {
            true => Self::Ended,
            false => Self::Running(stream),
        };
        Ok(Step {
            read: 1,
            written: step.written,
        })
    }
}
