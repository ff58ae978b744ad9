//! Zstandard (RFC 8878): every frame, each with its checksum when it has one.
//!
//! Windows beyond 8 MiB are refused, as RFC 9659 asks of the content coding. Only frames of the
//! standard begin a frame here: what older versions of the format called one is refused.

use zstd::stream::raw::{DParameter, Decoder, Operation};

use crate::body_filter::BodyError;
use crate::coding::damaged;
use crate::coding::stage::Step;

/// The largest window, as a power of two (RFC 9659 section 3).
const WINDOW_LOG_MAX: u32 = 23;
/// Little endian `FD2FB528`.
const FRAME_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The upper three bytes of `184D2A5?`: a frame to skip.
const SKIPPABLE_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];

/// A zstd body being decoded.
pub(super) struct ZstdFrames {
    decoder: Decoder<'static>,
    /// Bytes of the next frame's magic number that have been seen; four within a frame.
    magic_seen: usize,
    skippable: bool,
    any: bool,
}

impl ZstdFrames {
    pub(super) fn new() -> Result<Self, BodyError> {
        let set_up = || {
            let mut decoder = Decoder::new().ok()?;
            decoder
                .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
                .ok()?;
            Some(decoder)
        };
        Ok(Self {
            decoder: set_up().ok_or(damaged("zstd cannot be set up"))?,
            magic_seen: 0,
            skippable: false,
            any: false,
        })
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.any && self.magic_seen == 0
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, BodyError> {
        if input.is_empty() && self.magic_seen < FRAME_MAGIC.len() {
            return Ok(Step::default());
        }
        // One byte at a time until the magic number is known, so that a frame that is none of ours
        // never reaches the library.
        let within = match (self.magic_seen < FRAME_MAGIC.len(), input.first()) {
            (true, Some(byte)) => {
                self.magic(*byte)?;
                input.get(..1).unwrap_or_default()
            }
            (true, None) | (false, _) => input,
        };
        let Ok(status) = self.decoder.run_on_buffers(within, out) else {
            return Err(damaged("the zstd data is damaged or its window too large"));
        };
        if status.remaining == 0 {
            self.magic_seen = 0;
            self.any = true;
        }
        Ok(Step {
            read: status.bytes_read,
            written: status.bytes_written,
        })
    }

    /// Takes one byte of a frame's magic number.
    fn magic(&mut self, byte: u8) -> Result<(), BodyError> {
        let fits = match self.magic_seen {
            0 => {
                self.skippable = byte & 0xf0 == 0x50;
                self.skippable || FRAME_MAGIC.first() == Some(&byte)
            }
            at if self.skippable => SKIPPABLE_MAGIC.get(at - 1) == Some(&byte),
            at => FRAME_MAGIC.get(at) == Some(&byte),
        };
        self.magic_seen += 1;
        match fits {
            true => Ok(()),
            false => Err(damaged("what follows is no zstd frame")),
        }
    }
}
