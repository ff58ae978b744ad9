//! A clock that panics when an exchange asks it for the time the Nth time: the way to a panic in any phase that looks at
//! a clock, without a hook in the product.
//!
//! Only what runs for an exchange is counted, and nothing that runs beside them: which of the two it is, and in which
//! function of Postern's, is read off the stack.

use std::backtrace::Backtrace;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

use postern_proxy::clock::{Clock, SystemClock};
use tokio::task::Id;

/// What is on the stack of every exchange, over both versions of HTTP: where it runs, or its beginning or end.
const EXCHANGE: [&str; 2] = ["service::Connection::next", "exchange::Exchange"];

/// The clock; it is the system's until it is set.
#[derive(Debug, Default)]
pub(crate) struct Trap(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many more looks there are until it springs; none while it is not set.
    left: Option<usize>,
    /// Whoever looks now is to be left alone for ever.
    sparing: bool,
    /// Who is.
    spared: HashSet<Id>,
    /// Who looked when it sprang: Postern's own functions, the innermost first.
    sprung: Option<Vec<String>>,
}

impl Trap {
    /// From now on until it is set, the exchanges that look are spared for ever.
    pub(crate) fn spare(&self) {
        self.0.lock().unwrap().sparing = true;
    }

    /// Sets it: the look after so many others panics.
    pub(crate) fn set(&self, others: usize) {
        let mut state = self.0.lock().unwrap();
        state.left = Some(others);
        state.sparing = false;
        state.sprung = None;
    }

    /// Takes it away. Who looked when it sprang; none when it did not.
    pub(crate) fn take(&self) -> Option<Vec<String>> {
        let mut state = self.0.lock().unwrap();
        state.left = None;
        state.sprung.take()
    }

    fn look(&self) {
        let Some(task) = tokio::task::try_id() else {
            return;
        };
        {
            let mut state = self.0.lock().unwrap();
            if state.sparing {
                state.spared.insert(task);
            }
            if state.left.is_none() || state.spared.contains(&task) {
                return;
            }
        }
        let stack = Backtrace::force_capture().to_string();
        if !EXCHANGE.iter().any(|name| stack.contains(name)) {
            return;
        }
        let mut state = self.0.lock().unwrap();
        match state.left {
            Some(0) => {
                state.left = None;
                let looked = ours(&stack);
                let place = looked.first().cloned().unwrap_or_default();
                state.sprung = Some(looked);
                drop(state);
                panic!("the trap sprang in {place}");
            }
            left => state.left = left.map(|left| left - 1),
        }
    }
}

impl Clock for Trap {
    fn wall(&self) -> SystemTime {
        self.look();
        SystemClock.wall()
    }

    fn monotonic(&self) -> Instant {
        self.look();
        SystemClock.monotonic()
    }
}

/// Postern's own functions on a stack, without what the compiler adds to their names.
fn ours(stack: &str) -> Vec<String> {
    let mut names: Vec<String> = stack
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.1.split_once("postern_proxy::")?.1))
        .filter(|name| !name.starts_with("clock::"))
        .map(|name| {
            name.replace("::{{closure}}", "")
                .replace("postern_proxy::", "")
        })
        .collect();
    names.dedup();
    names
}
