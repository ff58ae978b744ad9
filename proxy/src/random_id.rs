//! Random bytes for ids by which records are found again: of exchanges, traces and spans.
//!
//! PERF: the system is asked once for many of them, by each thread; asking for each cost an exchange four
//! calls of the system (decision 0051). What was drawn ahead stays in memory until it is used: no secret is
//! made of it.

use std::cell::RefCell;

use ring::rand::{SecureRandom as _, SystemRandom};

/// How many bytes are drawn ahead: those of ten exchanges.
const POOL_BYTES: usize = 512;

/// What was drawn ahead; used from its end.
struct Pool {
    bytes: [u8; POOL_BYTES],
    left: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], left: 0 }) };
}

/// `N` random bytes, at most [`POOL_BYTES`] of them. None when the operating system gives none.
pub(crate) fn random_id<const N: usize>() -> Option<[u8; N]> {
    POOL.with_borrow_mut(|pool| pool.take(|bytes| SystemRandom::new().fill(bytes).is_ok()))
}

impl Pool {
    fn take<const N: usize>(&mut self, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<[u8; N]> {
        if self.left < N {
            self.left = 0;
            if !fill(&mut self.bytes) {
                return None;
            }
            self.left = self.bytes.len();
        }
        let (_, last) = self.bytes.get(..self.left)?.split_last_chunk::<N>()?;
        let id = *last;
        self.left = self.left.saturating_sub(N);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn gives_no_byte_twice() {
        let mut ids = HashSet::new();
        for _ in 0..1000 {
            assert!(ids.insert(random_id::<16>().unwrap()));
        }
    }

    #[test]
    fn uses_every_byte_of_the_pool_once_and_then_asks_again() {
        let mut pool = Pool {
            bytes: [0; POOL_BYTES],
            left: 0,
        };
        let mut asked = 0_u8;
        for round in 1..=2 {
            for _ in 0..POOL_BYTES / 16 {
                let id = pool.take::<16>(|bytes| {
                    asked += 1;
                    bytes.fill(asked);
                    true
                });
                assert_eq!(id, Some([round; 16]));
            }
        }
        assert_eq!(asked, 2);
    }

    #[test]
    fn has_none_when_the_system_gives_none() {
        let mut pool = Pool {
            bytes: [7; POOL_BYTES],
            left: 8,
        };
        assert_eq!(pool.take::<16>(|_| false), None);
        assert_eq!(pool.take::<8>(|_| false), None, "nothing old is used");
    }
}
