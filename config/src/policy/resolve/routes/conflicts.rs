//! What only the whole set of routes can get wrong: no catch-all, and two equal matches. Lines of a login
//! and a logout are matched together with the routes.

use std::collections::HashMap;
use std::fmt::Write;

use super::Written;
use crate::document::Place;
use crate::document::read::{At, OneOrMany, Slot};
use crate::policy::error::Problems;
use crate::policy::file::IdentityFile;
use crate::policy::resolve::matches;
use crate::routes::{PathPart, Route, RouteMatch, RouteMethod};

/// Reports a missing catch-all, and every pair of matches between which only order would decide.
pub(super) fn report(
    written: &[Written<'_>],
    routes: &[Route],
    (place, identity): (Place, Option<&IdentityFile>),
    problems: &mut Problems,
) {
    if !routes.iter().any(|r| r.matches.iter().any(is_catch_all)) {
        problems
            .add("PN021", place, "there is no catch-all route")
            .help("add `everything_else: { match: \"ANY /{path...}\", deny: true }`");
    }
    // INVARIANT: two matches are equally specific and overlap exactly when their shapes are equal:
    // equal ranks at each segment mean equal kinds, and two literals overlap only when equal.
    let mut shapes: HashMap<String, (String, &str)> = HashMap::new();
    for (owner, line) in lines(written, identity) {
        // Lines that cannot be read were reported when their owner was read.
        let Some(read) = matches::read(line, &mut Problems::default()) else {
            continue;
        };
        let earlier = shapes.insert(shape(&read), (owner.clone(), line.value.as_str()));
        if let Some((other, other_line)) = earlier {
            let message = format!(
                "`{}` of {owner} and `{other_line}` of {other} match the same requests equally well",
                line.value
            );
            problems
                .add("PN022", line.place, message)
                .help("make one of them more specific, or merge the two");
        }
    }
}

/// Every line with whose it is, in words.
fn lines<'a>(
    written: &[Written<'a>],
    identity: Option<&'a IdentityFile>,
) -> Vec<(String, &'a At<String>)> {
    let mut lines = Vec::new();
    let mut add = |owner: String, slot: &'a Slot<OneOrMany<String>>| {
        let all = slot.value().map(|OneOrMany(all)| all.as_slice());
        lines.extend(
            all.unwrap_or_default()
                .iter()
                .map(|line| (owner.clone(), line)),
        );
    };
    for route in written {
        add(format!("route `{}`", route.name.value), &route.file.matches);
    }
    if let Some(login) = identity.and_then(|identity| identity.login.value()) {
        add("`login`".to_owned(), &login.matches);
    }
    if let Some(logout) = identity.and_then(|identity| identity.logout.value()) {
        add("`logout`".to_owned(), &logout.matches);
    }
    lines
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
