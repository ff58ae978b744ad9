use std::collections::BTreeSet;

use super::*;

mod cases;

/// Detectors of every form, with an action.
fn every(then: Action) -> Detectors {
    Detectors::new(&Detection::new(BTreeSet::from(Detector::ALL), then))
}

fn redacting() -> Detectors {
    every(Action::Redact { with: None })
}
