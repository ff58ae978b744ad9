//! The lists that go with the catalogue: which policy file serves an entry, what is left out and why,
//! where the specification wins, and which gaps are known.
//!
//! Every line of them is checked against the catalogue, so none of them can go stale unnoticed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::catalogue::{Entry, cases};

/// Which policy file serves an entry.
#[derive(Deserialize)]
pub(super) struct Choices {
    by_need: Vec<(String, String)>,
    otherwise: String,
    by_entry: BTreeMap<String, ByEntry>,
}

#[derive(Deserialize)]
struct ByEntry {
    policy: String,
    #[expect(dead_code, reason = "the reason is for the reader of the list")]
    why: String,
}

/// An entry, and why it is on the list.
#[derive(Deserialize, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) why: String,
}

/// A refusal that a specification prescribes where the catalogue names another outcome.
#[derive(Deserialize, Clone)]
pub(super) struct SpecWins {
    pub(super) id: String,
    pub(super) status: Vec<u16>,
    pub(super) upstream_requests: Vec<usize>,
    pub(super) why: String,
}

#[derive(Deserialize)]
struct Lines {
    #[serde(default)]
    entry: Vec<Line>,
}

#[derive(Deserialize)]
struct Wins {
    #[serde(default)]
    entry: Vec<SpecWins>,
}

impl Choices {
    /// The committed choices.
    pub(super) fn load() -> Self {
        read("choices.toml")
    }

    /// The policy file (without its extension) that serves an entry.
    pub(super) fn policy(&self, entry: &Entry) -> &str {
        if let Some(own) = self.by_entry.get(&entry.id) {
            return &own.policy;
        }
        let by_need = self
            .by_need
            .iter()
            .find(|(need, _)| entry.policy_needed.contains(need));
        by_need.map_or(&self.otherwise, |(_, policy)| policy)
    }

    /// Every policy name and entry id that the choices mention.
    pub(super) fn mentions(&self) -> (Vec<&str>, Vec<&str>) {
        let policies = self.by_need.iter().map(|(_, policy)| policy.as_str());
        let own = self.by_entry.values().map(|own| own.policy.as_str());
        let needs = self.by_entry.keys().map(String::as_str).collect();
        (
            policies
                .chain(own)
                .chain([self.otherwise.as_str()])
                .collect(),
            needs,
        )
    }
}

/// What does not run, with reasons.
pub(super) fn excluded() -> Vec<Line> {
    read::<Lines>("excluded.toml").entry
}

/// What runs and is known to fail, with reasons. The goal is none.
pub(super) fn known_gaps() -> Vec<Line> {
    read::<Lines>("known_gaps.toml").entry
}

/// Where a specification wins over the catalogue.
pub(super) fn spec_wins() -> Vec<SpecWins> {
    read::<Wins>("spec_wins.toml").entry
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(cases().join(name)).expect(name);
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
