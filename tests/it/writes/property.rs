//! Read, change, write back: whatever is done to what a role was shown, no stored value that was hidden
//! from it changes, in any mode, however the upstream understands the write.

use std::collections::BTreeMap;

use postern_filters::{Verdict, WriteError};
use serde_json::{Map, Value, json};

use super::{compile, decide, resource, shown};
use crate::generated::{self, Random};

const SELECTORS: &[&str] = &[
    "$.a",
    "$.b",
    "$.b.c",
    "$..c",
    "$.list[*].b",
    "$.list[?@.a].c",
    "$.list[0].a",
    "$..list[-1].c",
    "$.b.list",
    "$..a.b",
];
const ACTIONS: &[&str] = &[
    "show",
    "show",
    "mask",
    "redact",
    "remove",
    "{ pseudonym: { scope: role } }",
];
const LINES: &[(&str, &str)] = &[("PUT", "json"), ("PATCH", "json"), ("PATCH", "merge")];

/// How the tests go: how many writes went up, by mode.
type Tally = BTreeMap<&'static str, usize>;

#[test]
fn no_hidden_value_changes_whatever_is_written_back() {
    let cases = generated::number_from("POSTERN_WRITES").unwrap_or(400);
    let seed = generated::seed();
    let mut tally = Tally::new();
    for case in 0..cases {
        run(seed, case, &mut tally);
    }
    println!("{cases} cases, writes that went up: {tally:?}");
    let enough = usize::try_from(cases / 20).unwrap();
    for mode in ["reject", "drop_field", "restore"] {
        assert!(tally.get(mode).copied().unwrap_or(0) >= enough, "{mode}");
    }
}

fn run(seed: u64, case: u64, tally: &mut Tally) {
    let mut random = Random::of_case(seed, case);
    let rules = policy(&mut random);
    let mut canaries = 0;
    let stored = object(&mut random, 3, &mut canaries);
    let text = stored.to_string();
    let view = shown(&compile(&rules.replace("MODE", "reject")), "GET /x", &text);
    let Ok(view) = serde_json::from_str::<Value>(&view) else {
        return;
    };
    let secrets = hidden(&stored, &view.to_string());
    let mut edited = view;
    for _ in 0..random.below(3) {
        edit(&mut edited, &mut random);
    }
    for mode in ["reject", "drop_field", "restore"] {
        let compiled = compile(&rules.replace("MODE", mode));
        for (method, kind) in LINES {
            let line = format!("{method} /x");
            let Verdict::Allow(plan) = decide(&compiled, &line, Some(kind)) else {
                continue;
            };
            let body = edited.to_string();
            let judged = match plan.write_guard() {
                None => Ok(body.into_bytes()),
                Some(guard) => match guard.restores() {
                    Some(read) => guard.restore(body.as_bytes(), &resource(read, &text)),
                    None => guard.judge(body.as_bytes()),
                },
            };
            let up = match judged {
                Ok(up) => up,
                Err(WriteError::Hidden { .. } | WriteError::Conflict(_)) => continue,
                Err(error) => panic!("case {case}: {error}"),
            };
            *tally.entry(mode).or_default() += 1;
            let up: Value = serde_json::from_slice(&up).unwrap();
            for after in afters(method, kind, &stored, &up) {
                let restored = mode == "restore";
                let seen = restored.then(|| shown(&compiled, "GET /x", &after.to_string()));
                for value in secrets.values().filter(|value| value.is_string()) {
                    let value = value.as_str().unwrap();
                    assert!(
                        !seen.as_ref().is_some_and(|seen| seen.contains(value)),
                        "POSTERN_SEED={seed} case {case}: {line} {kind} shows a hidden value\n\
                         {rules}\nstored {text}\nwritten {edited}\nup {up}\nafter {after}"
                    );
                }
                for (place, value) in &secrets {
                    assert_eq!(
                        at(&after, place).as_ref(),
                        Some(value),
                        "POSTERN_SEED={seed} case {case}: {mode} {line} {kind} lost {place}\n\
                         {rules}\nstored {text}\nwritten {edited}\nup {up}"
                    );
                }
            }
        }
    }
}

/// A policy of one route with some of the rules.
fn policy(random: &mut Random) -> String {
    let mut labels = String::new();
    let mut rules = String::new();
    let mut sees = String::new();
    for (number, selector) in SELECTORS.iter().enumerate() {
        if random.chance(30) {
            labels.push_str(&format!("  l{number}: Label\n"));
            rules.push_str(&format!("      '{selector}': l{number}\n"));
            let action = random.choose(ACTIONS);
            sees.push_str(&format!("      l{number}: {action}\n"));
        }
    }
    labels.push_str("  last: Label\n");
    rules.push_str("      $.never: last\n");
    sees.push_str("      last: show\n");
    let unlabelled = random.choose(&["show", "show", "remove"]);
    format!(
        "policy: v1\nname: p\nidentity: {{ from: header, subject: X-S, roles: X-R, trusted: [unix], \
         without_a_role: deny }}\nlabels:\n{labels}write_back: MODE\nunlabelled: {unlabelled}\n\
         routes:\n  x:\n    match: ['GET /x', 'PUT /x', 'PATCH /x']\n    label:\n{rules}  rest: {{ match: \
         'ANY /{{path...}}', deny: true }}\nroles:\n  agent:\n    sees:\n{sees}"
    )
}

fn object(random: &mut Random, depth: usize, canaries: &mut usize) -> Value {
    let mut members = Map::new();
    for name in ["a", "b", "c", "d", "list"] {
        if random.chance(60) {
            members.insert(name.to_owned(), value(random, name, depth, canaries));
        }
    }
    Value::Object(members)
}

fn value(random: &mut Random, name: &str, depth: usize, canaries: &mut usize) -> Value {
    if depth == 0 || random.chance(40) {
        *canaries += 1;
        return match random.below(8) {
            0 => Value::Null,
            1 => json!(1000 + *canaries),
            _ => json!(format!("canary-{canaries}-{canaries}")),
        };
    }
    if name != "list" && random.chance(70) {
        return object(random, depth - 1, canaries);
    }
    let (with_ids, of_objects) = (random.chance(50), random.chance(70));
    let elements = (0..random.below(4)).map(|number| {
        let mut element = match of_objects {
            true => object(random, depth - 1, canaries),
            false => value(random, "", 0, canaries),
        };
        if let Some(members) = element.as_object_mut().filter(|_| with_ids) {
            members.insert("id".to_owned(), json!(number));
        }
        element
    });
    Value::Array(elements.collect())
}

/// Every stored text that the view does not hold, by its place; elements with an `id` by that.
fn hidden(stored: &Value, view: &str) -> BTreeMap<String, Value> {
    let mut places = BTreeMap::new();
    collect(stored, String::new(), &mut places);
    places.retain(|_, value| {
        let text = value.to_string();
        (value.is_string() || value.is_number()) && !view.contains(text.trim_matches('"'))
    });
    places
}

fn collect(value: &Value, place: String, places: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, format!("{place}/{name}"), places);
            }
        }
        Value::Array(elements) => {
            for (number, element) in elements.iter().enumerate() {
                let key = element
                    .get("id")
                    .map_or_else(|| format!("#{number}"), |id| format!("id={id}"));
                collect(element, format!("{place}/{key}"), places);
            }
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            places.insert(place, scalar.clone());
        }
    }
}

fn at(value: &Value, place: &str) -> Option<Value> {
    let mut places = BTreeMap::new();
    collect(value, String::new(), &mut places);
    places.remove(place)
}

/// Changes something of what was shown.
fn edit(view: &mut Value, random: &mut Random) {
    match view {
        Value::Object(members) if !members.is_empty() => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = random.choose(&names);
            match random.below(6) {
                0 => {
                    members.remove(&name);
                }
                1 => {
                    members.insert(name, Value::Null);
                }
                2 => {
                    members.insert("status".to_owned(), json!("new"));
                }
                _ => edit(&mut members[&name], random),
            }
        }
        Value::Array(elements) if !elements.is_empty() => match random.below(5) {
            0 => elements.reverse(),
            1 => {
                elements.pop();
            }
            2 => elements.push(json!({"d": "fresh"})),
            _ => {
                let place = random.below(elements.len());
                edit(&mut elements[place], random);
            }
        },
        // Nothing is known of what an emptied place hides: see the decision about what a write may reach.
        Value::Object(_) | Value::Array(_) | Value::Null => {}
        scalar @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            *scalar = json!("changed");
        }
    }
}

/// What can be stored after a write.
fn afters(method: &str, kind: &str, stored: &Value, up: &Value) -> Vec<Value> {
    if method == "PUT" {
        return vec![up.clone()];
    }
    let mut deeply = stored.clone();
    merge(&mut deeply, up);
    if kind == "merge" {
        return vec![deeply];
    }
    let mut shallowly = stored.clone();
    if let (Some(members), Some(new)) = (shallowly.as_object_mut(), up.as_object()) {
        members.extend(new.clone());
    }
    vec![deeply, shallowly]
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Some(new) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let members = target.as_object_mut().unwrap();
    for (name, value) in new {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
