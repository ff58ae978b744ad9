//! What a figure cannot be read without: the machine and the build.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

/// Whether this is a build for development, whose figures mean nothing.
pub(super) const IS_DEVELOPMENT: bool = cfg!(debug_assertions);

/// How many processors this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The profile of this build.
pub(super) const fn profile() -> &'static str {
    match IS_DEVELOPMENT {
        true => "debug",
        false => "release",
    }
}

/// The processor's name; none where the system does not say.
pub(super) fn processor() -> Option<String> {
    let described = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = described
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How long a process has worked, all its threads together; none where the system does not say.
pub(super) fn worked(process: u32) -> Option<Duration> {
    ticks(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?).map(|ticks| {
        let a_second = rustix::param::clock_ticks_per_second();
        Duration::from_secs_f64(ticks as f64 / a_second as f64)
    })
}

/// The machine and the build, for the report.
pub(super) fn as_json() -> Value {
    json!({
        "postern": env!("CARGO_PKG_VERSION"),
        "profile": profile(),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "processor": processor(),
        "cores": cores(),
    })
}

/// Time in user mode and in the kernel, of a line of `/proc/PID/stat`. The second field is a name in
/// brackets, in which anything may stand.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_worked_is_read_behind_a_name_of_any_kind() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 31 11 0 0 20 0 3 0";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_runs_has_worked_and_one_that_does_not_has_no_time() {
        assert!(worked(std::process::id()).is_some());
        assert_eq!(worked(u32::MAX), None);
    }
}
