//! The detectors on written cases; the lines they are measured on are in the integration tests.

use std::collections::BTreeSet;

use super::*;

mod bodies;
mod cases;
mod own;
mod secrets;

/// Detectors of every form, with an action.
fn every(then: Action) -> Detectors {
    Detectors::new(&Detection::new(BTreeSet::from(Detector::ALL), then))
}

fn redacting() -> Detectors {
    every(Action::Redact { with: None })
}
