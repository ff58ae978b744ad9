//! What one test hears of its own threads, while threads of other tests log what nobody hears.

use std::sync::OnceLock;

use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;

/// Call it before a subscriber of some threads is made. While a process has a single subscriber, `tracing` asks
/// the thread that comes to an event first whether that is heard, and remembers it for all threads. A
/// thread that hears nothing would make everybody deaf to the event. With further subscribers it asks all of
/// them.
pub(crate) fn by_some_threads() {
    static OTHERS: OnceLock<[Dispatch; 2]> = OnceLock::new();
    OTHERS.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::default())));
}

/// A thread that hears nothing comes to an event first.
#[test]
fn a_deaf_thread_makes_no_other_deaf() {
    let say = || tracing::info!(target: "postern::heard", "said");
    by_some_threads();
    let logs = crate::bypass::logs::Logs::default();
    let _here = tracing::dispatcher::set_default(&logs.dispatch());
    std::thread::spawn(say).join().unwrap();
    say();
    let heard = String::from_utf8(logs.bytes()).unwrap();
    assert_eq!(heard.matches("said").count(), 1, "{heard}");
}
