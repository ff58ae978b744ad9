//! The table people read, and the verdict of the suite.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::lists::Line;

/// What became of one entry.
pub(super) struct Outcome {
    pub(super) id: String,
    pub(super) class: String,
    pub(super) title: String,
    /// Each run's label and what it came to.
    pub(super) runs: Vec<(String, Result<&'static str, String>)>,
}

impl Outcome {
    /// Every run of the entry came to something that is allowed.
    pub(super) fn passed(&self) -> bool {
        !self.runs.is_empty() && self.runs.iter().all(|(_, outcome)| outcome.is_ok())
    }
}

/// Passed and total per class, in entries and in runs.
pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut classes: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for outcome in outcomes {
        let passed = outcome
            .runs
            .iter()
            .filter(|(_, result)| result.is_ok())
            .count();
        let entry = !outcome.class.starts_with('~');
        for class in [outcome.class.as_str()]
            .into_iter()
            .chain(entry.then_some("~ all"))
        {
            let row = classes.entry(class).or_default();
            row[0] += usize::from(outcome.passed());
            row[1] += 1;
            row[2] += passed;
            row[3] += outcome.runs.len();
        }
    }
    let mut text = format!("{:<26}{:>14}{:>16}\n", "class", "entries", "runs");
    for (class, [entries, of, runs, of_runs]) in classes {
        let (entries, runs) = (format!("{entries}/{of}"), format!("{runs}/{of_runs}"));
        writeln!(
            text,
            "{:<26}{entries:>14}{runs:>16}",
            class.trim_start_matches(['~', ' '])
        )
        .expect("text");
    }
    text
}

/// How many runs came to what.
pub(super) fn tally(outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let entries = outcomes
        .iter()
        .filter(|outcome| !outcome.class.starts_with('~'));
    for (_, result) in entries.flat_map(|outcome| &outcome.runs) {
        *counts
            .entry(result.as_ref().copied().unwrap_or("failed"))
            .or_default() += 1;
    }
    let mut text = String::new();
    for (name, count) in counts {
        writeln!(text, "{count:>5}  {name}").expect("text");
    }
    text
}

/// Each run that failed, by id, with why.
pub(super) fn failures(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        writeln!(text, "{} [{}] {}", outcome.id, outcome.class, outcome.title).expect("text");
        for (label, result) in &outcome.runs {
            if let Err(reason) = result {
                writeln!(text, "    {label}: {reason}").expect("text");
            }
        }
    }
    text
}

/// What contradicts the list of known gaps: failures that are not on it, and gaps that pass.
pub(super) fn contradictions(outcomes: &[Outcome], gaps: &[Line]) -> Vec<String> {
    let known = |id: &str| gaps.iter().any(|gap| gap.id == id);
    outcomes
        .iter()
        .filter_map(|outcome| match (outcome.passed(), known(&outcome.id)) {
            (false, false) => Some(format!("{} fails", outcome.id)),
            (true, true) => Some(format!(
                "{} is a known gap and passes: take it off the list",
                outcome.id
            )),
            (true, false) | (false, true) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(id: &str, result: Result<&'static str, String>) -> Outcome {
        let (class, title) = ("c".to_owned(), "t".to_owned());
        Outcome {
            id: id.to_owned(),
            class,
            title,
            runs: vec![(String::new(), result)],
        }
    }

    #[test]
    fn a_failure_must_be_listed_and_a_listed_gap_must_fail() {
        let outcomes = [
            outcome("B-1", Err("leaks".to_owned())),
            outcome("B-2", Ok("blocked")),
        ];
        let gap = |id: &str| Line {
            id: id.to_owned(),
            why: String::new(),
        };
        assert_eq!(contradictions(&outcomes, &[]).len(), 1);
        assert_eq!(contradictions(&outcomes, &[gap("B-1")]).len(), 0);
        assert_eq!(
            contradictions(&outcomes, &[gap("B-1"), gap("B-2")]).len(),
            1
        );
    }
}
