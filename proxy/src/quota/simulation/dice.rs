//! Chance that can be repeated: SplitMix64.

use crate::clock::{Clock as _, SystemClock};

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    state: u64,
}

/// A seed that is seldom the same.
pub(super) fn any_seed() -> u64 {
    let since = SystemClock.wall().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_millis()).unwrap()
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Dice of their own, which follow from these.
    pub(super) fn fork(&mut self) -> Self {
        Self::new(self.roll())
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.roll() % (most - least + 1)
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(super) fn in_thousand(&mut self, times: u64) -> bool {
        self.roll() % 1_000 < times
    }
}
