//! Reads a window, block by block.

use std::arch::x86_64::{__m256i, _pext_u64};

use super::block::{Block, has_high, none, parity};
use super::grammar::{Grammar, Tokens};
use super::{BLOCK, BLOCKS, Carry, Escapes, Row, Seen, Window};

/// Reads the bytes of a window; see [`super::Vectors::read`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
pub(super) fn read(
    carry: &mut Carry,
    chunk: &[u8],
    (from, to): (usize, usize),
    window: &mut Window,
) -> Seen {
    let text = chunk.get(from..to).unwrap_or_default();
    // PERF: what changes with a block stays in registers: two loops that call nothing, and nothing points
    // to their state.
    let mut reading = Reading {
        in_string: carry.in_string,
        escapes: carry.escaped << 63,
        other: carry.bare << 63,
        wrong: 0,
        all: none(),
    };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut padded = [[b' '; BLOCK]];
    for (slot, byte) in padded.as_flattened_mut().iter_mut().zip(rest) {
        *slot = *byte;
    }
    let last = if rest.is_empty() { &[][..] } else { &padded };
    let mut unusual = 0;
    let (whole, part) = window.rows.slots().split_at_mut(blocks.len().min(BLOCKS));
    for (blocks, slots) in [(blocks, whole), (last, part)] {
        for (bytes, slot) in blocks.iter().zip(slots) {
            let row = reading.block(bytes);
            unusual |= row.unusual;
            slot.write(row);
        }
    }
    // SAFETY: there is a slot for each block, and each has been written; or there are more blocks than
    // slots, and all slots have.
    unsafe { window.rows.are_written(blocks.len() + last.len()) };
    let waiting = gather(blocks, last, window);
    let length = if rest.is_empty() { BLOCK } else { rest.len() };
    carry.in_string = reading.in_string;
    carry.escaped = (reading.escapes >> (length - 1)) & 1;
    carry.bare = (reading.other >> (length - 1)) & 1;
    let words = window.tokens.all();
    let mut wrong = reading.wrong != 0 || grammar(&mut carry.grammar, words, waiting);
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

/// Reads the tokens of a window whose masks are known, and says how many the last word of them has; zero
/// when it is full.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn gather(blocks: &[[u8; BLOCK]], last: &[[u8; BLOCK]], window: &mut Window) -> u32 {
    let mut gathering = Gathering::default();
    let mut words = 0;
    let slots = window.tokens.slots();
    let rows = window.rows.all_mut();
    let (whole, part) = rows.split_at_mut(blocks.len().min(rows.len()));
    for (blocks, rows) in [(blocks, whole), (last, part)] {
        for (bytes, row) in blocks.iter().zip(rows) {
            let (found, count) = tokens(bytes, row);
            if let Some(full) = gathering.gather(found, count)
                && let Some(slot) = slots.get_mut(words)
            {
                slot.write(full);
                words += 1;
            }
        }
    }
    if gathering.count > 0
        && let Some(slot) = slots.get_mut(words)
    {
        slot.write(gathering.gathered);
        words += 1;
    }
    // SAFETY: `words` goes past a slot right after that has been written.
    unsafe { window.tokens.are_written(words) };
    gathering.count
}

/// Checks the tokens of a window: words of sixty-four, of which the last one has only `rest`, if that is
/// not zero.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn grammar(grammar: &mut Grammar, words: &[Tokens], rest: u32) -> bool {
    grammar.lowest = grammar.depth();
    let mut wrong = false;
    let mut left = words.len();
    for tokens in words {
        left -= 1;
        let count = if left == 0 && rest > 0 { rest } else { 64 };
        let opened = (tokens.brackets & tokens.first).count_ones();
        match grammar.nest(*tokens, count, opened) {
            Some((changes, before)) => {
                let objects = parity(changes) ^ before.wrapping_neg();
                wrong |= grammar.check(*tokens, count, objects);
            }
            None => wrong = true,
        }
    }
    wrong
}

/// What is remembered between two blocks of a window.
struct Reading {
    in_string: u64,
    /// Of the block before: backslashes that escape, and bytes of numbers and literals.
    escapes: u64,
    other: u64,
    wrong: u64,
    all: __m256i,
}

/// Tokens that wait until there are sixty-four of them.
#[derive(Default)]
struct Gathering {
    gathered: Tokens,
    count: u32,
}

impl Reading {
    /// Reads a block: its masks, but for those of which kind its marks are.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    fn block(&mut self, bytes: &[u8; BLOCK]) -> Row {
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
        Row {
            marks,
            // Where the tokens are; `tokens` reads of which kind.
            brackets: (quotes & inside) | bare | marks,
            firsts: 0,
            quotes,
            bare,
            backslashes,
            unusual: escaped & !(raw_quotes | backslashes),
        }
    }
}

/// Reads the tokens of a block and how many these are, and which kinds its marks are.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
fn tokens(bytes: &[u8; BLOCK], row: &mut Row) -> (Tokens, u32) {
    let block = Block::load(bytes);
    let tokens = row.brackets;
    let brackets = block.plane::<1>() & row.marks;
    let first = block.plane::<6>() & !row.bare;
    let found = Tokens {
        brackets: _pext_u64(brackets, tokens),
        first: _pext_u64(first, tokens),
        third: _pext_u64(block.plane::<2>() & row.marks, tokens),
    };
    row.brackets = brackets;
    row.firsts = row.marks & first;
    (found, tokens.count_ones())
}

impl Gathering {
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
