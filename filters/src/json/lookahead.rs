//! What a selector makes the engine hold back before it can decide.

use postern_config::Selector;
use postern_config::selector::ast::{self, Pick, Segment};

use super::automaton::needs_length;

/// How much of a document a selector holds back, within `held_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookahead {
    /// Nothing: the selector is decided as the bytes come.
    Streams,
    /// The element or member that a filter tests.
    HoldsElement,
    /// The array whose length decides.
    HoldsArray,
    /// The whole document: a filter refers to `$`.
    HoldsDocument,
}

/// What a selector holds back. The first segment that cannot stream decides: what comes after it is
/// answered from what is already held.
#[must_use]
pub fn lookahead(selector: &Selector) -> Lookahead {
    if ast::mentions_document(selector.segments()) {
        return Lookahead::HoldsDocument;
    }
    let of_segment = |segment: &Segment| {
        let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
        picks.iter().map(of_pick).max()
    };
    selector
        .segments()
        .iter()
        .filter_map(of_segment)
        .find(|held| *held != Lookahead::Streams)
        .unwrap_or(Lookahead::Streams)
}

fn of_pick(pick: &Pick) -> Lookahead {
    match pick {
        Pick::Filter(_) => Lookahead::HoldsElement,
        pick if needs_length(pick) => Lookahead::HoldsArray,
        Pick::Name(_) | Pick::Wildcard | Pick::Index(_) | Pick::Slice { .. } => Lookahead::Streams,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_each_selector_holds() {
        for (text, held) in [
            ("$", Lookahead::Streams),
            ("$..a[*][3][1:9:2][::-1]", Lookahead::Streams),
            ("$.a[?@.b == 1].c[-1]", Lookahead::HoldsElement),
            ("$..[?@.b]", Lookahead::HoldsElement),
            ("$.a[-1]", Lookahead::HoldsArray),
            ("$.a[1,-1]", Lookahead::HoldsArray),
            ("$.a[-2:][?@.b]", Lookahead::HoldsArray),
            ("$.a[?@.b == $.c]", Lookahead::HoldsDocument),
            ("$.a[?@[?$.c]]", Lookahead::HoldsDocument),
        ] {
            assert_eq!(lookahead(&Selector::parse(text).unwrap()), held, "{text}");
        }
    }
}
