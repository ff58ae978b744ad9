//! Windows of 64-byte blocks, read with vector instructions.
//!
//! Guarantees: a window that [`Vectors::read`] does not call wrong is a piece of a valid document, as
//! the scalar scanner would have found: grammar, white space, control characters and the nesting of
//! brackets are checked here, escapes on the way; numbers, literals and UTF-8 are the caller's, from
//! the masks. It keeps nothing but the masks of one window and a few bits between windows.
//!
//! ```text
//! 64 bytes ─▶ masks: quotes, escapes, inside a string, `{}[]:,`, white space, the rest
//!          ─▶ one bit per token instead of one per byte (`pext`), gathered to 64 tokens
//!          ─▶ grammar, 64 tokens at a time; brackets one by one
//! ```
//!
//! A [`Vectors`] is the proof that the machine has the instructions. All of `unsafe` is in this folder.

#[cfg(target_arch = "x86_64")]
mod block;
mod filled;
mod grammar;
#[cfg(target_arch = "x86_64")]
mod reading;

use filled::Filled;
use grammar::Tokens;
pub(super) use grammar::{DEPTH_MAX, Due, Grammar};

/// Blocks in a window.
const BLOCKS: usize = 64;

/// Bytes in a block.
pub(super) const BLOCK: usize = 64;

/// Bytes in a window.
pub(super) const WINDOW: usize = BLOCKS * BLOCK;

/// The masks of a block, one bit per byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// Brackets, colons and commas outside of strings.
    pub(super) marks: u64,
    /// The brackets among them.
    pub(super) brackets: u64,
    /// The opening brackets and the colons among them.
    pub(super) firsts: u64,
    /// Quotes that begin or end a string.
    pub(super) quotes: u64,
    /// First bytes of what is neither a string nor a mark: numbers and literals.
    pub(super) bare: u64,
    /// Backslashes.
    pub(super) backslashes: u64,
    /// Second bytes of escapes, but of escaped quotes and backslashes.
    unusual: u64,
}

/// What was read of a window.
pub(super) struct Window {
    rows: Filled<Row>,
    tokens: Filled<Tokens>,
}

impl Window {
    /// Before the first window.
    pub(super) fn new() -> Self {
        Self {
            rows: Filled::new(),
            tokens: Filled::new(),
        }
    }

    /// The blocks of the window that was read last.
    pub(super) fn rows(&self) -> &[Row] {
        self.rows.all()
    }
}

/// What goes on from one window to the next.
pub(super) struct Carry {
    /// All ones within a string.
    pub(super) in_string: u64,
    /// 1 when the next byte is escaped.
    pub(super) escaped: u64,
    /// 1 when the last byte belongs to a number or a literal.
    pub(super) bare: u64,
    pub(super) grammar: Grammar,
    pub(super) escapes: Escapes,
}

/// Escapes of more than two bytes.
pub(super) struct Escapes {
    /// Where the `u` of a low surrogate stands that belongs to a pair.
    pub(super) low: usize,
    /// The backslash of an escape that the chunk's end has cut.
    pub(super) cut: Option<usize>,
}

/// What is known of a window that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Something is not as RFC 8259 says.
    pub(super) wrong: bool,
    /// There are bytes of 0x80 and above.
    pub(super) non_ascii: bool,
}

/// The proof that the machine has AVX2, BMI1, BMI2, LZCNT, POPCNT and PCLMULQDQ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectors(());

impl Vectors {
    /// The proof, on a machine that has them.
    pub(super) fn new() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
            && std::arch::is_x86_feature_detected!("pclmulqdq")
        {
            return Some(Self(()));
        }
        None
    }

    /// Reads the window that begins at `from`, up to `to`, which is at most [`WINDOW`] further and
    /// within the chunk. Only the last window of a chunk may end within a block.
    pub(super) fn read(
        self,
        carry: &mut Carry,
        chunk: &[u8],
        (from, to): (usize, usize),
        window: &mut Window,
    ) -> Seen {
        #[cfg(target_arch = "x86_64")]
        {
            // SAFETY: `self` exists only where `Self::new` has found every feature that `read` enables.
            unsafe { reading::read(carry, chunk, (from, to), window) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _unused = (carry, chunk, from, to, window);
            Seen {
                wrong: true,
                non_ascii: true,
            }
        }
    }
}
