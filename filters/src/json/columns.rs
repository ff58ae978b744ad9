//! What a route's selectors say of a table's column: the column `customer.email` is the member `email`
//! of the member `customer` of every row, and the member `customer.email` as well.
//!
//! Guarantees: every way to read the header text as a path counts, so that a label which any of them
//! reaches is found; the answer does not depend on the row. Filters and indices from the end find
//! nothing here: a policy that needs them for a table does not load.

use postern_config::routes::{Names, Unlabelled};
use postern_config::{Action, Detection};

use super::JsonPlan;
use super::automaton::{Key, LabelId, NameId, Place, RuleId};
use crate::detect::Detectors;
use crate::pseudonym::Pseudonymizer;

/// The most parts that a header text may have between its dots.
const PARTS_MAX: usize = 32;

/// Where a column stands in the rules of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnPath {
    /// The labels of the cells themselves.
    pub(crate) labels: Vec<LabelId>,
    /// The labels of what is around the cells: the row, and members that hold them.
    pub(crate) around: Vec<LabelId>,
    /// The rules that require this column, or something around it.
    pub(crate) required: Vec<RuleId>,
    /// Some selector spells out the column's name, or a part of it.
    pub(crate) named: bool,
    /// The cells themselves name data subjects, or something around them does.
    pub(crate) names_subject: bool,
    pub(crate) subject_around: bool,
}

impl JsonPlan {
    /// Where the column under this header text stands; none when the text has too many parts.
    pub(crate) fn column(&self, header: &str) -> Option<ColumnPath> {
        let parts = parts(header)?;
        let places = self.automaton().places();
        let row = places.step(&places.start(), Key::Index(0), &[]);
        let mut path = ColumnPath::default();
        self.passes(&row, &mut path);
        // The sets after so many parts, however these are joined.
        let mut sets: Vec<Vec<Place>> = vec![row.clone()];
        for end in 1..=parts.len() {
            let mut set: Vec<Place> = Vec::new();
            for (begin, before) in sets.iter().enumerate() {
                let name = parts.get(begin..end).unwrap_or_default().join(".");
                path.named |= self.name(&name) != 0;
                if !before.is_empty() {
                    set.extend(self.member(before, &name));
                }
            }
            merge(&mut set);
            if end < parts.len() {
                self.passes(&set, &mut path);
            }
            sets.push(set);
        }
        let mut last = sets.pop().unwrap_or_default();
        last.extend(self.member(&row, header));
        path.named |= self.name(header) != 0;
        merge(&mut last);
        self.ends(&last, &mut path);
        for ids in [&mut path.labels, &mut path.around] {
            merge(ids);
        }
        merge(&mut path.required);
        Some(path)
    }

    /// The number of a member name; 0 when no selector mentions it.
    fn name(&self, name: &str) -> NameId {
        let automaton = self.automaton();
        match automaton.fold() {
            Names::Exact => automaton.names().find(name.as_bytes()),
            Names::Caseless => automaton.names().find(name.to_ascii_lowercase().as_bytes()),
        }
    }

    /// The places of a child under this name, which may be an index.
    fn member(&self, set: &[Place], name: &str) -> Vec<Place> {
        let places = self.automaton().places();
        let mut next = places.step(set, Key::Name(self.name(name)), &[]);
        if let Ok(index) = name.parse() {
            next.extend(places.step(set, Key::Index(index), &[]));
        }
        next
    }

    fn passes(&self, set: &[Place], path: &mut ColumnPath) {
        let mut around = ColumnPath::default();
        self.ends(set, &mut around);
        path.around.append(&mut around.labels);
        path.required.append(&mut around.required);
        path.subject_around |= around.names_subject;
    }

    fn ends(&self, set: &[Place], path: &mut ColumnPath) {
        let (automaton, places) = (self.automaton(), self.automaton().places());
        for place in set.iter().filter(|place| places.is_end(**place)) {
            let Some(rule) = places.rule(*place) else {
                continue;
            };
            path.labels.extend_from_slice(automaton.labels_of(rule));
            if self.is_required(rule) {
                path.required.push(rule);
            }
            path.names_subject |= self.is_active(rule) && automaton.is_subject(rule);
        }
    }

    /// Whether any rule of the route attaches a label.
    pub(crate) fn has_labels(&self) -> bool {
        !self.automaton().labels_of(0).is_empty()
    }

    /// The action for a label.
    pub(crate) fn action(&self, label: LabelId) -> &Action {
        const GONE: Action = Action::Remove;
        let known = self.settings().actions.get(usize::from(label));
        known.unwrap_or(&GONE)
    }

    /// What is searched for in the values of these labels together; none when nothing is.
    pub(crate) fn detectors<'l>(
        &self,
        labels: impl Iterator<Item = &'l LabelId>,
    ) -> Option<Detectors> {
        let searched = labels.filter(|label| *self.action(**label) == Action::Detect);
        let detection = searched
            .filter_map(|label| self.detections().get(usize::from(*label))?.clone())
            .reduce(Detection::and)?;
        Some(Detectors::new(&detection))
    }

    /// What happens to a column nobody labelled.
    pub(crate) fn unlabelled(&self) -> Unlabelled {
        self.settings().unlabelled
    }

    /// How names are compared.
    pub(crate) fn names(&self) -> Names {
        self.automaton().fold()
    }

    /// How many bytes an exchange may hold back.
    pub(crate) fn held_bytes_max(&self) -> usize {
        self.settings().held_bytes_max
    }

    /// What makes this reader's tokens.
    pub(crate) fn pseudonyms(&self) -> Option<&Pseudonymizer> {
        self.settings().pseudonyms.as_deref()
    }

    /// How many labels there are.
    pub(crate) fn labels(&self) -> usize {
        self.settings().actions.len()
    }

    /// The rules that must match something, by number.
    pub(crate) fn requirements(&self) -> Vec<RuleId> {
        self.required().collect()
    }
}

/// The parts of a header text between dots; `a[0].b` is `a.0.b`. None when there are too many.
fn parts(header: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = header
        .split(['.', '['])
        .map(|part| part.strip_suffix(']').unwrap_or(part))
        .take(PARTS_MAX + 1)
        .collect();
    (parts.len() <= PARTS_MAX).then_some(parts)
}

fn merge<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}
