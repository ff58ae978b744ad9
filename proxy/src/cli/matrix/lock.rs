//! The text of `matrix.lock`: one cell of the matrix, or limit of a quota, a line, so that a changed cell is a changed line.

use std::collections::BTreeSet;

use postern_config::Policy;

use crate::cli::wording;

/// The first line of every lock.
const HEADING: &str = "# who sees what: label, role, action; written by `postern matrix --write`";

/// The lock of a policy.
pub(super) fn text(policy: &Policy) -> String {
    let mut lines = vec![HEADING.to_owned()];
    for (label, _) in policy.labels.iter() {
        for (name, role) in &policy.roles {
            let action = wording::action(&policy.action(role, label).0);
            lines.push(format!("{} {name} {action}", label.as_str()));
        }
    }
    for route in policy.routes.iter().filter(|route| !route.deny) {
        let action = wording::unlabelled(route.unlabelled);
        lines.push(format!("(unlabelled) {} {action}", route.name));
    }
    lines.extend(wording::quota_lines(policy));
    lines.push(String::new());
    lines.join("\n")
}

/// The lines that only the lock has (`-`) and that only the policy has (`+`), by label and role.
pub(super) fn differences(locked: &str, present: &str) -> Vec<String> {
    let (before, after) = (cells(locked), cells(present));
    let gone = before.difference(&after).map(|cell| (*cell, '-'));
    let come = after.difference(&before).map(|cell| (*cell, '+'));
    let mut changes: Vec<(&str, char)> = gone.chain(come).collect();
    changes.sort_by_key(|(cell, sign)| (place(cell), *sign == '+'));
    changes
        .into_iter()
        .map(|(cell, sign)| format!("{sign} {cell}"))
        .collect()
}

fn cells(text: &str) -> BTreeSet<&str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// The label and the role of a line: what a `-` and a `+` have in common when a cell changed.
fn place(cell: &str) -> (&str, &str) {
    let mut words = cell.split_whitespace();
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_cell_shows_what_was_and_what_is() {
        let locked = "# heading\npii.a agent mask\npii.a auditor remove\n";
        let present = "pii.a agent show\npii.a auditor remove\npii.b agent show\n";
        assert_eq!(
            differences(locked, present),
            [
                "- pii.a agent mask",
                "+ pii.a agent show",
                "+ pii.b agent show"
            ]
        );
        assert!(differences(locked, locked).is_empty());
    }
}
