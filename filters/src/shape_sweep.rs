//! Looks for tokens that their shape gives away in any text that streams by: JSON Web Tokens, SAML messages in
//! base64, and what bears its issuer's beginning.
//!
//! Guarantees: nothing that may be such a token leaves before the caller has been asked about it; a text is read
//! the same however it is split; what is held is bounded by [`SHAPED_BYTES_MAX`] beyond one chunk. A token that is
//! longer is removed without being asked about. All other bytes leave unchanged. It knows nothing of formats:
//! these tokens are written the same in all of them.

use std::fmt;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::body_filter::{BodyError, BodyFilter};
use crate::detect::ISSUED;
use crate::token_rules::{
    FoundToken, Instead, JWT_BEGINS, SAML_BEGINS, Why, is_token_byte, shaped_length,
};
use crate::token_sweep::REMOVED;

/// The longest token that the caller is asked about.
pub const SHAPED_BYTES_MAX: usize = 16 << 10;
/// In how many places of one run of token bytes a token may begin. PERF: it keeps the time linear.
const BEGINNINGS_OF_A_RUN_MAX: usize = 16;

/// How tokens begin.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(beginnings())
        .ok()
});
/// How many bytes before a token say whether it begins there: as many as the longest escape has.
const BEFORE_BYTES: usize = 6;
/// What a token may not follow.
const WORD: [u8; BEFORE_BYTES] = [b'a'; BEFORE_BYTES];
/// One byte less than the longest beginning.
const BEGINNING_HELD: usize = 10;

/// A text on its way past the shapes of tokens.
pub struct ShapeSweep<K> {
    keeper: K,
    held: Vec<u8>,
    /// The bytes before what is held.
    before: [u8; BEFORE_BYTES],
    /// The rest of a token that is too long is being dropped.
    dropping: bool,
    /// How many tokens may still begin in the present run.
    beginnings_left: usize,
    found: u64,
    spent: bool,
}

/// What a text holds at a place where a token may begin.
enum Here {
    /// A token of this length.
    Token(usize),
    /// None.
    Nothing,
    /// The text is too short to tell.
    Unknown,
    /// A token that is too long.
    TooLong,
}

impl<K: FnMut(FoundToken<'_>) -> Instead> ShapeSweep<K> {
    /// A sweep before the first byte of a text.
    pub fn new(keeper: K) -> Self {
        Self {
            keeper,
            held: Vec::new(),
            before: [b' '; BEFORE_BYTES],
            dropping: false,
            beginnings_left: BEGINNINGS_OF_A_RUN_MAX,
            found: 0,
            spent: false,
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// Reads on, and lets everything leave that is decided.
    fn read(&mut self, chunk: &[u8], ended: bool, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let beginnings = BEGINNINGS.as_ref().ok_or(BodyError::Spent)?;
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(chunk);
        let mut rest = text.as_slice();
        loop {
            if self.dropping {
                let end = rest.iter().position(|byte| !in_run(*byte));
                rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
                self.dropping = end.is_none() && !ended;
                self.before = WORD;
            }
            let Some(begins) = beginnings.find(rest) else {
                break;
            };
            let (before, after) = rest.split_at(begins.start());
            self.leave(before, out);
            match self.here(after, ended) {
                Here::Nothing => {
                    let (first, after) = after.split_at(1);
                    self.leave(first, out);
                    rest = after;
                }
                Here::Unknown => {
                    self.held = after.to_vec();
                    return Ok(());
                }
                Here::TooLong => {
                    out.extend_from_slice(REMOVED);
                    self.found += 1;
                    self.dropping = true;
                    rest = after;
                }
                Here::Token(length) => {
                    let (token, after) = after.split_at(length);
                    self.ask(token, out);
                    self.before = WORD;
                    rest = after;
                }
            }
        }
        let held = if ended { 0 } else { begun(rest) };
        let (decided, held) = rest.split_at(rest.len() - held);
        self.leave(decided, out);
        self.held = held.to_vec();
        Ok(())
    }

    /// Lets text leave that is no part of a token.
    fn leave(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
        for byte in text.iter().skip(text.len().saturating_sub(BEFORE_BYTES)) {
            self.before.rotate_left(1);
            let [.., last] = &mut self.before;
            *last = *byte;
        }
        if text.iter().any(|byte| !in_run(*byte)) {
            self.beginnings_left = BEGINNINGS_OF_A_RUN_MAX;
        }
    }

    /// What stands at the beginning of a text, where a token may begin.
    fn here(&mut self, text: &[u8], ended: bool) -> Here {
        if is_word(self.before) || self.beginnings_left == 0 {
            return Here::Nothing;
        }
        let saml = SAML_BEGINS
            .iter()
            .any(|begins| text.starts_with(begins.as_bytes()));
        let inside: fn(u8) -> bool = if saml { in_run } else { is_token_byte };
        let run = text.iter().take(SHAPED_BYTES_MAX + 1);
        let run = run.take_while(|byte| inside(**byte)).count();
        if run == text.len() && run <= SHAPED_BYTES_MAX && !ended {
            return Here::Unknown;
        }
        self.beginnings_left -= 1;
        match text.get(..run).and_then(shaped_length) {
            Some(_) if run > SHAPED_BYTES_MAX => Here::TooLong,
            Some(length) => Here::Token(length),
            None => Here::Nothing,
        }
    }

    fn ask(&mut self, token: &[u8], out: &mut Vec<u8>) {
        let found = FoundToken {
            name: None,
            value: token,
            why: Why::Shape,
        };
        match (self.keeper)(found) {
            Instead::Keep => {
                out.extend_from_slice(token);
                return;
            }
            Instead::Strip => out.extend_from_slice(REMOVED),
            Instead::Text(text) => out.extend_from_slice(text.as_bytes()),
        }
        self.found += 1;
    }
}

fn beginnings() -> impl Iterator<Item = &'static str> {
    let issued = ISSUED.iter().map(|(begins, _)| *begins);
    issued.chain([JWT_BEGINS]).chain(SAML_BEGINS)
}

/// How many bytes at the end of a text may be the first of a token. No more wait for what comes next: an event would come
/// with the one behind it.
fn begun(text: &[u8]) -> usize {
    let mut lengths = (1..=text.len().min(BEGINNING_HELD)).rev();
    let may_begin = |length: &usize| {
        let (_, end) = text.split_at(text.len().saturating_sub(*length));
        beginnings().any(|begins| begins.as_bytes().starts_with(end))
    };
    lengths.find(may_begin).unwrap_or(0)
}

/// Whether a token would go on a word that stands before it. The last letter of an escape belongs to none.
fn is_word(before: [u8; BEFORE_BYTES]) -> bool {
    let [.., last] = before;
    let hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let escaped = match before {
        [b'\\', b'u', digits @ ..] => hex(&digits),
        [.., b'%', high, low] | [.., b'\\', b'x', high, low] => hex(&[high, low]),
        [.., b'\\', letter] => b"bfnrt".contains(&letter),
        _ => false,
    };
    (last.is_ascii_alphanumeric() || last == b'_') && !escaped
}

/// What SAML in base64 consists of, in a URL too; it holds everything that other tokens consist of.
const fn in_run(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'+' | b'/' | b'=' | b'%')
}

/// A short text such as a header value without the tokens that their shape gives away; none when nothing changes.
pub fn without_shapes(
    text: &[u8],
    keeper: &mut dyn FnMut(FoundToken<'_>) -> Instead,
) -> Option<Vec<u8>> {
    if !BEGINNINGS.as_ref()?.is_match(text) {
        return None;
    }
    let mut sweep = ShapeSweep::new(keeper);
    let mut out = Vec::with_capacity(text.len());
    sweep.read(text, true, &mut out).ok()?;
    (sweep.found > 0).then_some(out)
}

impl<K: FnMut(FoundToken<'_>) -> Instead> BodyFilter for ShapeSweep<K> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.read(chunk, false, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.spent = true;
        self.read(&[], true, out)
    }
}

impl<K> fmt::Debug for ShapeSweep<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShapeSweep")
            .field("held", &self.held.len())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
