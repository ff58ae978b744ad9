//! What only the whole set of routes can get wrong: no catch-all, and two equal matches.

use std::collections::HashMap;
use std::fmt::Write;

use super::Written;
use crate::document::Place;
use crate::document::read::OneOrMany;
use crate::policy::error::Problems;
use crate::policy::resolve::matches;
use crate::routes::{PathPart, Route, RouteMatch, RouteMethod};

/// Reports a missing catch-all, and every pair of matches between which only order would decide.
pub(super) fn report(
    written: &[Written<'_>],
    routes: &[Route],
    place: Place,
    problems: &mut Problems,
) {
    if !routes.iter().any(|r| r.matches.iter().any(is_catch_all)) {
        problems
            .add("PN021", place, "there is no catch-all route")
            .help("add `everything_else: { match: \"ANY /{path...}\", deny: true }`");
    }
    // INVARIANT: two matches are equally specific and overlap exactly when their shapes are equal:
    // equal ranks at each segment mean equal kinds, and two literals overlap only when equal.
    let mut shapes: HashMap<String, (&str, &str)> = HashMap::new();
    for route in written {
        let lines = route.file.matches.value();
        for line in lines
            .map(|OneOrMany(lines)| lines.iter())
            .into_iter()
            .flatten()
        {
            // Lines that cannot be read were reported when the route was read.
            let Some(read) = matches::read(line, &mut Problems::default()) else {
                continue;
            };
            let name = route.name.value.as_str();
            let earlier = shapes.insert(shape(&read), (name, line.value.as_str()));
            if let Some((other, other_line)) = earlier {
                let message = format!(
                    "`{}` of route `{name}` and `{other_line}` of route `{other}` match the same \
                     requests equally well",
                    line.value
                );
                problems
                    .add("PN022", line.place, message)
                    .help("make one of them more specific, or merge the two");
            }
        }
    }
}

fn is_catch_all(one: &RouteMatch) -> bool {
    one.method == RouteMethod::Any && matches!(one.path.as_slice(), [PathPart::Rest(_)])
}

/// A match without the names of its parameters.
fn shape(one: &RouteMatch) -> String {
    let mut shape = match &one.method {
        RouteMethod::Any => "*".to_owned(),
        RouteMethod::Exactly(method) => method.clone(),
    };
    for part in &one.path {
        let part = match part {
            PathPart::Literal(text) => text.as_str(),
            // Braces occur in no literal.
            PathPart::Parameter(_) => "{}",
            PathPart::Rest(_) => "{...}",
        };
        // Writing to a string cannot fail.
        write!(shape, "/{part}").unwrap_or_default();
    }
    shape
}
