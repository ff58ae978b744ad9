//! Takes the processor time of each entrant in turn and keeps its best.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long one row may take.
const BUDGET: Duration = Duration::from_millis(2_500);

/// How long an entrant may repeat itself within one round.
const TURN: Duration = Duration::from_millis(4);

/// Rounds of one row, whatever the budget.
const ROUNDS_MIN: u32 = 3;
const ROUNDS_MAX: u32 = 80;

/// One way to do the job, run once; it returns what the run took, or nothing when it cannot do it.
pub(crate) type Entrant<'a> = Box<dyn FnMut() -> Option<Duration> + 'a>;

/// The best time of each entrant. Rounds are interleaved, so that a noisy neighbour hits all alike.
pub(crate) fn best(entrants: &mut [Entrant<'_>]) -> Vec<Option<Duration>> {
    let mut best = vec![None; entrants.len()];
    let mut spent = Duration::ZERO;
    for round in 0..ROUNDS_MAX {
        if round >= ROUNDS_MIN && spent >= BUDGET {
            break;
        }
        for (best, entrant) in best.iter_mut().zip(entrants.iter_mut()) {
            let mut turn = Duration::ZERO;
            while turn < TURN {
                let Some(time) = entrant() else { break };
                *best = Some(best.map_or(time, |least: Duration| least.min(time)));
                turn += time;
            }
            spent += turn;
        }
    }
    best
}

/// The processor time of a piece of work: what other programs take meanwhile does not count.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = spent();
    work();
    spent().saturating_sub(start)
}

/// The processor time that this thread has spent so far.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), nanoseconds)
}
