//! What a role sees of a document: the output the engine must produce, byte for byte.
//!
//! Not covered: pseudonyms. A mask's and a generalization's replacement of one scalar is taken from the
//! product, because it is not what is being compared.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use postern_config::{Embedded, Selector};
use postern_filters::value_action::{self, JsonKind};

use super::document::{Document, Kind, NodeId, Refused};
use super::opened::{self, Openings};
use super::query::{Queries, Reading};

/// Everything that decides about one document.
pub(crate) struct Rules {
    pub(crate) rules: Vec<(Selector, Vec<u16>)>,
    pub(crate) required: Vec<Selector>,
    pub(crate) names: Names,
    /// By label.
    pub(crate) actions: Vec<Action>,
    pub(crate) unlabelled: Unlabelled,
    pub(crate) depth_max: usize,
    /// How a shown string of each label holds a document, by label; past its end it holds none.
    pub(crate) embedded: Vec<Option<Embedded>>,
}

/// What leaves, and how many values were withheld, by label.
pub(crate) type Output = (Vec<u8>, Vec<u64>);

/// What may become of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// As a reader sees it that keeps the first of repeated names, where a filter asks for them.
    pub(crate) first: Result<Output, Refused>,
    /// As a reader sees it that keeps the last.
    pub(crate) last: Result<Output, Refused>,
    /// A filter could ask for a repeated name: then the document may be refused.
    pub(crate) ambiguous: bool,
    /// A string was opened and is written anew.
    pub(crate) reopened: bool,
}

impl Expected {
    /// Whether this is right: what every reader gets, or a refusal where readers could differ.
    pub(crate) fn allows(&self, got: &Result<Output, Refused>) -> bool {
        let agreed = *got == self.first && self.first == self.last;
        agreed || self.ambiguous && *got == Err(Refused)
    }
}

/// The document as the role sees it; empty when the root itself is removed.
pub(crate) fn redact(rules: &Rules, bytes: &[u8]) -> Expected {
    let (ambiguous, reopened) = (Cell::new(false), Cell::new(false));
    let seen = (&ambiguous, &reopened);
    let first = read_as(Reading::First, rules, bytes, seen);
    // Where no repeated name was asked for, there is nothing that readers could differ about.
    let last = match ambiguous.get() {
        true => read_as(Reading::Last, rules, bytes, seen),
        false => first.clone(),
    };
    Expected {
        first,
        last,
        ambiguous: ambiguous.get(),
        reopened: reopened.get(),
    }
}

fn read_as(
    reading: Reading,
    rules: &Rules,
    bytes: &[u8],
    (ambiguous, reopened): (&Cell<bool>, &Cell<bool>),
) -> Result<Output, Refused> {
    let mut document = Document::read(bytes, rules.depth_max)?;
    opened::open_strings(rules, &mut document, (reading, ambiguous), Openings::Shown)?;
    let queries = queries(rules, &document, reading, ambiguous);
    let labels = labels(rules, &queries);
    let misses = |queries: &Queries<'_, '_>| {
        let mut required = rules.required.iter();
        required.any(|required| queries.select(0, required.segments()).is_empty())
    };
    if misses(&queries) {
        // What is hidden from the role may still be there.
        let mut everything = Document::read(bytes, rules.depth_max)?;
        opened::open_strings(
            rules,
            &mut everything,
            (reading, ambiguous),
            Openings::AllThatCan,
        )?;
        if misses(&self::queries(rules, &everything, reading, ambiguous)) {
            return Err(Refused);
        }
    }
    let writer = Writer {
        document: &document,
        actions: actions(rules, &labels),
        unlabelled: rules.unlabelled,
        reopened,
    };
    let root = &document.nodes[0];
    let written = writer.value(0, false)?.map_or_else(Vec::new, |written| {
        let before = document.between(0, 0, root.start);
        let after = document.between(0, root.end, document.text.len());
        [before, &written, after].concat().into_bytes()
    });
    Ok((written, writer.withheld(rules, &labels)))
}

pub(super) fn queries<'d, 't>(
    rules: &Rules,
    document: &'d Document<'t>,
    reading: Reading,
    ambiguous: &'d Cell<bool>,
) -> Queries<'d, 't> {
    Queries {
        document,
        names: rules.names,
        reading,
        in_filter: false,
        ambiguous,
    }
}

/// What a hidden value may be exchanged for without anybody seeing a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freedom {
    /// Any value: it is removed, or a constant stands in its place.
    AnyValue,
    /// Any scalar: it is removed because nobody labelled it, and it has nothing inside.
    AnyScalar,
    /// Any value that is redacted alike: strings, arrays, objects, or everything else.
    SameForm,
}

/// The outermost values of which nothing leaves, and what each may be exchanged for.
pub(crate) fn hidden_values(rules: &Rules, document: &Document<'_>) -> Vec<(NodeId, Freedom)> {
    let ambiguous = Cell::new(false);
    let queries = queries(rules, document, Reading::First, &ambiguous);
    let actions = actions(rules, &labels(rules, &queries));
    let mut hidden = Vec::new();
    let mut open = vec![(0, false)];
    while let Some((node, shown)) = open.pop() {
        let inside = |shown: bool| {
            let children = document.children(node).iter();
            children.map(move |child| (child.node, shown))
        };
        let container = document.is_container(node);
        match actions.get(&node) {
            Some(Action::Show) => open.extend(inside(true)),
            Some(Action::Remove | Action::Redact { with: Some(_) }) => {
                hidden.push((node, Freedom::AnyValue));
            }
            Some(Action::Redact { with: None }) => hidden.push((node, Freedom::SameForm)),
            Some(
                Action::Detect | Action::Mask(_) | Action::Generalize(_) | Action::Pseudonym(_),
            ) if container => {
                hidden.push((node, Freedom::SameForm));
            }
            Some(
                Action::Detect | Action::Mask(_) | Action::Generalize(_) | Action::Pseudonym(_),
            ) => {}
            None if container || shown => open.extend(inside(shown)),
            None => match rules.unlabelled {
                Unlabelled::Show | Unlabelled::Deny => {}
                Unlabelled::Remove => hidden.push((node, Freedom::AnyScalar)),
                Unlabelled::Redact => hidden.push((node, Freedom::SameForm)),
            },
        }
    }
    hidden
}

/// The labels of each labelled node.
pub(super) type Labels = BTreeMap<NodeId, BTreeSet<u16>>;

pub(super) fn labels(rules: &Rules, queries: &Queries<'_, '_>) -> Labels {
    let mut all = Labels::new();
    for (selector, labels) in &rules.rules {
        for node in queries.select(0, selector.segments()) {
            all.entry(node).or_default().extend(labels);
        }
    }
    all
}

/// The strictest action of the labels of each labelled node.
pub(super) fn actions(rules: &Rules, labels: &Labels) -> BTreeMap<NodeId, Action> {
    let action = |label: &u16| rules.actions[usize::from(*label)].clone();
    let strictest = labels.iter().filter_map(|(node, labels)| {
        let strictest = labels.iter().map(action).reduce(Action::stricter);
        Some((*node, strictest?))
    });
    strictest.collect()
}

struct Writer<'d, 't> {
    document: &'d Document<'t>,
    actions: BTreeMap<NodeId, Action>,
    unlabelled: Unlabelled,
    reopened: &'d Cell<bool>,
}

impl Writer<'_, '_> {
    /// A value as it leaves, or nothing. `shown`: a label above says that everything here is shown.
    fn value(&self, node: NodeId, shown: bool) -> Result<Option<String>, Refused> {
        match self.actions.get(&node) {
            Some(Action::Show) => self.inside(node, true).map(Some),
            Some(Action::Remove) => Ok(None),
            Some(action) => Ok(Some(self.replaced(node, action))),
            None if shown => self.inside(node, true).map(Some),
            None => self.unlabelled(node),
        }
    }

    /// Counts each label that hides, on each hidden value that no hidden value contains.
    fn withheld(&self, rules: &Rules, labels: &Labels) -> Vec<u64> {
        let mut counts = vec![0; rules.actions.len()];
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            match self.actions.get(&node) {
                None | Some(Action::Show) => {
                    let meant = self.document.meant(node);
                    let children = self.document.children(meant).iter();
                    open.extend(children.map(|child| child.node));
                }
                Some(_) => {
                    let hiding = labels[&node].iter().map(|label| usize::from(*label));
                    for label in hiding.filter(|label| rules.actions[*label] != Action::Show) {
                        counts[label] += 1;
                    }
                }
            }
        }
        counts
    }

    fn unlabelled(&self, node: NodeId) -> Result<Option<String>, Refused> {
        let needed = self.has_something_visible(node);
        let container = self.document.is_container(node);
        match self.unlabelled {
            Unlabelled::Show => self.inside(node, false).map(Some),
            Unlabelled::Deny if container => self.inside(node, false).map(Some),
            Unlabelled::Deny => Err(Refused),
            Unlabelled::Remove | Unlabelled::Redact if needed => self.inside(node, false).map(Some),
            Unlabelled::Remove => Ok(None),
            Unlabelled::Redact => Ok(Some(redacted(&self.document.nodes[node].kind).to_owned())),
        }
    }

    /// Whether something labelled below, hidden by nothing between, leaves in some form.
    fn has_something_visible(&self, node: NodeId) -> bool {
        let children = self.document.children(node);
        children
            .iter()
            .any(|child| match self.actions.get(&child.node) {
                Some(action) => *action != Action::Remove,
                None => self.has_something_visible(child.node),
            })
    }

    /// A scalar verbatim; a container with what its children become.
    fn inside(&self, node: NodeId, shown: bool) -> Result<String, Refused> {
        if let Some(opened) = &self.document.nodes[node].opened {
            let root = &self.document.nodes[opened.root];
            let before = self.document.between(opened.root, 0, root.start);
            let after = self
                .document
                .between(opened.root, root.end, opened.text.len());
            let written = [before, &self.inside(opened.root, true)?, after].concat();
            return Ok(match *written == *opened.text {
                true => self.document.lexeme(node).to_owned(),
                false => {
                    self.reopened.set(true);
                    opened.string(&written)
                }
            });
        }
        if self.document.is_container(node) {
            self.container(node, shown)
        } else {
            Ok(self.document.lexeme(node).to_owned())
        }
    }

    /// Everything between children stays but this: a removed child takes along the comma before it
    /// and the white space after that comma, or, where nothing kept precedes it, the comma after it
    /// and the white space before that comma.
    fn container(&self, node: NodeId, shown: bool) -> Result<String, Refused> {
        let text = |from, to| self.document.between(node, from, to);
        let here = &self.document.nodes[node];
        let inner = (here.start + 1, here.end - 1);
        let mut out = text(here.start, inner.0).to_owned();
        let mut previous_end = inner.0;
        let mut kept = false;
        for (at, child) in here.children.iter().enumerate() {
            let value = &self.document.nodes[child.node];
            let next = here.children.get(at + 1);
            let gap = text(previous_end, child.start);
            let before = gap.rsplit(',').next().unwrap();
            let gap = text(value.end, next.map_or(inner.1, |next| next.start));
            let after = gap.split(',').next().unwrap();
            match self.value(child.node, shown)? {
                Some(written) => {
                    let name = text(child.start, value.start);
                    let comma = if kept { "," } else { "" };
                    out.extend([comma, before, name, &written, after]);
                    kept = true;
                }
                None if kept => out.push_str(after),
                None if next.is_some() => out.push_str(before),
                None => out.extend([before, after]),
            }
            previous_end = value.end;
        }
        if here.children.is_empty() {
            out.push_str(text(inner.0, inner.1));
        }
        out.push_str(text(inner.1, here.end));
        Ok(out)
    }

    fn replaced(&self, node: NodeId, action: &Action) -> String {
        let kind = &self.document.nodes[node].kind;
        let json_kind = match kind {
            Kind::Object | Kind::Array => return constant(action, kind),
            Kind::String(_) => JsonKind::String,
            Kind::Number => JsonKind::Number,
            Kind::Bool(_) => JsonKind::Bool,
            Kind::Null => JsonKind::Null,
        };
        if let Action::Redact { .. } = action {
            return constant(action, kind);
        }
        let mut out = Vec::new();
        let raw = self.document.lexeme(node).as_bytes();
        value_action::replace(action, json_kind, raw, None, &mut out);
        String::from_utf8(out).unwrap()
    }
}

/// `redact: { with: ... }`, or the constant of the type.
fn constant(action: &Action, kind: &Kind) -> String {
    if let Action::Redact { with: Some(with) } = action {
        return with.clone();
    }
    redacted(kind).to_owned()
}

fn redacted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Object => "{}",
        Kind::Array => "[]",
        Kind::String(_) => "\"[redacted]\"",
        Kind::Number | Kind::Bool(_) | Kind::Null => "null",
    }
}
