//! As many values as a window has of something, of which only those are ever read that were written.
//!
//! PERF: a window is 5 KiB; clearing it costs as much as reading a short body.

use std::mem::MaybeUninit;
use std::slice::IterMut;

use super::BLOCKS;

/// At most one value for each block.
pub(super) struct Filled<T> {
    slots: [MaybeUninit<T>; BLOCKS],
    /// INVARIANT: so many slots from the first on have been written.
    count: usize,
}

/// Writes the values anew, from the first slot on.
pub(super) struct Writer<'f, T> {
    slots: IterMut<'f, MaybeUninit<T>>,
    count: &'f mut usize,
}

impl<T: Copy> Filled<T> {
    /// None.
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { MaybeUninit::uninit() }; BLOCKS],
            count: 0,
        }
    }

    /// Forgets all of them, and writes others.
    #[inline]
    pub(super) fn rewrite(&mut self) -> Writer<'_, T> {
        self.count = 0;
        Writer {
            slots: self.slots.iter_mut(),
            count: &mut self.count,
        }
    }

    /// All of them, in order.
    #[inline]
    pub(super) fn all(&self) -> &[T] {
        let written = self.slots.get(..self.count).unwrap_or_default();
        // SAFETY: the first `count` slots have been written: only a `Writer` says so, of those that it has
        // gone past, and it goes past each by writing it. `T` is `Copy`, so that nothing is moved out.
        unsafe { written.assume_init_ref() }
    }
}

impl<T: Copy> Writer<'_, T> {
    /// Appends a value. Past the last slot nothing happens.
    #[inline]
    pub(super) fn push(&mut self, value: T) {
        if let Some(slot) = self.slots.next() {
            slot.write(value);
        }
    }

    /// What was written is there to be read from now on.
    #[inline]
    pub(super) fn finish(self) {
        *self.count = BLOCKS - self.slots.len();
    }
}
