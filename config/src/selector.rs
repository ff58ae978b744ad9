//! Selectors: RFC 9535 JSONPath queries, parsed, checked for well-typedness and kept with their text.
//!
//! Our own parser builds the tree the engine compiles; `jsonpath-rust` must accept the text too, so
//! that two independent readers agree before a policy loads.

pub mod ast;
mod check;
mod mention;
mod parse;
pub mod pattern;

pub use ast::Segment;
pub use mention::Mention;
pub(crate) use mention::is_header;
pub use parse::SelectorError;

/// An RFC 9535 query that is well-formed and well-typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    text: String,
    segments: Vec<Segment>,
}

impl Selector {
    /// Parses and checks a query.
    ///
    /// # Errors
    /// The first place where the text is no valid RFC 9535 query, with what was expected there.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let segments = parse::query(text)?;
        check::agrees(text)?;
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The query as text; for a re-rooted one the text it would have been written as.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The query's segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The same query one level down: `self` under `parent`.
    ///
    /// # Errors
    /// When `self` refers to `$` inside a filter: under another root that would mean something else.
    pub fn under(&self, parent: &Self) -> Result<Self, SelectorError> {
        if ast::mentions_document(&self.segments) {
            return Err(SelectorError::absolute_under());
        }
        let below = self.text.strip_prefix('$').unwrap_or(&self.text);
        let text = format!("{}{below}", parent.text);
        let segments = parent
            .segments
            .iter()
            .chain(&self.segments)
            .cloned()
            .collect();
        Ok(Self { text, segments })
    }

    /// The same query for documents of which only a part is known, such as the body of a write: every
    /// index, slice and filter becomes `[*]`. It selects at least what the query selects in any
    /// document that holds the part.
    #[must_use]
    pub fn widened(&self) -> Self {
        Self {
            text: self.text.clone(),
            segments: self.segments.iter().map(Segment::widened).collect(),
        }
    }

    /// Whether [`Self::widened`] changes nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.segments == self.widened().segments
    }
}
