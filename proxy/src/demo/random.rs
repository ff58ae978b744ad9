//! A small deterministic generator of numbers, so that the demo's cases are the same on every start.
//!
//! It is SplitMix64 and must never be used for anything secret.

/// SplitMix64, seeded by whoever needs reproducible choices.
#[derive(Debug, Clone)]
pub(crate) struct Choices(u64);

impl Choices {
    /// The same seed makes the same choices.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    /// The next number.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// One of `options`; empty when there is none.
    pub(crate) fn pick(&mut self, options: &[&'static str]) -> &'static str {
        let index = usize::try_from(self.below(options.len() as u64)).unwrap_or(0);
        options.get(index).copied().unwrap_or_default()
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// `count` decimal digits.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap_or(0)))
            .collect()
    }

    /// `count` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, count: usize) -> String {
        (0..count)
            .filter_map(|_| char::from_digit(u32::try_from(self.below(16)).unwrap_or(0), 16))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let (mut a, mut b) = (Choices::seeded(7), Choices::seeded(7));
        assert_eq!(a.digits(12), b.digits(12));
        assert_eq!(a.pick(&["x", "y", "z"]), b.pick(&["x", "y", "z"]));
        assert_ne!(a.next(), Choices::seeded(8).next());
    }

    #[test]
    fn nothing_to_choose_from_is_not_an_error() {
        let mut choices = Choices::seeded(1);
        assert_eq!(choices.below(0), 0);
        assert_eq!(choices.pick(&[]), "");
    }
}
