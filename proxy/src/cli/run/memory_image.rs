//! No image of the process's memory is left behind: it holds tokens, keys and what clients were not shown (D15).

use rustix::process::{Resource, Rlimit, setrlimit};

/// Sees to it that a crash leaves no core dump, and that other processes of the same user cannot read the memory.
/// Says so where the system refuses.
pub(super) fn withhold() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if setrlimit(Resource::Core, none).is_err() || !undumpable() {
        tracing::warn!(
            "the system may write the memory of this process to a core dump if it crashes"
        );
    }
}

/// A limit of 0 does not hold where a program collects core dumps; this does.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn undumpable() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn undumpable() -> bool {
    true
}
