//! What a figure cannot be read without: the machine and the build.

use std::collections::HashMap;
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

/// How long a process and those that it started have worked, all their threads together; none where the system does
/// not say. What has ended meanwhile is not counted.
pub(super) fn worked(process: u32) -> Option<Duration> {
    let ticks = of_family(process, &processes()?)?;
    let a_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / a_second as f64))
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

/// What the system says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// The process that started it.
    parent: u32,
    /// Time in user mode and in the kernel.
    ticks: u64,
}

impl Told {
    /// Of a line of `/proc/PID/stat`, whose second field is a name in brackets, in which anything may stand.
    fn of(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(number(1)?).ok()?,
            ticks: number(11)?.checked_add(number(12)?)?,
        })
    }
}

/// All processes by number. One that ends meanwhile is not there.
fn processes() -> Option<HashMap<u32, Told>> {
    let entries = fs::read_dir("/proc").ok()?;
    let told = entries.filter_map(|entry| {
        let number: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        Some((number, Told::of(&stat)?))
    });
    Some(told.collect())
}

/// The ticks of a process and of all below it; none when it is not there.
fn of_family(process: u32, processes: &HashMap<u32, Told>) -> Option<u64> {
    let mut ticks = processes.get(&process)?.ticks;
    let mut parents = vec![process];
    while let Some(parent) = parents.pop() {
        let children = processes.iter().filter(|(_, told)| told.parent == parent);
        for (child, told) in children {
            ticks += told.ticks;
            parents.push(*child);
        }
    }
    Some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_worked_is_read_behind_a_name_of_any_kind() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 31 11 0 0 20 0 3 0";
        let told = Told {
            parent: 1,
            ticks: 42,
        };
        assert_eq!(Told::of(stat), Some(told));
        assert_eq!(Told::of("7 (a) S 1"), None);
        assert_eq!(Told::of(""), None);
    }

    #[test]
    fn what_a_process_started_has_worked_for_it_and_others_have_not() {
        let told = |parent, ticks| Told { parent, ticks };
        let processes = HashMap::from([
            (1, told(0, 1000)),
            (7, told(1, 10)),
            (8, told(7, 20)),
            (9, told(8, 30)),
            (5, told(7, 40)),
            (6, told(1, 500)),
        ]);
        assert_eq!(of_family(7, &processes), Some(100));
        assert_eq!(of_family(9, &processes), Some(30));
        assert_eq!(of_family(4, &processes), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_runs_has_worked_and_one_that_does_not_has_no_time() {
        assert!(worked(std::process::id()).is_some());
        assert_eq!(worked(u32::MAX), None);
    }
}
