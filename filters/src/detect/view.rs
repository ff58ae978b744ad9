//! The folded text as detectors see it: bytes of UTF-8, with nothing outside.

/// A stretch of folded text. Reading outside of it answers 0, which is part of nothing.
#[derive(Clone, Copy)]
pub(super) struct View<'t> {
    bytes: &'t [u8],
    /// More of the text follows.
    goes_on: bool,
}

impl<'t> View<'t> {
    /// A text that ends where the bytes end.
    pub(super) const fn new(bytes: &'t [u8]) -> Self {
        Self {
            bytes,
            goes_on: false,
        }
    }

    /// The beginning of a text that may go on.
    pub(super) const fn of_more(bytes: &'t [u8]) -> Self {
        Self {
            bytes,
            goes_on: true,
        }
    }

    /// Whether the text may go on after its last byte here.
    pub(super) const fn goes_on(&self) -> bool {
        self.goes_on
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The byte at a place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or(0)
    }

    /// The byte before a place.
    #[inline]
    pub(super) fn before(&self, place: usize) -> u8 {
        place.checked_sub(1).map_or(0, |place| self.at(place))
    }

    /// The bytes between two places.
    pub(super) fn span(&self, from: usize, to: usize) -> &'t [u8] {
        self.bytes.get(from..to.min(self.len())).unwrap_or_default()
    }

    /// Whether the text goes on at `place` with these ASCII letters, in either case.
    pub(super) fn has(&self, place: usize, letters: &str) -> bool {
        let found = self.span(place, place.saturating_add(letters.len()));
        found.eq_ignore_ascii_case(letters.as_bytes())
    }

    /// The character that begins at `place`, and where it ends.
    pub(super) fn char_at(&self, place: usize) -> Option<(char, usize)> {
        (1..=4).find_map(|length| {
            let text = self.bytes.get(place..place.checked_add(length)?)?;
            let text = std::str::from_utf8(text).ok()?;
            Some((text.chars().next()?, place + length))
        })
    }

    /// The character that ends before `place`, and where it begins.
    pub(super) fn char_before(&self, place: usize) -> Option<(char, usize)> {
        (1..=4).find_map(|length| {
            let from = place.checked_sub(length)?;
            let text = std::str::from_utf8(self.bytes.get(from..place)?).ok()?;
            Some((text.chars().next()?, from))
        })
    }

    /// Where the run that begins at `place` and satisfies `inside` ends, at most `most` bytes on.
    pub(super) fn run(&self, place: usize, most: usize, inside: impl Fn(u8) -> bool) -> usize {
        let rest = self.span(place, place.saturating_add(most));
        let length = rest.iter().position(|byte| !inside(*byte));
        place + length.unwrap_or(rest.len())
    }

    /// Where a blank that is written as in HTML ends, if one begins at `place`.
    pub(super) fn after_escaped_blank(&self, place: usize) -> Option<usize> {
        let blanks = ["&nbsp;", "&#160;", "&#xa0;"];
        let blank = blanks.iter().find(|blank| self.has(place, blank))?;
        Some(place + blank.len())
    }

    /// Whether the place is preceded by letters only, back to something that is no letter, digit or
    /// `_`: a word written without a blank before a number.
    pub(super) fn after_a_word(&self, place: usize) -> bool {
        const WORD_MAX: usize = 24;
        let mut at = place;
        while place - at < WORD_MAX && self.before(at).is_ascii_alphabetic() {
            at -= 1;
        }
        place - at >= 3 && !is_word(self.before(at))
    }
}

/// A letter, digit or `_`.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
