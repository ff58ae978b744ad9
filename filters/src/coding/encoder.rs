//! Putting a coding on a redacted body for the client.
//!
//! Windows are kept small: an exchange pays for its encoder's memory. What a body compresses to
//! depends only on what leaves, never on what was hidden.

use std::io::Write;

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;

use crate::body_filter::BodyError;
use crate::coding::Coding;

const GZIP_LEVEL: u32 = 5;
const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW_LOG: u32 = 18;
const BROTLI_BUFFER_BYTES: usize = 16 << 10;
const ZSTD_LEVEL: i32 = 3;
const ZSTD_WINDOW_LOG: u32 = 18;

/// Encodes one body as it streams.
pub(crate) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// An encoder; none for `deflate`, which is never chosen for a client.
    pub(crate) fn new(coding: Coding) -> Option<Self> {
        match coding {
            Coding::Gzip => Some(Self::Gzip(GzEncoder::new(
                Vec::new(),
                Compression::new(GZIP_LEVEL),
            ))),
            Coding::Brotli => Some(Self::Brotli(Box::new(CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER_BYTES,
                BROTLI_QUALITY,
                BROTLI_WINDOW_LOG,
            )))),
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).ok()?;
                encoder
                    .set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG))
                    .ok()?;
                Some(Self::Zstd(encoder))
            }
            Coding::Deflate => None,
        }
    }

    /// Encodes the next bytes; returns what is ready.
    ///
    /// # Errors
    /// The encoder failed; nothing more may leave.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
        let (written, ready) = match self {
            Self::Gzip(encoder) => (encoder.write_all(bytes), encoder.get_mut()),
            Self::Brotli(encoder) => (encoder.write_all(bytes), encoder.get_mut()),
            Self::Zstd(encoder) => (encoder.write_all(bytes), encoder.get_mut()),
        };
        match written {
            Ok(()) => Ok(std::mem::take(ready)),
            Err(_) => Err(BodyError::Spent),
        }
    }

    /// Ends the body; returns the rest of it.
    ///
    /// # Errors
    /// The encoder failed; nothing more may leave.
    pub(crate) fn finish(self) -> Result<Vec<u8>, BodyError> {
        let rest = match self {
            Self::Gzip(encoder) => encoder.finish().ok(),
            Self::Brotli(encoder) => Some(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish().ok(),
        };
        rest.ok_or(BodyError::Spent)
    }
}
