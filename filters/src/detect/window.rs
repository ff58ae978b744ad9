//! Text in pieces: what is searched stands in a window, and leaves it once nothing can be found in it
//! any more.
//!
//! ```text
//!   raw:     … e m i t t e d │ the same bytes that are in the window │
//!   folded:        [ context │ to be decided        │ look-ahead     ]
//!                            ^ done                 ^ limit          ^ CAPACITY
//! ```
//!
//! Guarantees: what leaves depends on the text alone, since the window is searched whenever it is full
//! and never because a piece has ended; what is found is never longer than the look-ahead unless it has
//! no bound, and of those the rest is dropped as it comes ([`Inside`]). Pieces of a policy's own patterns may
//! overlap without an end: what is decided of them stays decided, and hides what it runs into. Memory is
//! bounded by [`CAPACITY`] and [`INVISIBLE_MAX`].

use postern_config::detect::FOUND_BYTES_MAX;

use super::fold::{fold, plain_length};
use super::own;
use super::secret::is_value;
use super::view::View;
use super::{Search, Tail};

/// How many bytes of folded text the window holds.
pub(super) const CAPACITY: usize = 2048;

/// How many of them are there to be looked at only: more than the longest of what is found, with the
/// words that must follow.
const LOOKAHEAD: usize = 768;

/// How many bytes that have left are still looked at: more than words before a number count.
const CONTEXT: usize = 128;

// INVARIANT: what a pattern finds before the limit is known for certain. At the front of the context, where
// the character before is out of sight, it may find what is none; that ends before anything undecided begins.
const _: () = assert!(LOOKAHEAD >= own::REACH && CONTEXT >= FOUND_BYTES_MAX);

/// How many characters without a width may stand in a row. More of them could hide anything behind
/// them: the others are taken out.
const INVISIBLE_MAX: usize = 16;

/// The state of one text between two pieces.
#[derive(Clone, Default)]
pub(crate) struct Window {
    folded: Vec<u8>,
    /// For each byte of the folded text, where the character it belongs to is in the raw text.
    marks: Vec<Mark>,
    raw: Vec<u8>,
    /// Up to where the raw text has left or was dropped.
    emitted: usize,
    /// Up to where the folded text is decided.
    done: usize,
    /// Up to where what was found last reaches.
    hidden_to: usize,
    /// What goes on without a bound.
    inside: Option<Inside>,
    invisible: usize,
    /// How many pieces of text were found.
    found: u64,
}

#[derive(Clone, Copy, Default)]
struct Mark {
    start: u32,
    end: u32,
}

/// Something found that has not ended, all of which is dropped.
#[derive(Clone)]
enum Inside {
    Token,
    /// A private key: the characters that came last, and whether its end has begun.
    PrivateKey {
        recent: u64,
        ending: bool,
    },
}

impl Window {
    /// Takes the next character and how it is written.
    pub(crate) fn push(
        &mut self,
        search: Search<'_>,
        character: char,
        raw: &[u8],
        out: &mut Vec<u8>,
    ) {
        let folded = fold(character);
        if let Some(inside) = &mut self.inside {
            match inside.takes(folded) {
                Takes::It => return self.pass(search, folded),
                Takes::ItAndEnds => {
                    self.inside = None;
                    return self.pass(search, folded);
                }
                Takes::Nothing => self.inside = None,
            }
        }
        let Some(folded) = folded else {
            self.invisible += 1;
            if self.invisible <= INVISIBLE_MAX {
                self.raw.extend_from_slice(raw);
            }
            return;
        };
        self.invisible = 0;
        let start = offset(self.raw.len());
        self.raw.extend_from_slice(raw);
        let end = offset(self.raw.len());
        let mut bytes = [0; 4];
        self.folded
            .extend_from_slice(folded.encode_utf8(&mut bytes).as_bytes());
        self.marks.resize(self.folded.len(), Mark { start, end });
        if self.folded.len() >= CAPACITY {
            self.search(search, false, out);
        }
    }

    /// Takes characters of ASCII that are written as they are and searched as they are ([`plain_length`]).
    pub(crate) fn push_plain(&mut self, search: Search<'_>, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(first) = rest.first() {
            // PERF: all that there is room for at once (`postern bench`, free text).
            let room = match &self.inside {
                Some(_) => 1,
                None => CAPACITY.saturating_sub(self.folded.len()).max(1),
            };
            let (now, later) = rest.split_at(room.min(rest.len()));
            rest = later;
            if self.inside.is_some() {
                self.push(search, char::from(*first), now, out);
                continue;
            }
            self.invisible = 0;
            let start = offset(self.raw.len());
            self.raw.extend_from_slice(now);
            self.folded.extend_from_slice(now);
            let before = self.marks.len();
            self.marks.resize(self.folded.len(), Mark::default());
            let marks = self.marks.get_mut(before..).unwrap_or_default();
            for (mark, start) in marks.iter_mut().zip(start..) {
                *mark = Mark {
                    start,
                    end: start + 1,
                };
            }
            if self.folded.len() >= CAPACITY {
                self.search(search, false, out);
            }
        }
    }

    /// Takes characters that are written as they are.
    pub(crate) fn push_text(&mut self, search: Search<'_>, text: &str, out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let plain = plain_length(rest.as_bytes());
            let (now, later) = rest.split_at(plain.max(character.len_utf8()));
            rest = later;
            match plain {
                0 => self.push(search, character, now.as_bytes(), out),
                _ => self.push_plain(search, now.as_bytes(), out),
            }
        }
    }

    /// The text has ended: the rest leaves, and the window is as new. The answer is how many pieces of
    /// the text were found.
    pub(crate) fn finish(&mut self, search: Search<'_>, out: &mut Vec<u8>) -> u64 {
        self.search(search, true, out);
        let found = self.found;
        self.clear();
        (self.inside, self.invisible, self.found) = (None, 0, 0);
        found
    }

    fn search(&mut self, search: Search<'_>, last: bool, out: &mut Vec<u8>) {
        let length = self.folded.len();
        let mut limit = match last {
            true => length,
            false => self.boundary(length.saturating_sub(LOOKAHEAD)),
        };
        let began = self.done;
        let goes_on = self.hidden_to > self.done;
        // Something without an end, and where it begins.
        let mut tail = None;
        let view = match last {
            true => View::new(&self.folded),
            false => View::of_more(&self.folded),
        };
        for found in search.find(view) {
            if goes_on && found.start < self.hidden_to {
                if found.end > self.hidden_to {
                    self.hide_to(found.end);
                    tail = found.tail_at(length);
                }
                continue;
            }
            if found.start < self.done {
                continue;
            }
            if found.start >= limit {
                break;
            }
            if found.end > limit && found.start > began {
                // It is looked at again when it stands at the front, with more behind it.
                limit = found.start;
                break;
            }
            self.emit_to(found.start, out);
            let text = self.folded.get(found.start..found.end);
            search.replace(text.unwrap_or_default(), out);
            self.found = self.found.saturating_add(1);
            self.hide_to(found.end);
            tail = found.tail_at(length);
        }
        if let (Some(tail), false) = (tail, last) {
            let (tail, start) = tail;
            self.inside = Some(Inside::of(
                tail,
                self.folded.get(start..).unwrap_or_default(),
            ));
            self.raw.clear();
            self.marks.clear();
            self.emitted = 0;
            self.keep_hidden(search);
            return;
        }
        self.emit_to(limit.max(self.hidden_to), out);
        self.done = limit;
        self.forget();
    }

    /// Lets the raw text leave up to where the folded text's `place` begins.
    fn emit_to(&mut self, place: usize, out: &mut Vec<u8>) {
        let end = match self.marks.get(place) {
            Some(mark) => mark.start as usize,
            None => self.raw.len(),
        };
        if let Some(raw) = self.raw.get(self.emitted..end) {
            out.extend_from_slice(raw);
            self.emitted = end;
        }
    }

    /// Drops the raw text up to where the folded text's `place` begins, but for what shows nothing.
    fn hide_to(&mut self, place: usize) {
        let last = place.checked_sub(1).and_then(|last| self.marks.get(last));
        let end = last.map_or(0, |mark| mark.end as usize);
        self.emitted = self.emitted.max(end);
        self.hidden_to = place;
    }

    /// Forgets what has left, but for the context.
    fn forget(&mut self) {
        let from = self.boundary(self.done.saturating_sub(CONTEXT));
        let raw = self.emitted;
        self.folded.drain(..from);
        self.marks.drain(..from);
        self.raw.drain(..raw);
        let raw = offset(raw);
        for mark in &mut self.marks {
            mark.start = mark.start.saturating_sub(raw);
            mark.end = mark.end.saturating_sub(raw);
        }
        self.emitted = 0;
        self.done = self.done.saturating_sub(from);
        self.hidden_to = self.hidden_to.saturating_sub(from);
    }

    /// A character has come that belongs to something without an end.
    fn pass(&mut self, search: Search<'_>, folded: Option<char>) {
        if let Some(folded) = folded.filter(|_| search.has_patterns()) {
            let mut bytes = [0; 4];
            self.folded
                .extend_from_slice(folded.encode_utf8(&mut bytes).as_bytes());
            self.keep_hidden(search);
        }
    }

    /// Everything in the window is hidden. Where patterns are searched for its last bytes stay, since one
    /// may match from them on into what follows, or ask for the character before it.
    fn keep_hidden(&mut self, search: Search<'_>) {
        let length = self.folded.len();
        let from = match search.has_patterns() {
            false => length,
            true if length < 2 * CONTEXT => 0,
            true => self.boundary(length - CONTEXT),
        };
        self.folded.drain(..from);
        self.marks.resize(self.folded.len(), Mark::default());
        (self.done, self.hidden_to) = (0, self.folded.len());
    }

    fn clear(&mut self) {
        self.folded.clear();
        self.marks.clear();
        self.raw.clear();
        (self.emitted, self.done, self.hidden_to) = (0, 0, 0);
    }

    /// The last place up to `place` where a character begins.
    fn boundary(&self, place: usize) -> usize {
        let is_inside = |at: &usize| self.folded.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let mut at = place;
        while is_inside(&at) && at > 0 {
            at -= 1;
        }
        at
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window")
            .field("held", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// What something without a bound makes of a character.
enum Takes {
    It,
    ItAndEnds,
    Nothing,
}

impl Inside {
    /// Something that has begun in this text and reaches its end.
    fn of(tail: Tail, text: &[u8]) -> Self {
        match tail {
            Tail::Token => Self::Token,
            Tail::PrivateKey => {
                let mut key = Self::PrivateKey {
                    recent: 0,
                    ending: false,
                };
                for byte in text {
                    key.takes(Some(char::from(*byte)));
                }
                key
            }
        }
    }

    fn takes(&mut self, folded: Option<char>) -> Takes {
        let Some(folded) = folded else {
            return Takes::It;
        };
        let byte = u8::try_from(folded).unwrap_or(0x80);
        match self {
            Self::Token if is_value(byte) => Takes::It,
            Self::Token => Takes::Nothing,
            Self::PrivateKey { recent, ending } => {
                *recent = *recent << 8 | u64::from(byte);
                match ending {
                    false => *ending = *recent == u64::from_be_bytes(*b"-----END"),
                    true if *recent & 0xFF_FFFF_FFFF == 0x2D_2D2D_2D2D => return Takes::ItAndEnds,
                    true => {}
                }
                Takes::It
            }
        }
    }
}

/// INVARIANT: the raw text of a window is far shorter than 4 GiB.
fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
