//! Putting a coding on a redacted body for the client.
//!
//! Windows are kept small: an exchange pays for its encoder's memory. What a body compresses to
//! depends only on what leaves, never on what was hidden.
//!
//! SECURITY: compressors may look at how much they are given at once, and how a redacted body comes in
//! pieces depends on what was cut from it. So they are fed in blocks of one size:
//!
//! ```text
//! pieces:  [..][.........][.]   ──▶  block: [ BLOCK_BYTES ][ BLOCK_BYTES ][ rest ]  ──▶  compressor
//! ```

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

/// What a compressor is given at once, in bytes.
const BLOCK_BYTES: usize = 16 << 10;

/// Encodes one body as it streams.
pub(crate) struct Encoder {
    compressor: Compressor,
    /// Less than [`BLOCK_BYTES`] between calls.
    block: Vec<u8>,
}

enum Compressor {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// An encoder; none for `deflate`, which is never chosen for a client.
    pub(crate) fn new(coding: Coding) -> Option<Self> {
        Some(Self {
            compressor: Compressor::new(coding)?,
            block: Vec::new(),
        })
    }

    /// Encodes the next bytes; returns what is ready.
    ///
    /// # Errors
    /// The encoder failed; nothing more may leave.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
        let mut ready = Vec::new();
        while self.block.len().saturating_add(bytes.len()) >= BLOCK_BYTES {
            let room = BLOCK_BYTES.saturating_sub(self.block.len());
            let (fits, rest) = bytes.split_at_checked(room).ok_or(BodyError::Spent)?;
            self.block.extend_from_slice(fits);
            ready.append(&mut self.compressor.write(&self.block)?);
            self.block.clear();
            bytes = rest;
        }
        self.block.extend_from_slice(bytes);
        Ok(ready)
    }

    /// Ends the body; returns the rest of it.
    ///
    /// # Errors
    /// The encoder failed; nothing more may leave.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, BodyError> {
        let mut rest = self.compressor.write(&self.block)?;
        rest.append(&mut self.compressor.finish()?);
        Ok(rest)
    }
}

impl Compressor {
    fn new(coding: Coding) -> Option<Self> {
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

    fn write(&mut self, bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
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

    fn finish(self) -> Result<Vec<u8>, BodyError> {
        let rest = match self {
            Self::Gzip(encoder) => encoder.finish().ok(),
            Self::Brotli(encoder) => Some(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish().ok(),
        };
        rest.ok_or(BodyError::Spent)
    }
}
