//! How many files this process, and those that it starts, may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open in this process beside the connections of one proof: those of the others, files, pipes.
const OTHERS: usize = 2_000;

/// Raises the limit as far as it may be, and says for how many connections it is enough, up to those that are
/// wanted.
pub(crate) fn allowed(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let most = limit.maximum.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap().saturating_sub(OTHERS)
    });
    if most < wanted {
        println!("this machine lets a process open files for {most} connections only");
    }
    wanted.min(most)
}
