//! What cannot be combined with labels whose strings hold documents.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::labels::{Label, LabelTree};
use crate::policy::Policy;
use crate::policy::error::Problems;
use crate::policy::file::PolicyFile;
use crate::roles::Role;
use crate::routes::Route;
use crate::selector::ast;

/// Reports each route on which a string is opened and a filter asks for `$`: in the string's document,
/// that would be another one. And each label that is opened and that somebody sees through `detect`.
pub(in crate::policy::resolve) fn report_embedded(
    file: &PolicyFile,
    (labels, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    routes: &[Route],
    problems: &mut Problems,
) {
    let opened: Vec<&Label> = labels
        .iter()
        .filter_map(|(label, entry)| entry.embedded.map(|_| label))
        .collect();
    let written = file.routes.value().map(|routes| routes.read.as_slice());
    for (route, (name, _)) in routes.iter().zip(written.unwrap_or_default()) {
        let mut carried = route.rules.iter().flat_map(|rule| &rule.labels);
        let selectors = route.rules.iter().map(|rule| &rule.selector);
        let asks = selectors
            .chain(&route.required)
            .chain(route.records.iter().chain(&route.subjects))
            .any(|selector| ast::mentions_document(selector.segments()));
        if asks && let Some(label) = carried.find(|label| opened.contains(label)) {
            let message = format!(
                "route `{}` opens strings of `{}`, and has a filter that asks for `$`",
                route.name,
                label.as_str()
            );
            problems.add("PN081", name.place, message).help(
                "let the filter ask for something near `@`, or give the string another label",
            );
        }
    }
    let declared = file.labels.value().map(|labels| labels.read.as_slice());
    for (name, _) in declared.unwrap_or_default() {
        let Some(label) = opened.iter().find(|label| label.as_str() == name.value) else {
            continue;
        };
        let detects = match Policy::always_on(always, labels, label) {
            Some((_, action)) => action == Action::Detect,
            None => roles
                .values()
                .any(|role| role.action(labels, label).0 == Action::Detect),
        };
        if detects {
            let message = format!(
                "`{}` is opened as a document, and searched as a text",
                name.value
            );
            problems
                .add("PN082", name.place, message)
                .help("show it, and attach a label that is searched to the texts inside");
        }
    }
}
