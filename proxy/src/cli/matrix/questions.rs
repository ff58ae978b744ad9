//! Who may ask what: the parameters that ask about fields, role by role, below the matrix.

use postern_config::Policy;
use postern_filters::{CompiledPolicy, Identity};
use serde_json::{Map, Value, json};

use crate::cli::wording;

/// A parameter of a route, and whether each role may ask it, in the order of the policy's roles.
struct Row {
    route: String,
    question: String,
    allowed: Vec<bool>,
}

/// The rows as aligned text under a line of their own; nothing when no route has `params`.
pub(super) fn as_text(policy: &Policy, compiled: &CompiledPolicy) -> String {
    let rows = rows(policy, compiled);
    if rows.is_empty() {
        return String::new();
    }
    let roles = policy.roles.keys().cloned();
    let mut table: Vec<Vec<String>> = vec![std::iter::once(String::new()).chain(roles).collect()];
    for row in rows {
        let name = format!("{} ?{}", row.route, row.question);
        let word = |allowed: &bool| if *allowed { "may ask" } else { "-" };
        let cells = row.allowed.iter().map(|allowed| word(allowed).to_owned());
        table.push(std::iter::once(name).chain(cells).collect());
    }
    format!("\n{}", wording::table(&table))
}

/// The same as JSON: by route and question, the roles that may ask.
pub(super) fn as_json(policy: &Policy, compiled: &CompiledPolicy) -> Value {
    let mut routes: Map<String, Value> = Map::new();
    for row in rows(policy, compiled) {
        let roles: Vec<&String> = policy
            .roles
            .keys()
            .zip(&row.allowed)
            .filter_map(|(role, allowed)| allowed.then_some(role))
            .collect();
        let questions = routes.entry(row.route).or_insert_with(|| json!({}));
        if let Some(questions) = questions.as_object_mut() {
            questions.insert(row.question, json!(roles));
        }
    }
    Value::Object(routes)
}

fn rows(policy: &Policy, compiled: &CompiledPolicy) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for route in policy.routes.iter().filter(|route| !route.deny) {
        let first = rows.len();
        for role in policy.roles.keys() {
            let identity = Identity {
                groups: vec![role.clone()],
                ..Identity::default()
            };
            let Ok(plan) = compiled.plan(&route.name, &identity) else {
                continue;
            };
            for (at, question) in plan.questions().into_iter().enumerate() {
                match rows.get_mut(first.saturating_add(at)) {
                    Some(row) => row.allowed.push(question.allowed),
                    None => rows.push(Row {
                        route: route.name.clone(),
                        question: question.text,
                        allowed: vec![question.allowed],
                    }),
                }
            }
        }
    }
    rows
}
