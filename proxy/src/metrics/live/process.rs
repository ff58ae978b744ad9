//! What the process uses of its machine, under the names that Prometheus clients agree on. It is read from
//! `/proc`; where a system has none, these metrics are absent.

use std::fs;

use super::page::Page;

/// Clock ticks per second in `/proc`: Linux shows every program this many (`USER_HZ`), whatever the kernel
/// counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Writes what can be read.
pub(super) fn write(page: &mut Page) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = after_name(&stat);
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    // Fields 14 and 15 of proc_pid_stat(5), counted from 3.
    if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
        page.counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds",
        )
        .value((user + system) / TICKS_PER_SECOND);
    }
    if let (Some(started), Some(boot)) = (ticks(19), boot_seconds()) {
        page.gauge(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
        )
        .value(boot + started / TICKS_PER_SECOND);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kilobytes) = number_after(&status, "VmRSS:") {
        page.gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes",
        )
        .value(kilobytes.saturating_mul(1024));
    }
    if let Some(threads) = number_after(&status, "Threads:") {
        page.gauge("process_threads", "Number of OS threads in the process")
            .value(threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Reading the folder is one of them.
        page.gauge("process_open_fds", "Number of open file descriptors")
            .value(u64::try_from(open.count().saturating_sub(1)).unwrap_or(u64::MAX));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = number_after(&limits, "Max open files") {
        page.gauge("process_max_fds", "Maximum number of open file descriptors")
            .value(most);
    }
}

/// The fields after the program's name, which may hold blanks and brackets itself.
fn after_name(stat: &str) -> Vec<&str> {
    let rest = stat.rsplit_once(')').map(|(_name, rest)| rest);
    rest.unwrap_or_default().split_whitespace().collect()
}

/// When the machine started, in seconds since 1970.
fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    number_after(&stat, "btime").map(|seconds| {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        f64::from(seconds)
    })
}

/// The first number in the line that begins so.
fn number_after(text: &str, beginning: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_past_a_name_with_brackets_in_it() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20";
        let fields = after_name(stat);
        assert_eq!(
            (fields.get(11), fields.get(12)),
            (Some(&"150"), Some(&"50"))
        );
        let limits = "Max open files            1024                 524288               files\n";
        assert_eq!(number_after(limits, "Max open files"), Some(1024));
        assert_eq!(number_after("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
        assert_eq!(number_after("VmRSS:\t  12 kB\n", "Threads:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn says_what_this_process_uses() {
        let mut page = Page::default();
        write(&mut page);
        let families = page.into_families();
        for name in [
            "process_cpu_seconds_total",
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_threads",
            "process_open_fds",
            "process_max_fds",
        ] {
            assert!(
                families.iter().any(|family| family.name() == name),
                "{name}"
            );
        }
    }
}
