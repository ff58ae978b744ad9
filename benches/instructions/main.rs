//! Instructions per byte of input, counted by callgrind, and the bounds that must not be exceeded.
//!
//! Counts do not depend on what else a machine does, so they can be gates. Each row runs in a process
//! of its own, once for N and once for 2 N repetitions: the difference is N repetitions without the
//! set-up. What is counted is the machine code that ships, as the release profile makes it.
//!
//! ```text
//! cargo bench -p postern-benches --bench instructions               # count, and fail above a bound
//! cargo bench -p postern-benches --bench instructions -- '10 wild'  # only rows whose name contains this
//! cargo bench -p postern-benches --bench instructions -- write      # make today's counts + 2 % the bounds
//! cargo bench -p postern-benches --bench instructions -- run ROW 9  # what callgrind runs, for a profile
//! ```
//!
//! A row names the engine it is about. Where the processor has no such engine the row says so and is
//! not counted.

mod callgrind;
mod gates;
mod rows;

use std::process::ExitCode;

use gates::Gates;
use rows::Row;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", row, times] => run(row, times),
        ["write"] => write(),
        wanted => check(wanted),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

/// Redacts a row's document so many times.
fn run(name: &str, times: &str) -> Result<(), String> {
    let rows = rows::all();
    let row = rows.iter().find(|row| row.name == name);
    let row = row.ok_or("there is no such row")?;
    let times = times.parse().ok().ok_or("not a number of repetitions")?;
    row.run(times);
    Ok(())
}

/// Counts every wanted row and compares it with its bound.
fn check(wanted: &[&str]) -> Result<(), String> {
    let gates = Gates::read()?;
    let rows = rows::all();
    if let Some(stale) = gates.without_row(&rows) {
        return Err(format!("the bound for `{stale}` is for no row"));
    }
    print_line(["row", "engine", "count", "bound", "goal", ""]);
    let mut above = 0_u32;
    for row in &rows {
        if wanted.is_empty() || wanted.iter().any(|word| row.name.contains(word)) {
            above += u32::from(!is_within(row, &gates)?);
        }
    }
    match above {
        0 => Ok(()),
        above => Err(format!("{above} rows are above their bounds")),
    }
}

/// Counts one row, prints it, and says whether it keeps its bound.
fn is_within(row: &Row, gates: &Gates) -> Result<bool, String> {
    let gate = gates
        .of(&row.name)
        .ok_or_else(|| format!("`{}` has no bound: run with `write`", row.name))?;
    let goal = gate.goal.map_or_else(String::new, |goal| format!("{goal}"));
    let bound = format!("{:.3}", gate.bound);
    if !row.can_run() {
        print_line([
            &row.name,
            row.engine_name(),
            "-",
            &bound,
            &goal,
            "this processor lacks the engine",
        ]);
        return Ok(true);
    }
    let count = callgrind::count(row)?;
    let within = count <= gate.bound;
    let judgement = if within { "" } else { "ABOVE" };
    print_line([
        &row.name,
        row.engine_name(),
        &format!("{count:.3}"),
        &bound,
        &goal,
        judgement,
    ]);
    Ok(within)
}

/// Makes today's counts the bounds.
fn write() -> Result<(), String> {
    let mut gates = Gates::read()?;
    let rows = rows::all();
    gates.keep_only(&rows);
    for row in rows.iter().filter(|row| row.can_run()) {
        gates.set(&row.name, callgrind::count(row)?);
    }
    gates.write()
}

#[expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
fn print_line(cells: [&str; 6]) {
    let [row, engine, count, bound, goal, judgement] = cells;
    println!("{row:<40} {engine:<7} {count:>9} {bound:>9} {goal:>6}  {judgement}");
}

#[expect(clippy::print_stderr, reason = "a benchmark says why it failed")]
fn complain(message: &str) {
    eprintln!("{message}");
}
