//! What happens to labelled values, by the set of labels they carry.

use std::collections::HashMap;
use std::sync::Arc;

use postern_config::labels::Embedded;
use postern_config::{Action, Detection};

use super::JsonSettings;
use crate::detect::Detectors;
use crate::json::automaton::LabelId;

/// What is searched for in the values of each label, by [`LabelId`].
pub(super) type Detections = [Option<Detection>];

/// What happens to a labelled value.
#[derive(Debug, Clone)]
pub(in crate::json) struct Verdict {
    /// The strictest action of its labels.
    pub(in crate::json) action: Action,
    /// Its labels that do not show it.
    pub(in crate::json) withheld: Box<[LabelId]>,
    /// How a string with these labels holds a document, each way once; empty when it holds none.
    pub(in crate::json) embedded: Box<[Embedded]>,
    /// What is searched for, where the action is to search and somebody said for what.
    pub(in crate::json) detectors: Option<Arc<Detectors>>,
}

/// Verdicts by the labels they are made from. The first is for no label and never used.
#[derive(Debug, Clone, Default)]
pub(in crate::json) struct Verdicts {
    list: Vec<Verdict>,
    ids: HashMap<Vec<LabelId>, u32>,
}

impl Verdicts {
    /// A verdict by its number; none for 0.
    #[inline]
    pub(in crate::json) fn get(&self, number: u32) -> Option<&Verdict> {
        self.list.get((number as usize).checked_sub(1)?)
    }

    /// How many verdicts there are.
    pub(in crate::json) fn count(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn number(
        &mut self,
        labels: Vec<LabelId>,
        settings: &JsonSettings,
        detections: &Detections,
    ) -> u32 {
        let of = |label: &LabelId| {
            let action = settings.actions.get(usize::from(*label));
            action.cloned().unwrap_or(Action::Remove)
        };
        let Some(action) = labels.iter().map(of).reduce(Action::stricter) else {
            return 0;
        };
        if let Some(number) = self.ids.get(&labels) {
            return *number;
        }
        let hidden = labels.iter().filter(|label| of(label) != Action::Show);
        let mut embedded: Vec<Embedded> = labels
            .iter()
            .filter_map(|label| settings.embedded_in(*label))
            .collect();
        embedded.sort_unstable();
        embedded.dedup();
        let searched = labels.iter().filter(|label| of(label) == Action::Detect);
        let detection = searched
            .filter_map(|label| detections.get(usize::from(*label))?.clone())
            .reduce(Detection::and)
            .filter(|_| action == Action::Detect);
        self.list.push(Verdict {
            detectors: detection.map(|detection| Arc::new(Detectors::new(&detection))),
            action,
            withheld: hidden.copied().collect(),
            embedded: embedded.into(),
        });
        // INVARIANT: there are no more verdicts than states, which are bounded.
        let number = self.count();
        self.ids.insert(labels, number);
        number
    }
}
