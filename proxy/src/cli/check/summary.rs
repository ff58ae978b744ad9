//! What a policy that loads consists of: routes, labels, roles, quotas, and how its selectors are
//! evaluated.

use postern_config::routes::Route;
use postern_config::{Embedded, FormatKind, Label, Policy};
use postern_filters::json::{Lookahead, lookahead};
use serde_json::{Map, Value, json};

use crate::cli::wording::{self, count};
use crate::load::LoadedPolicy;

/// A policy in a few lines.
pub(super) struct Summary {
    text: String,
    json: Value,
}

impl Summary {
    /// Sums a policy up.
    pub(super) fn of(loaded: &LoadedPolicy, policy: &Policy) -> Self {
        let file = loaded.source.path.display().to_string();
        let revision = loaded.revision.short();
        Self {
            text: text(&file, &revision, policy),
            json: json!({
                "name": policy.name,
                "file": file,
                "revision": revision,
                "labels": policy.labels.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(),
                "embedded": embedded(policy)
                    .map(|(label, how)| (label.to_owned(), wording::embedded(how).into()))
                    .collect::<Map<String, Value>>(),
                "roles": policy.roles.keys().collect::<Vec<_>>(),
                "routes": policy.routes.iter().map(route_json).collect::<Vec<_>>(),
                "quotas": wording::quotas_json(policy),
            }),
        }
    }

    /// For people.
    pub(super) fn as_text(&self) -> String {
        self.text.clone()
    }

    /// For programs.
    pub(super) fn as_json(&self) -> Value {
        self.json.clone()
    }
}

fn text(file: &str, revision: &str, policy: &Policy) -> String {
    let mut text = format!(
        "{file}: policy `{}`, revision {revision}\n{}, {}, {}\n\n",
        policy.name,
        count(policy.labels.iter().count(), "label"),
        count(policy.roles.len(), "role"),
        count(policy.routes.len(), "route"),
    );
    let rows: Vec<Vec<String>> = policy
        .routes
        .iter()
        .flat_map(|route| {
            let lines = route.matches.iter().enumerate();
            lines.map(|(index, line)| {
                let first = index == 0;
                let name = if first { route.name.as_str() } else { "" };
                let about = if first { about(route) } else { String::new() };
                vec![format!("  {name}"), wording::route_match(line), about]
            })
        })
        .collect();
    text.push_str(&wording::table(&rows));
    text.push('\n');
    text.push_str(&holding(policy));
    text.push_str(&opened(policy));
    text.push_str(&counted(policy));
    text
}

/// How much may leave, or nothing when nothing is counted.
fn counted(policy: &Policy) -> String {
    match policy.quotas.is_empty() {
        true => String::new(),
        false => format!("\n{}", wording::quota_table(policy)),
    }
}

/// The labels whose strings are opened, or nothing.
fn opened(policy: &Policy) -> String {
    let rows: Vec<Vec<String>> = embedded(policy)
        .map(|(label, how)| vec![format!("  {label}"), wording::embedded(how).to_owned()])
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!(
            "labels whose strings are opened where they are shown:\n{}",
            wording::table(&rows)
        ),
    }
}

fn embedded(policy: &Policy) -> impl Iterator<Item = (&str, Embedded)> {
    let labels = policy.labels.iter();
    labels.filter_map(|(label, entry)| Some((label.as_str(), entry.embedded?)))
}

/// What a route does, in a few words.
fn about(route: &Route) -> String {
    if route.deny {
        return "denied".to_owned();
    }
    let unlabelled = wording::unlabelled(route.unlabelled);
    let mut parts = Vec::new();
    if !route.rules.is_empty() {
        parts.push(count(route.rules.len(), "selector"));
    }
    if !route.columns.is_empty() {
        parts.push(count(route.columns.len(), "column"));
    }
    if parts.is_empty() {
        parts.push("no labels".to_owned());
    }
    parts.push(format!("everything else: {unlabelled}"));
    let formats: Vec<&str> = route.formats.iter().map(|f| f.kind.word()).collect();
    if formats != [FormatKind::Json.word()] {
        parts.push(format!("in {}", formats.join(" ")));
    }
    parts.join(", ")
}

/// The selectors that hold something back, or that there is none.
fn holding(policy: &Policy) -> String {
    let mut rows = Vec::new();
    for route in &policy.routes {
        for rule in &route.rules {
            let reads = lookahead(&rule.selector);
            if reads != Lookahead::Streams {
                rows.push(vec![
                    format!("  {}", route.name),
                    rule.selector.text().to_owned(),
                    wording::lookahead(reads).to_owned(),
                ]);
            }
        }
    }
    if rows.is_empty() {
        return "every selector streams\n".to_owned();
    }
    format!(
        "selectors that hold something back; the others stream:\n{}",
        wording::table(&rows)
    )
}

fn route_json(route: &Route) -> Value {
    let selectors: Vec<Value> = route
        .rules
        .iter()
        .map(|rule| {
            json!({
                "selector": rule.selector.text(),
                "labels": rule.labels.iter().map(Label::as_str).collect::<Vec<_>>(),
                "reads": wording::lookahead(lookahead(&rule.selector)),
            })
        })
        .collect();
    let columns: Vec<Value> = route
        .columns
        .iter()
        .map(|column| {
            json!({
                "header": column.header,
                "labels": column.labels.iter().map(Label::as_str).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "name": route.name,
        "match": route.matches.iter().map(wording::route_match).collect::<Vec<_>>(),
        "deny": route.deny,
        "unlabelled": wording::unlabelled(route.unlabelled),
        "formats": route.formats.iter().map(|format| format.kind.word()).collect::<Vec<_>>(),
        "columns": columns,
        "selectors": selectors,
    })
}
