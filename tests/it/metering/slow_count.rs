//! Counting by the tree: every selector on the whole document, by the words of RFC 9535.

use std::cell::Cell;
use std::collections::BTreeSet;

use postern_config::Selector;
use postern_config::routes::Names;

use crate::reference::{Document, Kind, NodeId, Queries, Reading};

/// The longest text that names somebody.
const TEXT_BYTES_MAX: usize = 4096;

/// What there is to charge for a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) records: u64,
    /// Data subjects that are told apart.
    pub(super) known: usize,
    /// Data subjects of whom nothing is known.
    pub(super) nameless: u64,
}

/// The nodes that any of the selectors selects, each once, in the order of the text.
pub(super) fn selected(document: &Document<'_>, selectors: &[String]) -> Vec<NodeId> {
    let ambiguous = Cell::new(false);
    let queries = Queries {
        document,
        names: Names::Exact,
        reading: Reading::First,
        in_filter: false,
        ambiguous: &ambiguous,
    };
    let found = selectors.iter().flat_map(|selector| {
        let selector = Selector::parse(selector).unwrap();
        queries.select(0, selector.segments())
    });
    let found: BTreeSet<(usize, NodeId)> = found
        .map(|node| (document.nodes[node].start, node))
        .collect();
    found.into_iter().map(|(_, node)| node).collect()
}

/// Whom a node names: somebody with this text, somebody unknown, or nobody.
pub(super) fn named(document: &Document<'_>, node: NodeId) -> Option<Option<String>> {
    let text = match &document.nodes[node].kind {
        Kind::String(text) => text.clone(),
        Kind::Number => document.lexeme(node).to_owned(),
        Kind::Null => return None,
        Kind::Object | Kind::Array | Kind::Bool(_) => return Some(None),
    };
    match text.len() {
        0 => None,
        length => Some((length <= TEXT_BYTES_MAX).then_some(text)),
    }
}

/// Counts a document. Without selectors of records the document is one.
pub(super) fn count(text: &str, records: &[String], subjects: &[String]) -> Count {
    let document = Document::read(text.as_bytes(), 128).unwrap();
    let own: Vec<NodeId> = match records {
        [] => vec![0],
        records => selected(&document, records),
    };
    let mut count = Count {
        records: own.len() as u64,
        ..Count::default()
    };
    if subjects.is_empty() {
        return count;
    }
    let mut known = BTreeSet::new();
    let mut places = Vec::new();
    for node in selected(&document, subjects) {
        match named(&document, node) {
            None => continue,
            Some(None) => count.nameless += 1,
            Some(Some(text)) => {
                known.insert(text);
            }
        }
        places.push(document.nodes[node].start);
    }
    count.known = known.len();
    for record in own {
        let record = &document.nodes[record];
        let names = |place: &usize| (record.start..record.end).contains(place);
        if !places.iter().any(names) {
            count.nameless += 1;
        }
    }
    count
}
