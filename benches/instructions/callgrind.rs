//! Counts what a row takes by running it under callgrind.

use std::process::Command;

use crate::rows::Row;

/// How many bytes the shorter run reads at least, so that the set-up's own variation does not show.
const BYTES_MIN: usize = 1 << 18;

/// Instructions per byte of a row's document.
pub(crate) fn count(row: &Row) -> Result<f64, String> {
    let times = BYTES_MIN.div_ceil(row.bytes());
    let once = instructions(row, times)?;
    let twice = instructions(row, times.saturating_mul(2))?;
    let bytes = row.bytes().saturating_mul(times);
    Ok(float(twice.saturating_sub(once)) / float(bytes as u64))
}

/// Every instruction of a process that runs a row so many times.
fn instructions(row: &Row, times: usize) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args(["run", &row.name, &times.to_string()])
        .output()
        .map_err(|error| format!("cannot run `valgrind`: {error}; install it and try again"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| {
        let count = line.split_once("Collected :")?.1;
        count.trim().parse().ok()
    });
    match collected {
        Some(collected) if output.status.success() => Ok(collected),
        _ => Err(format!("`{}` failed under callgrind: {said}", row.name)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "INVARIANT: counts stay far below 2^53"
)]
fn float(count: u64) -> f64 {
    count as f64
}
