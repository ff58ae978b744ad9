//! Lint findings about what may be asked: parameters and posted searches that could name hidden fields.

use std::collections::BTreeSet;

use crate::labels::Label;
use crate::params::Asks;
use crate::policy::error::Problems;
use crate::policy::file::{PolicyFile, RouteFile};
use crate::routes::{PathPart, Route, RouteMethod, Unlabelled};

/// Names of parameters that usually name fields, without `$`, in lower case.
const NAMES_FIELDS: [&str; 19] = [
    "sort", "sort_by", "sortby", "order", "order_by", "orderby", "filter", "filters", "where", "q",
    "query", "search", "fields", "select", "include", "expand", "apply", "compute", "group_by",
];

/// Last parts of paths to which searches are posted.
const SEARCHES: [&str; 8] = [
    "search", "_search", "query", "filter", "count", "_count", "graphql", "lookup",
];

/// Adds a finding for each question that nobody looks into.
pub(super) fn report(file: &PolicyFile, routes: &[Route], problems: &mut Problems) {
    let written = file.routes.value().map(|entries| entries.read.as_slice());
    for ((_, source), route) in written.unwrap_or_default().iter().zip(routes) {
        let labelled = !route.rules.is_empty() || !route.columns.is_empty();
        let protects = labelled || route.unlabelled != Unlabelled::Show;
        if protects && !route.deny {
            uninspected(source, problems);
            posted(source, route, problems);
        }
        unused_labels(source, route, problems);
    }
}

fn uninspected(source: &RouteFile, problems: &mut Problems) {
    for name in source.query.value().map(Vec::as_slice).unwrap_or_default() {
        let folded = name.value.to_ascii_lowercase();
        let base = folded.split('[').next().unwrap_or_default();
        if NAMES_FIELDS.contains(&base.trim_start_matches('$')) {
            let message = format!(
                "`{}` passes with any value, hidden fields included",
                name.value
            );
            problems
                .add("PN108", name.place, message)
                .help("put it under `params`, with the labels or the way in which it names fields");
        }
    }
}

fn posted(source: &RouteFile, route: &Route, problems: &mut Problems) {
    let is_search = route.matches.iter().any(|line| {
        let posts = match &line.method {
            RouteMethod::Any => true,
            RouteMethod::Exactly(method) => method == "POST" || method == "QUERY",
        };
        let last = match line.path.last() {
            Some(PathPart::Literal(text)) => text.to_ascii_lowercase(),
            Some(PathPart::Parameter(_) | PathPart::Rest(_)) | None => return false,
        };
        posts && SEARCHES.contains(&last.as_str())
    });
    if is_search && !source.body.is_written() {
        let message = format!(
            "a search that is posted to route `{}` may ask anything",
            route.name
        );
        problems
            .add(
                "PN113",
                source.matches.key_place.unwrap_or_default(),
                message,
            )
            .help("say `body: query`, or `body: write` when it is no search");
    }
}

fn unused_labels(source: &RouteFile, route: &Route, problems: &mut Problems) {
    let in_rules = route.rules.iter().flat_map(|rule| &rule.labels);
    let in_columns = route.columns.iter().flat_map(|column| &column.labels);
    let used: BTreeSet<&Label> = in_rules.chain(in_columns).collect();
    let written = source.params.value().map(|entries| entries.read.as_slice());
    for ((name, _), param) in written.unwrap_or_default().iter().zip(&route.params) {
        let Asks::About(labels) = &param.asks else {
            continue;
        };
        for label in labels.iter().filter(|label| !used.contains(label)) {
            let message = format!(
                "`{}` asks about `{}`, which route `{}` attaches to no field",
                name.value,
                label.as_str(),
                route.name
            );
            problems
                .add("PN107", name.place, message)
                .help("give it the label of the field it asks about");
        }
    }
}
