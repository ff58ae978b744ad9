//! A slow, obvious redactor: the oracle that the streaming engine is compared with.
//!
//! It reads the whole document into a tree, evaluates every selector on the tree by the words of
//! RFC 9535, and writes the output recursively. It shares no code with the engine but the syntax tree
//! of selectors and, for masks, the replacement of one scalar. It is not fast and not streaming.

mod decimal;
mod document;
mod filter;
mod opened;
mod query;
mod rewriting;

pub(crate) use document::{Document, Kind, NodeId, Refused};
pub(crate) use query::{Queries, Reading};
pub(crate) use rewriting::{Expected, Freedom, Output, Rules, hidden_values, redact};
