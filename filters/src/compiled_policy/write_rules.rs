//! A route's selectors as a write is judged by them, independent of who writes.

use std::sync::Arc;

use postern_config::Selector;
use postern_config::routes::{Names, Route, Unlabelled, WriteBack};
use postern_config::selector::Segment;
use postern_config::selector::ast::Pick;

use crate::body_filter::BodyError;
use crate::json::{Automaton, JsonRules, LabelId, Sight, Spot, TooLarge};

/// The most places at which an envelope can hold the resource.
const ENVELOPES_MAX: usize = 64;

/// What is compiled of a route for its writes.
#[derive(Debug)]
pub(crate) struct WriteRules {
    /// What happens to a write that holds what the role does not see.
    pub(crate) mode: WriteBack,
    /// Every selector, widened; names compared without regard to ASCII case, since the application may.
    pub(crate) may: Arc<Automaton>,
    /// The selectors that need no widening; the same as `may` where a field without a label is shown.
    pub(crate) sure: Arc<Automaton>,
    /// Where in the answer the resource's own labels begin.
    under: Option<Selector>,
}

impl WriteRules {
    /// Compiles a route's labelled selectors.
    ///
    /// # Errors
    /// The selectors are too many.
    pub(crate) fn compile(
        route: &Route,
        rules: &[(&Selector, Vec<LabelId>)],
    ) -> Result<Self, TooLarge> {
        let widened: Vec<(Selector, Vec<LabelId>)> = rules
            .iter()
            .map(|(selector, labels)| (selector.widened(), labels.clone()))
            .collect();
        let compile = |rules: Vec<(&Selector, Vec<LabelId>)>, names| {
            let required = Vec::new();
            let rules = JsonRules {
                rules,
                required,
                names,
            };
            Automaton::compile(&rules).map(Arc::new)
        };
        let all = widened
            .iter()
            .map(|(selector, labels)| (selector, labels.clone()));
        let may = compile(all.collect(), Names::Caseless)?;
        let sure = match route.unlabelled {
            Unlabelled::Show => Arc::clone(&may),
            Unlabelled::Redact | Unlabelled::Remove | Unlabelled::Deny => {
                let plain = rules.iter().filter(|(selector, _)| selector.is_plain());
                compile(plain.cloned().collect(), route.names)?
            }
        };
        Ok(Self {
            mode: route.write_back,
            may,
            sure,
            under: route.under.clone(),
        })
    }

    /// The places at which the resource's own labels begin, when that is not the root.
    ///
    /// # Errors
    /// They are too many, or lead to too many states.
    pub(crate) fn envelopes(&self, sight: &mut Sight<'_>) -> Result<Vec<Spot>, Box<BodyError>> {
        let Some(under) = &self.under else {
            return Ok(Vec::new());
        };
        let mut spots = vec![Sight::root()];
        for segment in under.segments() {
            let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
            let mut next = Vec::new();
            for spot in spots {
                for pick in picks {
                    next.push(match pick {
                        Pick::Name(name) => sight.member(spot, name)?,
                        Pick::Wildcard | Pick::Index(_) | Pick::Slice { .. } | Pick::Filter(_) => {
                            sight.element(spot)?
                        }
                    });
                }
            }
            if next.len() > ENVELOPES_MAX {
                let limit = "selector_states";
                return Err(Box::new(BodyError::Limit { limit }));
            }
            spots = next;
        }
        spots.dedup();
        Ok(spots)
    }

    /// The envelope's path, when it is one of names only.
    pub(crate) fn envelope_names(&self) -> Option<Vec<&str>> {
        let segments = self.under.as_ref()?.segments().iter();
        let names = segments.map(|segment| match segment {
            Segment::Child(picks) => match picks.as_slice() {
                [Pick::Name(name)] => Some(name.as_str()),
                [..] => None,
            },
            Segment::Descendant(_) => None,
        });
        names.collect()
    }
}
