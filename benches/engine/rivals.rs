//! Other ways to do the job. Each takes a whole document and appends what it makes of it.

use jsonpath_rust::JsonPath;
use postern_benches::rule_sets::{CONSTANT, RuleSet};
use postern_config::action::Action;
use serde::de::IgnoredAny;
use serde_json::Value;
use simd_json::borrowed;
use simd_json::prelude::{ValueAsArray, ValueAsObject, Writable};
use sonic_rs::{JsonContainerTrait, JsonValueMutTrait};

use crate::walk::{Places, Tree, Walk};

/// The rivals with the rules of one rule set.
#[derive(Debug)]
pub(crate) struct Rivals {
    selectors: Vec<String>,
    removes: bool,
    walk: Walk,
}

impl Rivals {
    /// Prepares the rules, which is not timed.
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let removes = rules.action == Action::Remove;
        Self {
            selectors: rules.selectors.clone(),
            removes,
            walk: Walk::new(&rules.selectors, removes),
        }
    }

    /// (b): a tree of serde_json, a query of jsonpath-rust for each selector, serde_json for the output.
    pub(crate) fn serde_and_jsonpath(&self, document: &[u8], out: &mut Vec<u8>) {
        let mut value: Value = parsed(document);
        let mut paths = Vec::new();
        for selector in &self.selectors {
            paths.extend(value.query_only_path(selector).unwrap_or_default());
        }
        for path in &paths {
            if self.removes {
                remove(&mut value, path);
            } else if let Some(place) = place(&mut value, path) {
                *place = Value::String(CONSTANT.trim_matches('"').to_owned());
            }
        }
        assert!(
            serde_json::to_writer(out, &value).is_ok(),
            "a tree is written"
        );
    }

    /// A tree of serde_json and the walk.
    pub(crate) fn serde_and_walk(&self, document: &[u8], out: &mut Vec<u8>) {
        self.walk.write(&parsed(document), out);
    }

    /// A tree of sonic-rs and the walk.
    pub(crate) fn sonic_and_walk(&self, document: &[u8], out: &mut Vec<u8>) {
        let value: sonic_rs::Value = sonic_rs::from_slice(document).unwrap_or_default();
        self.walk.write(&value, out);
    }

    /// A tree of sonic-rs that is changed in place by its own means, and serialised.
    pub(crate) fn sonic_in_place(&self, document: &[u8], out: &mut Vec<u8>) {
        let mut value: sonic_rs::Value = sonic_rs::from_slice(document).unwrap_or_default();
        self.change(&mut value, self.walk.start());
        Tree::write(&value, out);
    }

    /// Changes what is selected inside a value. Looking for a member to change makes sonic-rs turn the
    /// object into a map.
    fn change(&self, value: &mut sonic_rs::Value, here: Places) {
        if here.is_empty() {
            return;
        }
        if let Some(members) = value.as_object_mut() {
            let mut removed = Vec::new();
            for (name, value) in members.iter_mut() {
                let next = self.walk.by_name(here, name);
                match self.walk.selects(next) {
                    true if self.removes => removed.push(name.to_owned()),
                    true => *value = sonic_rs::Value::from(CONSTANT.trim_matches('"')),
                    false => self.change(value, next),
                }
            }
            for name in removed {
                members.remove(&name);
            }
        } else if let Some(elements) = value.as_array_mut() {
            for (at, value) in elements.as_mut_slice().iter_mut().enumerate() {
                self.change(value, self.walk.by_index(here, at));
            }
        }
    }

    /// A tree of simd-json, which is built in a copy of the document, and the walk.
    pub(crate) fn simd_json_and_walk(&self, document: &[u8], out: &mut Vec<u8>) {
        let mut copy = document.to_vec();
        if let Ok(value) = simd_json::to_borrowed_value(&mut copy) {
            self.walk.write(&value, out);
        }
    }
}

/// Follows the grammar and keeps nothing. It does not check UTF-8.
pub(crate) fn skip(document: &[u8]) {
    let skipped: IgnoredAny = serde_json::from_slice(document).unwrap_or_default();
    std::hint::black_box(skipped);
}

fn parsed(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap_or_default()
}

/// Follows a normalized path such as `$['a'][0]`; the documents' names need no escapes.
fn place<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut here = value;
    for step in path.split('[').skip(1) {
        let step = step.strip_suffix(']')?;
        here = match step.strip_prefix('\'') {
            Some(name) => here.get_mut(name.strip_suffix('\'')?)?,
            None => here.get_mut(step.parse::<usize>().ok()?)?,
        };
    }
    Some(here)
}

/// Removes the member at a normalized path.
fn remove(value: &mut Value, path: &str) {
    let Some((parent, name)) = path.rsplit_once('[') else {
        return;
    };
    let name = name.trim_end_matches(']').trim_matches('\'');
    let members = place(value, parent).and_then(Value::as_object_mut);
    if let Some(members) = members {
        members.shift_remove(name);
    }
}

impl Tree for Value {
    fn members(&self, visit: &mut dyn FnMut(&str, &Self)) -> bool {
        let members = self.as_object();
        members
            .into_iter()
            .flatten()
            .for_each(|(name, value)| visit(name, value));
        members.is_some()
    }

    fn elements(&self, visit: &mut dyn FnMut(&Self)) -> bool {
        let elements = self.as_array();
        elements.into_iter().flatten().for_each(visit);
        elements.is_some()
    }

    fn write(&self, out: &mut Vec<u8>) {
        assert!(
            serde_json::to_writer(out, self).is_ok(),
            "a tree is written"
        );
    }

    fn write_name(name: &str, out: &mut Vec<u8>) {
        assert!(
            serde_json::to_writer(out, name).is_ok(),
            "a name is written"
        );
    }
}

impl Tree for sonic_rs::Value {
    fn members(&self, visit: &mut dyn FnMut(&str, &Self)) -> bool {
        let members = self.as_object();
        members
            .into_iter()
            .flatten()
            .for_each(|(name, value)| visit(name, value));
        members.is_some()
    }

    fn elements(&self, visit: &mut dyn FnMut(&Self)) -> bool {
        let elements = self.as_array();
        elements.into_iter().flatten().for_each(visit);
        elements.is_some()
    }

    fn write(&self, out: &mut Vec<u8>) {
        assert!(sonic_rs::to_writer(out, self).is_ok(), "a tree is written");
    }

    fn write_name(name: &str, out: &mut Vec<u8>) {
        assert!(sonic_rs::to_writer(out, name).is_ok(), "a name is written");
    }
}

impl Tree for borrowed::Value<'_> {
    fn members(&self, visit: &mut dyn FnMut(&str, &Self)) -> bool {
        let members = self.as_object();
        members
            .into_iter()
            .flatten()
            .for_each(|(name, value)| visit(name, value));
        members.is_some()
    }

    fn elements(&self, visit: &mut dyn FnMut(&Self)) -> bool {
        let elements = self.as_array();
        elements.into_iter().flatten().for_each(visit);
        elements.is_some()
    }

    fn write(&self, out: &mut Vec<u8>) {
        assert!(Writable::write(self, out).is_ok(), "a tree is written");
    }

    fn write_name(name: &str, out: &mut Vec<u8>) {
        let name = borrowed::Value::from(name);
        assert!(Writable::write(&name, out).is_ok(), "a name is written");
    }
}
