//! What the benches share: documents, rule sets, and the engine compiled for one of each.
//!
//! It measures nothing itself, and knows no rival.

pub mod documents;
pub mod redactor;
pub mod rule_sets;
