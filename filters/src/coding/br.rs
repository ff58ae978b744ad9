//! Brotli (RFC 7932), windows up to the format's 16 MiB; the large-window variant is refused.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};

use crate::body_filter::BodyError;
use crate::coding::damaged;
use crate::coding::stage::Step;

/// A Brotli body being decoded.
pub(super) struct BrotliStream {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    ended: bool,
}

impl BrotliStream {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            ended: false,
        }
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.ended
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, BodyError> {
        if self.ended {
            return match input.is_empty() {
                true => Ok(Step::default()),
                false => Err(damaged("bytes follow the brotli stream")),
            };
        }
        let (mut left_in, mut left_out) = (input.len(), out.len());
        let mut step = Step::default();
        let mut total = 0;
        let result = BrotliDecompressStream(
            &mut left_in,
            &mut step.read,
            input,
            &mut left_out,
            &mut step.written,
            out,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err(damaged("the brotli data is damaged")),
        }
        Ok(step)
    }
}
