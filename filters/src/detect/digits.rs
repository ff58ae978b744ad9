//! Digits in groups: what telephone, card and social security numbers are made of.

use super::view::View;

/// The most digits that are looked at together: one more than the longest card number.
pub(super) const DIGITS_MAX: usize = 20;

/// Digits and where they stand.
pub(super) struct Digits {
    digits: [u8; DIGITS_MAX],
    places: [usize; DIGITS_MAX],
    count: usize,
}

impl Digits {
    /// The digits from `place` on, with at most `between` separators in a row between two of them, or a
    /// blank that is written as in HTML.
    pub(super) fn read(
        view: View<'_>,
        place: usize,
        between: usize,
        is_separator: fn(u8) -> bool,
    ) -> Self {
        let mut found = Self {
            digits: [0; DIGITS_MAX],
            places: [0; DIGITS_MAX],
            count: 0,
        };
        let mut at = place;
        while view.at(at).is_ascii_digit() && found.push(view.at(at) - b'0', at) {
            at += 1;
            if !view.at(at).is_ascii_digit() {
                let next = view.run(at, between, is_separator);
                let next = view.after_escaped_blank(next).unwrap_or(next);
                if view.at(next).is_ascii_digit() {
                    at = next;
                }
            }
        }
        found
    }

    fn push(&mut self, digit: u8, place: usize) -> bool {
        let slot = self.digits.get_mut(self.count);
        let (Some(slot), Some(at)) = (slot, self.places.get_mut(self.count)) else {
            return false;
        };
        (*slot, *at) = (digit, place);
        self.count += 1;
        true
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The first `count` digits.
    pub(super) fn first(&self, count: usize) -> &[u8] {
        self.digits.get(..count.min(self.count)).unwrap_or_default()
    }

    /// The digit of this number; a value that no digit has where there is none.
    pub(super) fn digit(&self, number: usize) -> u8 {
        self.first(self.count)
            .get(number)
            .copied()
            .unwrap_or(u8::MAX)
    }

    /// Where the first `count` digits end.
    pub(super) fn end(&self, count: usize) -> usize {
        let last = count.checked_sub(1).and_then(|last| self.places.get(last));
        last.map_or(0, |place| place + 1)
    }

    /// Whether a group ends after the first `count` digits.
    pub(super) fn ends_group(&self, view: View<'_>, count: usize) -> bool {
        !view.at(self.end(count)).is_ascii_digit()
    }

    /// How long the groups of the first `count` digits are.
    pub(super) fn groups(&self, count: usize) -> impl Iterator<Item = usize> + '_ {
        let places = self.places.get(..count.min(self.count)).unwrap_or_default();
        places
            .chunk_by(|before, after| before + 1 == *after)
            .map(<[usize]>::len)
    }

    /// Whether the groups of the first `count` digits are exactly these.
    pub(super) fn are_grouped(&self, count: usize, sizes: &[usize]) -> bool {
        self.groups(count).eq(sizes.iter().copied())
    }

    /// The byte after the first `count` digits.
    pub(super) fn separator(&self, view: View<'_>, count: usize) -> u8 {
        view.at(self.end(count))
    }
}

/// Where groups of digits begin.
pub(super) fn group_starts(view: View<'_>) -> impl Iterator<Item = usize> + '_ {
    let text = view.span(0, view.len());
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.iter().position(u8::is_ascii_digit)?;
        let group = text.get(start..)?.iter();
        let length = group.take_while(|byte| byte.is_ascii_digit()).count();
        at = start + length;
        Some(start)
    })
}
