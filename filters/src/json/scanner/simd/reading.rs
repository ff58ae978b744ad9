//! Reads a window, block by block.

use std::arch::x86_64::{__m256i, _pext_u64};

use super::block::{Block, has_high, none, parity};
use super::grammar::{Grammar, Tokens};
use super::{BLOCK, Carry, Escapes, Row, Seen, Window};

/// Reads the bytes of a window; see [`super::Vectors::read`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn read(
    carry: &mut Carry,
    chunk: &[u8],
    (from, to): (usize, usize),
    window: &mut Window,
) -> Seen {
    let text = chunk.get(from..to).unwrap_or_default();
    // PERF: what changes with a block stays in registers as far as these go: the loop calls nothing, and
    // nothing points to its state.
    let mut reading = Reading {
        in_string: carry.in_string,
        escapes: carry.escaped << 63,
        other: carry.bare << 63,
        gathered: Tokens::default(),
        count: 0,
        wrong: 0,
        all: none(),
    };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut padded = [[b' '; BLOCK]];
    for (slot, byte) in padded.as_flattened_mut().iter_mut().zip(rest) {
        *slot = *byte;
    }
    let last = if rest.is_empty() { &[][..] } else { &padded };
    let (mut rows, mut words) = (window.rows.rewrite(), window.tokens.rewrite());
    let mut unusual = 0;
    for part in [blocks, last] {
        for bytes in part {
            let (row, found, count) = reading.block(bytes);
            unusual |= row.unusual;
            rows.push(row);
            if let Some(full) = reading.gather(found, count) {
                words.push(full);
            }
        }
    }
    rows.finish();
    words.finish();
    let length = if rest.is_empty() { BLOCK } else { rest.len() };
    carry.in_string = reading.in_string;
    carry.escaped = (reading.escapes >> (length - 1)) & 1;
    carry.bare = (reading.other >> (length - 1)) & 1;
    let last = (reading.gathered, reading.count);
    let mut wrong = reading.wrong != 0 || grammar(&mut carry.grammar, window.tokens.all(), last);
    if unusual != 0 {
        wrong |= !carry
            .escapes
            .check_all(chunk, (from, to), window.rows.all());
    }
    Seen {
        wrong,
        non_ascii: has_high(reading.all),
    }
}

/// Checks the tokens of a window: words of sixty-four, and the rest of them.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn grammar(grammar: &mut Grammar, words: &[Tokens], (rest, count): (Tokens, u32)) -> bool {
    grammar.lowest = grammar.depth();
    let last = (count > 0).then_some((rest, count));
    let mut wrong = false;
    for (tokens, count) in words.iter().map(|tokens| (*tokens, 64)).chain(last) {
        wrong |= grammar.check(tokens, count, |bits| parity(bits));
    }
    wrong
}

/// What is remembered between two blocks of a window.
struct Reading {
    in_string: u64,
    /// Of the block before: backslashes that escape, and bytes of numbers and literals.
    escapes: u64,
    other: u64,
    gathered: Tokens,
    count: u32,
    wrong: u64,
    all: __m256i,
}

impl Reading {
    /// Reads a block: its masks, its tokens and how many these are.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    fn block(&mut self, bytes: &[u8; BLOCK]) -> (Row, Tokens, u32) {
        let block = Block::load(bytes);
        self.all = block.add_to(self.all);
        let raw_quotes = block.equal(b'"');
        let backslashes = block.equal(b'\\');
        let (escaped, escapes) = escaped(backslashes, self.escapes >> 63);
        self.escapes = escapes;
        let quotes = raw_quotes & !escaped;
        let inside = parity(quotes) ^ self.in_string;
        self.in_string = (inside.cast_signed() >> 63).cast_unsigned();
        let mut white = block.equal(b' ');
        if block.has_controls() {
            white = block.white();
            self.wrong |= block.controls() & (inside | !white);
        }

        let marks = block.marks() & !inside;
        let other = !(inside | quotes | marks | white);
        let bare = other & !((other << 1) | (self.other >> 63));
        self.other = other;
        let tokens = (quotes & inside) | bare | marks;
        let brackets = block.plane::<1>() & marks;
        let first = block.plane::<6>() & !bare;
        let found = Tokens {
            brackets: _pext_u64(brackets, tokens),
            first: _pext_u64(first, tokens),
            third: _pext_u64(block.plane::<2>() & marks, tokens),
        };
        let row = Row {
            marks,
            brackets,
            firsts: marks & first,
            quotes,
            bare,
            backslashes,
            unusual: escaped & !(raw_quotes | backslashes),
        };
        (row, found, tokens.count_ones())
    }

    /// Adds a block's tokens; gives sixty-four as soon as there are as many.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    fn gather(&mut self, found: Tokens, count: u32) -> Option<Tokens> {
        // INVARIANT: between two blocks fewer than 64 tokens wait, and a block brings at most 64.
        let room = self.count & 63;
        self.gathered.brackets |= found.brackets << room;
        self.gathered.first |= found.first << room;
        self.gathered.third |= found.third << room;
        self.count = room.wrapping_add(count);
        if self.count < 64 {
            return None;
        }
        self.count = self.count.wrapping_sub(64);
        // PERF: in two steps, because `room` may be zero.
        let rest = |word: u64| (word >> (63 - room)) >> 1;
        let next = Tokens {
            brackets: rest(found.brackets),
            first: rest(found.first),
            third: rest(found.third),
        };
        Some(std::mem::replace(&mut self.gathered, next))
    }
}

/// The bytes after backslashes that are not themselves escaped, and these backslashes; `first` is 1
/// when the first byte is escaped.
#[inline]
fn escaped(backslashes: u64, first: u64) -> (u64, u64) {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    // A run of backslashes is subtracted from the position after its first: the borrow alternates
    // along the run, and with the odd bits it says which of them escape.
    let potential = backslashes & !first;
    let codes = ((potential << 1) | ODD).wrapping_sub(potential) ^ ODD;
    (codes ^ (backslashes | first), codes & backslashes)
}

impl Escapes {
    /// Checks the escapes of a window of which more than the second byte counts, or that are none.
    #[cold]
    fn check_all(&mut self, chunk: &[u8], (from, to): (usize, usize), rows: &[Row]) -> bool {
        for (row, at) in rows.iter().zip((from..to).step_by(BLOCK)) {
            let mut left = row.unusual;
            while left != 0 {
                let place = at + left.trailing_zeros() as usize;
                left &= left - 1;
                if place < to && !self.check(chunk, place) {
                    return false;
                }
            }
        }
        true
    }

    /// Checks the escape whose second byte is at `place`.
    fn check(&mut self, chunk: &[u8], place: usize) -> bool {
        match chunk.get(place) {
            Some(b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
            Some(b'u') => place == self.low || self.hexadecimal(chunk, place),
            _ => false,
        }
    }

    /// Checks the escape, or the pair of them, whose `u` is at `place`.
    fn hexadecimal(&mut self, chunk: &[u8], place: usize) -> bool {
        let unit = |from: usize| -> Option<Option<u32>> {
            let digits = chunk.get(from..from + 4)?;
            let value = digits.iter().try_fold(0, |value, digit| {
                Some(value * 16 + char::from(*digit).to_digit(16)?)
            });
            Some(value)
        };
        match unit(place + 1) {
            None => self.cut_at(place - 1),
            Some(Some(0xD800..0xDC00)) => {
                match (chunk.get(place + 5..place + 7), unit(place + 7)) {
                    (Some(b"\\u"), Some(Some(0xDC00..0xE000))) => self.low = place + 6,
                    (Some(b"\\u") | None, None) => self.cut_at(place - 1),
                    _ => return false,
                }
            }
            Some(None | Some(0xDC00..0xE000)) => return false,
            Some(Some(_)) => {}
        }
        true
    }

    /// The first escape that is cut is where the text is to be read again.
    fn cut_at(&mut self, backslash: usize) {
        self.cut.get_or_insert(backslash);
    }
}
