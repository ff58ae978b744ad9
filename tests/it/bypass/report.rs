//! The table people read, and the verdict of the suite.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::catalogue::Entry;
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

    /// How many of its cases came only to what is allowed: runs of one case have one label.
    fn cases_passed(&self, all: usize) -> usize {
        if self.passed() {
            return all;
        }
        let mut labels: BTreeMap<&str, bool> = BTreeMap::new();
        for (label, result) in &self.runs {
            *labels.entry(label).or_insert(true) &= result.is_ok();
        }
        let passed = labels.into_values().filter(|passed| *passed).count();
        passed.min(all.saturating_sub(1))
    }
}

/// How many cases each entry has: itself, or each of its variants.
pub(super) fn cases(entries: &[Entry]) -> BTreeMap<&str, usize> {
    let of_entry = |entry: &Entry| entry.variants.len().max(1);
    let each = entries.iter();
    each.map(|entry| (entry.id.as_str(), of_entry(entry)))
        .collect()
}

/// Passed and total per class: in entries, in their cases, and in runs, of which a case may need several and a driver of
/// one's own makes one for all cases.
pub(super) fn table(outcomes: &[Outcome], cases: &BTreeMap<&str, usize>) -> String {
    let mut classes: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    for outcome in outcomes {
        let passed = outcome
            .runs
            .iter()
            .filter(|(_, result)| result.is_ok())
            .count();
        let of_entry = cases.get(outcome.id.as_str()).copied().unwrap_or(1);
        let entry = !outcome.class.starts_with('~');
        for class in [outcome.class.as_str()]
            .into_iter()
            .chain(entry.then_some("~ all"))
        {
            let row = classes.entry(class).or_default();
            row[0] += usize::from(outcome.passed());
            row[1] += 1;
            row[2] += outcome.cases_passed(of_entry);
            row[3] += of_entry;
            row[4] += passed;
            row[5] += outcome.runs.len();
        }
    }
    let line = |class: &str, [entries, cases, runs]: [&str; 3]| {
        format!("{class:<26}{entries:>12}{cases:>12}{runs:>14}\n")
    };
    let mut text = line("class", ["entries", "cases", "runs"]);
    for (class, counts) in classes {
        let [entries, of, cases, of_cases, runs, of_runs] = counts;
        let class = class.trim_start_matches(['~', ' ']);
        let columns = [(entries, of), (cases, of_cases), (runs, of_runs)];
        let [entries, cases, runs] = columns.map(|(passed, all)| format!("{passed}/{all}"));
        text += &line(class, [&entries, &cases, &runs]);
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
    fn a_case_passes_when_all_its_runs_do() {
        let run = |label: &str, result| (label.to_owned(), result);
        let runs = vec![
            run("a", Ok("blocked")),
            run("a", Err("leaks".to_owned())),
            run("b", Ok("blocked")),
        ];
        let outcome = Outcome {
            runs,
            ..outcome("B-1", Ok("blocked"))
        };
        assert_eq!(outcome.cases_passed(2), 1);
        let table = table(&[outcome], &BTreeMap::from([("B-1", 2)]));
        let all: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(all, ["all", "0/1", "1/2", "2/3"]);
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
