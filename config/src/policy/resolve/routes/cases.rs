//! The case that a route's answers are about: which parameter of its path names it, and who needs it.

use std::collections::BTreeMap;

use crate::action::{Action, PseudonymScope};
use crate::document::read::Slot;
use crate::labels::{Label, LabelTree};
use crate::policy::Policy;
use crate::policy::error::Problems;
use crate::policy::file::PolicyFile;
use crate::roles::Role;
use crate::routes::{PathPart, Route, RouteMatch};

/// The parameter that names the case where a route says nothing else.
const USUAL: &str = "case_id";

/// The parameter that names the case: the one written, or the usual one where every match has it.
pub(super) fn parameter(
    slot: &Slot<String>,
    matches: &[RouteMatch],
    problems: &mut Problems,
) -> Option<String> {
    let everywhere = |name: &str| !matches.is_empty() && matches.iter().all(|line| has(line, name));
    let Some(written) = &slot.found else {
        return everywhere(USUAL).then(|| USUAL.to_owned());
    };
    if !everywhere(&written.value) {
        let message = format!(
            "`{}` is not a parameter of every `match` of this route",
            written.value
        );
        problems
            .add("PN080", written.place, message)
            .help("name a parameter that is written `{name}` in each of them");
    }
    Some(written.value.clone())
}

fn has(line: &RouteMatch, name: &str) -> bool {
    let named = |part: &PathPart| matches!(part, PathPart::Parameter(own) if own == name);
    line.path.iter().any(named)
}

/// Reports every route on which some role is shown tokens by case, and that does not know its case.
pub(in crate::policy::resolve) fn report_tokens_by_case(
    file: &PolicyFile,
    (labels, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    routes: &[Route],
    problems: &mut Problems,
) {
    let by_case = |action: &Action| *action == Action::Pseudonym(PseudonymScope::Case);
    let needs_case = |label: &Label| match Policy::always_on(always, labels, label) {
        Some((_, action)) => by_case(&action),
        None => roles
            .values()
            .any(|role| by_case(&role.action(labels, label).0)),
    };
    let written = file.routes.value().map(|routes| routes.read.as_slice());
    for (route, (name, _)) in routes.iter().zip(written.unwrap_or_default()) {
        if route.case.is_some() || route.deny {
            continue;
        }
        let mut carried = route.rules.iter().flat_map(|rule| &rule.labels);
        if let Some(label) = carried.find(|label| needs_case(label)) {
            let message = format!(
                "a role sees `{}` as tokens by case, and route `{}` does not say which case it is about",
                label.as_str(),
                route.name
            );
            problems
                .add("PN080", name.place, message)
                .help("name the parameter of its path that does: `case: case_id`");
        }
    }
}
