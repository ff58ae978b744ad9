//! One decoder of one coding, and what all of them have in common.

use crate::body_filter::BodyError;
use crate::coding::Coding;
use crate::coding::br::BrotliStream;
use crate::coding::deflate::DeflateStream;
use crate::coding::gzip::GzipStream;
use crate::coding::zstd_frames::ZstdFrames;

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes taken from the input.
    pub(super) read: usize,
    /// Bytes put into the output.
    pub(super) written: usize,
}

/// One decoder.
pub(super) enum Stage {
    Gzip(GzipStream),
    Deflate(DeflateStream),
    Brotli(BrotliStream),
    Zstd(ZstdFrames),
}

impl Stage {
    /// A decoder at the start of a body.
    pub(super) fn new(coding: Coding) -> Result<Self, BodyError> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzipStream::new()),
            Coding::Deflate => Self::Deflate(DeflateStream::new()),
            Coding::Brotli => Self::Brotli(BrotliStream::new()),
            Coding::Zstd => Self::Zstd(ZstdFrames::new()?),
        })
    }

    /// Decodes some of the input. Unless the output is full, everything that the input so far
    /// decodes to has been written once the input is used up.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, BodyError> {
        match self {
            Self::Gzip(stream) => stream.step(input, out),
            Self::Deflate(stream) => stream.step(input, out),
            Self::Brotli(stream) => stream.step(input, out),
            Self::Zstd(frames) => frames.step(input, out),
        }
    }

    /// Whether the body may end here.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Gzip(stream) => stream.is_complete(),
            Self::Deflate(stream) => stream.is_complete(),
            Self::Brotli(stream) => stream.is_complete(),
            Self::Zstd(frames) => frames.is_complete(),
        }
    }
}
