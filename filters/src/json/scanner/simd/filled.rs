//! As many values as a window has of something, of which only those are ever read that were written.
//!
//! PERF: a window is 5 KiB; clearing it costs as much as reading a short body.

use std::mem::MaybeUninit;

use super::BLOCKS;

/// At most one value for each block.
pub(super) struct Filled<T> {
    slots: [MaybeUninit<T>; BLOCKS],
    /// INVARIANT: so many slots from the first on have been written.
    count: usize,
}

impl<T: Copy> Filled<T> {
    /// None.
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { MaybeUninit::uninit() }; BLOCKS],
            count: 0,
        }
    }

    /// Forgets all of them, and gives the slots to be written.
    #[inline]
    pub(super) fn slots(&mut self) -> &mut [MaybeUninit<T>; BLOCKS] {
        self.count = 0;
        &mut self.slots
    }

    /// From now on the first `count` slots are the values.
    ///
    /// # Safety
    /// They have been written since [`Self::slots`] gave them.
    #[inline]
    pub(super) unsafe fn are_written(&mut self, count: usize) {
        self.count = count.min(BLOCKS);
    }

    /// All of them, in order.
    #[inline]
    pub(super) fn all(&self) -> &[T] {
        let written = self.slots.get(..self.count).unwrap_or_default();
        // SAFETY: the first `count` slots have been written, as whoever set it has promised. `T` is
        // `Copy`, so that nothing is moved out.
        unsafe { written.assume_init_ref() }
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn all_mut(&mut self) -> &mut [T] {
        let written = self.slots.get_mut(..self.count).unwrap_or_default();
        // SAFETY: as above.
        unsafe { written.assume_init_mut() }
    }
}
