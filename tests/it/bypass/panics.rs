//! I5: nothing panics on the threads that serve the suite, whatever is sent.

use std::panic;
use std::sync::{Arc, Mutex};

use super::report::Outcome;

/// What the suite's threads are called.
pub(super) const THREADS: &str = "bypass-suite";

/// Panics seen since the watch began.
pub(super) struct Panics(Arc<Mutex<Vec<String>>>);

impl Panics {
    /// Watches every thread of that name; what others do with their panics stays as it is.
    pub(super) fn watch() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&seen);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some(THREADS) {
                let place = info.location().map(ToString::to_string).unwrap_or_default();
                list.lock().expect("panics").push(place);
            }
            before(info);
        }));
        Self(seen)
    }

    /// What the watch saw.
    pub(super) fn outcome(&self) -> Outcome {
        let seen = self.0.lock().expect("panics").join(", ");
        let result = if seen.is_empty() {
            Ok("none")
        } else {
            Err(format!("I5: panics at {seen}"))
        };
        let (id, class) = ("I5".to_owned(), "~invariants".to_owned());
        let title = "Nothing panics".to_owned();
        Outcome {
            id,
            class,
            title,
            runs: vec![(String::new(), result)],
        }
    }
}
