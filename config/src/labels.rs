//! Labels: the kinds of data a policy rules on, and how they cover one another.
//!
//! A label covers its children: `pii` covers `pii.name`. A label may also name further parents, so
//! that `pii.card` can be covered by `pii` and by `payment`.

use std::collections::BTreeMap;

/// A kind of data, such as `pii.contact`: lower-case words joined by dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub(crate) String);

/// Every label a policy declares, with what it is about and what covers it.
#[derive(Debug, Clone, Default)]
pub struct LabelTree {
    pub(crate) entries: BTreeMap<Label, LabelEntry>,
}

/// What a policy says about one label.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LabelEntry {
    /// What the label is about, in the policy author's words.
    pub about: String,
    /// Labels that cover this one besides its dotted prefixes.
    pub parents: Vec<Label>,
    /// How a string of this label holds a document, if it does.
    pub embedded: Option<Embedded>,
}

/// How a string holds a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Embedded {
    /// Its characters are JSON text.
    Json,
    /// Its characters are base64 (RFC 4648) of JSON text.
    Base64,
}

impl Label {
    /// The label's dotted name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelTree {
    /// Every declared label, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&Label, &LabelEntry)> {
        self.entries.iter()
    }

    /// Whether the policy declares this label.
    #[must_use]
    pub fn contains(&self, label: &Label) -> bool {
        self.entries.contains_key(label)
    }

    /// What covers `label`, nearest first: the label itself, then level by level its dotted prefix
    /// and the parents it names. Each level holds labels of equal nearness; no label comes twice.
    #[must_use]
    pub fn covering(&self, label: &Label) -> Vec<Vec<Label>> {
        let mut levels: Vec<Vec<Label>> = vec![vec![label.clone()]];
        let mut seen = vec![label.clone()];
        loop {
            let mut next = Vec::new();
            for covered in levels.last().into_iter().flatten() {
                for parent in self.covers_directly(covered) {
                    if !seen.contains(&parent) {
                        seen.push(parent.clone());
                        next.push(parent);
                    }
                }
            }
            if next.is_empty() {
                return levels;
            }
            levels.push(next);
        }
    }

    /// What covers `label` directly: its dotted prefix and the parents it names.
    pub(crate) fn covers_directly(&self, label: &Label) -> Vec<Label> {
        let dotted = label
            .0
            .rsplit_once('.')
            .map(|(prefix, _)| Label(prefix.to_owned()));
        let named = self
            .entries
            .get(label)
            .map(|entry| entry.parents.as_slice())
            .unwrap_or_default();
        dotted.into_iter().chain(named.iter().cloned()).collect()
    }
}
