//! One block of 64 bytes as masks, one bit per byte.

use std::arch::asm;
use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_slli_epi16,
};

use super::BLOCK;

/// A block in two registers.
#[derive(Clone, Copy)]
pub(super) struct Block {
    low: __m256i,
    high: __m256i,
}

impl Block {
    /// Loads a block.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn load(bytes: &[u8; BLOCK]) -> Self {
        let pointer = bytes.as_ptr();
        // SAFETY: 32 bytes from the first and from the 33rd byte on lie within the array of 64; the
        // loads need no alignment.
        unsafe {
            Self {
                low: _mm256_loadu_si256(pointer.cast()),
                high: _mm256_loadu_si256(pointer.add(32).cast()),
            }
        }
    }

    /// Bytes that are equal to `byte`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn equal(self, byte: u8) -> u64 {
        let wanted = _mm256_set1_epi8(byte.cast_signed());
        mask(
            _mm256_cmpeq_epi8(self.low, wanted),
            _mm256_cmpeq_epi8(self.high, wanted),
        )
    }

    /// `{}[]:,`, and two control characters that are refused as such.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn marks(self) -> u64 {
        // At each mark's lower half: the mark with bit 5 set, which makes `[` of `{` and `]` of `}`.
        let table = _mm256_setr_epi8(
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3A, 0x7B, 0x2C, 0x7D, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0x3A, 0x7B, 0x2C, 0x7D, 0, 0,
        );
        let bit = _mm256_set1_epi8(0x20);
        mask(
            _mm256_cmpeq_epi8(
                _mm256_or_si256(self.low, bit),
                _mm256_shuffle_epi8(table, self.low),
            ),
            _mm256_cmpeq_epi8(
                _mm256_or_si256(self.high, bit),
                _mm256_shuffle_epi8(table, self.high),
            ),
        )
    }

    /// White space of RFC 8259 section 2.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn white(self) -> u64 {
        // At each white space's lower half: that byte. At the others 0, whose lower half is not theirs.
        let table = _mm256_setr_epi8(
            0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0x09, 0x0A, 0, 0, 0x0D, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0,
            0, 0x09, 0x0A, 0, 0, 0x0D, 0, 0,
        );
        mask(
            _mm256_cmpeq_epi8(self.low, _mm256_shuffle_epi8(table, self.low)),
            _mm256_cmpeq_epi8(self.high, _mm256_shuffle_epi8(table, self.high)),
        )
    }

    /// Bytes below 0x20.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn controls(self) -> u64 {
        let last = _mm256_set1_epi8(0x1F);
        mask(
            _mm256_cmpeq_epi8(_mm256_min_epu8(self.low, last), self.low),
            _mm256_cmpeq_epi8(_mm256_min_epu8(self.high, last), self.high),
        )
    }

    /// Whether there is a byte below 0x20.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn has_controls(self) -> bool {
        let least = _mm256_min_epu8(self.low, self.high);
        let last = _mm256_set1_epi8(0x1F);
        bits(_mm256_cmpeq_epi8(_mm256_min_epu8(least, last), least)) != 0
    }

    /// Bit `7 - SHIFT` of each byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn plane<const SHIFT: i32>(self) -> u64 {
        mask(
            _mm256_slli_epi16::<SHIFT>(self.low),
            _mm256_slli_epi16::<SHIFT>(self.high),
        )
    }

    /// Adds the block's bytes to what [`has_high`] looks at.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn add_to(self, all: __m256i) -> __m256i {
        _mm256_or_si256(all, _mm256_or_si256(self.low, self.high))
    }
}

/// No bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn none() -> __m256i {
    _mm256_set1_epi8(0)
}

/// Whether a byte of 0x80 or above has been added.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn has_high(all: __m256i) -> bool {
    bits(all) != 0
}

/// Each bit: the parity of the bits up to and including it.
#[inline]
#[target_feature(enable = "pclmulqdq,sse2")]
pub(super) fn parity(bits: u64) -> u64 {
    let ones = _mm_set1_epi8(-1);
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits.cast_signed()), ones);
    _mm_cvtsi128_si64(product).cast_unsigned()
}

/// The highest bit of each byte of two registers.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(low: __m256i, high: __m256i) -> u64 {
    bits(low) | (bits(high) << 32)
}

/// The highest bit of each byte, in the lower half of a word.
///
/// PERF: an opaque instruction. Of the intrinsic the compiler makes vectors of single bits again,
/// which takes hundreds of instructions per block (`cargo bench`, validate and pass).
#[inline]
#[target_feature(enable = "avx2")]
fn bits(bytes: __m256i) -> u64 {
    let mask: u64;
    // SAFETY: reads one register and writes the lower half of another, which clears its upper half; no
    // memory, no stack, no flags. AVX2 is enabled.
    unsafe {
        asm!(
            "vpmovmskb {mask:e}, {bytes}",
            bytes = in(ymm_reg) bytes,
            mask = lateout(reg) mask,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::scanner::simd::Vectors;

    #[target_feature(enable = "avx2")]
    fn classes(byte: u8) -> (u64, u64, u64) {
        let block = Block::load(&[byte; BLOCK]);
        (block.white(), block.marks(), block.controls())
    }

    #[test]
    fn every_byte_is_of_the_classes_that_the_grammar_says() {
        if Vectors::new().is_none() {
            return;
        }
        for byte in 0..=255_u8 {
            // SAFETY: the machine has AVX2, as the proof above says.
            let (white, marks, controls) = unsafe { classes(byte) };
            let all = |class: bool| u64::from(class).wrapping_neg();
            assert_eq!(white, all(b" \t\n\r".contains(&byte)), "white {byte:#x}");
            assert_eq!(controls, all(byte < 0x20), "control {byte:#x}");
            let marked = b"{}[]:,".contains(&byte);
            assert!(marks == all(marked) || byte < 0x20, "mark {byte:#x}");
        }
    }
}
