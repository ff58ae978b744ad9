//! What a policy's selectors find in a token's claims, or in the answer to a login.
//!
//! A path of names, indexes and wildcards, which is what policies write, is walked directly; any other
//! RFC 9535 query is left to `jsonpath-rust`. What is found is borrowed from the claims.

use std::fmt;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::{QueryRef, js_path_process};
use postern_config::Selector;
use postern_config::selector::Segment;
use postern_config::selector::ast::Pick;
use serde_json::Value;

use super::{AuthenticatorError, GROUPS_MAX, IdentityError, refuse};

/// A selector, ready to be evaluated on claims.
pub(crate) struct ClaimSelector {
    plan: Plan,
    /// The last segment is `[*]`: what it finds is the list's elements, not the list.
    lists_elements: bool,
}

impl fmt::Debug for ClaimSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimSelector").finish_non_exhaustive()
    }
}

enum Plan {
    Path(Vec<Step>),
    Query(Box<JpQuery>),
}

enum Step {
    Name(String),
    Index(i64),
    Children,
}

impl ClaimSelector {
    pub(crate) fn new(selector: &Selector) -> Result<Self, AuthenticatorError> {
        let path: Option<Vec<Step>> = selector.segments().iter().map(step).collect();
        let plan = match path {
            Some(path) => Plan::Path(path),
            None => match parse_json_path(selector.text()) {
                Ok(query) => Plan::Query(Box::new(query)),
                Err(_unread) => {
                    return Err(AuthenticatorError::Selector {
                        selector: selector.text().to_owned(),
                    });
                }
            },
        };
        let last = selector.segments().last().and_then(step);
        let lists_elements = matches!(last, Some(Step::Children));
        Ok(Self {
            plan,
            lists_elements,
        })
    }

    /// Every value the selector finds.
    pub(crate) fn select<'c>(&self, claims: &'c Value) -> Vec<&'c Value> {
        match &self.plan {
            Plan::Path(steps) => walk(steps, claims),
            Plan::Query(query) => js_path_process(query, claims)
                .map(|found| found.into_iter().map(QueryRef::val).collect())
                .unwrap_or_default(),
        }
    }

    /// The groups the selector finds: strings, or one array of strings. Any other shape gives none, and
    /// a last `[*]` reads arrays only, so that an object in the place of a list gives none either.
    pub(crate) fn groups(&self, claims: &Value) -> Result<Vec<String>, IdentityError> {
        let found = match &self.plan {
            Plan::Path(steps) => match steps.split_last() {
                Some((Step::Children, parents)) => walk(parents, claims)
                    .into_iter()
                    .filter_map(Value::as_array)
                    .flatten()
                    .collect(),
                Some(_) | None => walk(steps, claims),
            },
            Plan::Query(_) => self.select(claims),
        };
        let found = match found.as_slice() {
            // SECURITY: an array among the elements is an odd shape, not a list of groups.
            [Value::Array(items)] if !self.lists_elements => items.iter().collect(),
            _ => found,
        };
        if found.len() > GROUPS_MAX {
            return Err(refuse("too-many-groups"));
        }
        let groups: Option<Vec<String>> = found
            .into_iter()
            .map(|group| group.as_str().map(ToOwned::to_owned))
            .collect();
        Ok(groups.unwrap_or_default())
    }
}

/// A segment that picks one thing.
fn step(segment: &Segment) -> Option<Step> {
    let Segment::Child(picks) = segment else {
        return None;
    };
    match picks.as_slice() {
        [Pick::Name(name)] => Some(Step::Name(name.clone())),
        [Pick::Index(index)] => Some(Step::Index(*index)),
        [Pick::Wildcard] => Some(Step::Children),
        _ => None,
    }
}

fn walk<'c>(steps: &[Step], claims: &'c Value) -> Vec<&'c Value> {
    let mut found = vec![claims];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|value| children(step, value))
            .collect();
    }
    found
}

fn children<'c>(step: &Step, value: &'c Value) -> Vec<&'c Value> {
    match (step, value) {
        (Step::Name(name), Value::Object(members)) => members.get(name).into_iter().collect(),
        (Step::Index(index), Value::Array(items)) => element(items, *index).into_iter().collect(),
        (Step::Children, Value::Array(items)) => items.iter().collect(),
        (Step::Children, Value::Object(members)) => members.values().collect(),
        (Step::Name(_) | Step::Index(_) | Step::Children, _) => Vec::new(),
    }
}

/// RFC 9535 section 2.3.3: a negative index counts from the end.
fn element(items: &[Value], index: i64) -> Option<&Value> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let place = if index < 0 {
        items.len().checked_sub(distance)?
    } else {
        distance
    };
    items.get(place)
}

#[cfg(test)]
mod tests;
