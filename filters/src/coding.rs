//! Content codings (RFC 9110 section 8.4): what the upstream applied is taken off, and what the
//! client may have is put on.
//!
//! Guarantees of decoding: every member and frame is decoded and every checksum compared; trailing
//! bytes, a truncated stream, an unknown coding and more than two stacked ones are errors; at most
//! [`STEP_BYTES`] are decoded before they are handed on; what comes out never exceeds
//! `expand_ratio` times what went in, plus [`SMALL_BODY_BYTES`]. It knows nothing about JSON.

mod br;
mod deflate;
mod encoder;
mod gzip;
mod stage;
mod zstd_frames;

use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::body_filter::BodyError;

pub(crate) use encoder::Encoder;
use stage::Stage;

/// What is decoded at once before it is handed on.
pub const STEP_BYTES: usize = 64 << 10;
/// What a body may always decode to, whatever the ratio.
pub const SMALL_BODY_BYTES: u64 = 1 << 20;
/// How many codings may be stacked.
const STACK_MAX: usize = 2;

/// A content coding that can be taken off and put on (deflate: only taken off).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 without its wrapper.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, windows up to 8 MiB.
    Zstd,
}

impl Coding {
    /// The name in `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Reads a coding's name; `identity` is no coding.
    fn parse(token: &str) -> Result<Option<Self>, BodyError> {
        match token.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            "br" => Ok(Some(Self::Brotli)),
            "zstd" => Ok(Some(Self::Zstd)),
            "identity" => Ok(None),
            _ => Err(damaged("unknown coding")),
        }
    }
}

/// The codings of a head, in the order in which they were applied; empty elements are skipped
/// (RFC 9110 section 5.6.1).
///
/// # Errors
/// A coding is unknown, or more than two are stacked.
pub(crate) fn codings_of(headers: &HeaderMap) -> Result<Vec<Coding>, BodyError> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let Ok(text) = value.to_str() else {
            return Err(damaged("unknown coding"));
        };
        for token in text.split(',').map(|token| token.trim_matches([' ', '\t'])) {
            if !token.is_empty() {
                codings.extend(Coding::parse(token)?);
            }
        }
    }
    if codings.len() > STACK_MAX {
        return Err(damaged("too many codings"));
    }
    Ok(codings)
}

/// Where decoded bytes go, at most [`STEP_BYTES`] at once.
pub type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), BodyError>;

/// Takes the codings of one body off as it streams. What it hands on is not redacted: only
/// [`crate::BodyPipeline`] makes bytes that may leave.
pub struct Decoder {
    /// The coding applied last comes first.
    layers: Vec<Layer>,
    expand_ratio: u64,
    bytes_in: u64,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("layers", &self.layers.len())
            .field("bytes_in", &self.bytes_in)
            .finish_non_exhaustive()
    }
}

struct Layer {
    stage: Stage,
    bytes_out: u64,
    step: Vec<u8>,
}

impl Decoder {
    /// A decoder of codings listed in the order in which they were applied.
    ///
    /// # Errors
    /// A decoder cannot be set up.
    pub fn new(codings: &[Coding], expand_ratio: usize) -> Result<Self, BodyError> {
        let layer = |coding: &Coding| {
            Ok(Layer {
                stage: Stage::new(*coding)?,
                bytes_out: 0,
                step: vec![0; STEP_BYTES],
            })
        };
        Ok(Self {
            layers: codings.iter().rev().map(layer).collect::<Result<_, _>>()?,
            expand_ratio: u64::try_from(expand_ratio).unwrap_or(u64::MAX),
            bytes_in: 0,
        })
    }

    /// Decodes the next bytes of the body.
    ///
    /// # Errors
    /// The coding is damaged, the body expands too far, or the sink refuses what it is given.
    pub fn push(&mut self, chunk: &[u8], sink: Sink<'_>) -> Result<(), BodyError> {
        self.bytes_in = self.bytes_in.saturating_add(chunk.len() as u64);
        let bytes_out_max = self
            .bytes_in
            .saturating_mul(self.expand_ratio)
            .saturating_add(SMALL_BODY_BYTES);
        run(&mut self.layers, chunk, bytes_out_max, sink)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// It ended within a stream.
    pub fn finish(&self) -> Result<(), BodyError> {
        match self.layers.iter().all(|layer| layer.stage.is_complete()) {
            true => Ok(()),
            false => Err(BodyError::Incomplete),
        }
    }
}

/// Decodes through the remaining layers; as deep as there are layers, that is [`STACK_MAX`].
fn run(
    layers: &mut [Layer],
    input: &[u8],
    bytes_out_max: u64,
    sink: Sink<'_>,
) -> Result<(), BodyError> {
    let Some((layer, inner)) = layers.split_first_mut() else {
        return sink(input);
    };
    let mut rest = input;
    loop {
        let step = layer.stage.step(rest, &mut layer.step)?;
        rest = rest.get(step.read..).ok_or(BodyError::Spent)?;
        let decoded = layer.step.get(..step.written).ok_or(BodyError::Spent)?;
        layer.bytes_out = layer.bytes_out.saturating_add(step.written as u64);
        if layer.bytes_out > bytes_out_max {
            return Err(BodyError::Limit {
                limit: "expand_ratio",
            });
        }
        if !decoded.is_empty() {
            run(inner, decoded, bytes_out_max, sink)?;
        }
        // INVARIANT: a stage that did not fill its step has nothing more to say without input.
        if rest.is_empty() && step.written < STEP_BYTES {
            return Ok(());
        }
        if step.read == 0 && step.written == 0 {
            return Err(damaged("no progress"));
        }
    }
}

/// The error of a coding that cannot be decoded.
const fn damaged(what: &'static str) -> BodyError {
    BodyError::ContentCoding { what }
}

#[cfg(test)]
mod tests;
