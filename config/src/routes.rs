//! Routes: which requests a policy knows, and which labels the fields of their answers carry.

use std::cmp::Ordering;

use crate::formats::RouteFormat;
use crate::labels::Label;
use crate::params::{BodyMeaning, Param};
use crate::selector::Selector;

/// One route of a policy, with everything it inherits resolved.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Route {
    /// The route's name in the policy.
    pub name: String,
    /// What it matches; at least one.
    pub matches: Vec<RouteMatch>,
    /// The route is known and refused.
    pub deny: bool,
    /// The labels of its answers' fields, re-rooted where `labels_of` and `under` say so.
    pub rules: Vec<LabelRule>,
    /// The labels of a table's columns by their header text, besides those that `rules` give.
    pub columns: Vec<ColumnRule>,
    /// The formats its answers may have; at least one.
    pub formats: Vec<RouteFormat>,
    /// Selectors that must match something in a successful answer.
    pub required: Vec<Selector>,
    /// The query parameters that may be asked; `None` means that the route says nothing: default
    /// deny on a labelled route, everything passes on one without labels.
    pub query: Option<Vec<String>>,
    /// The query parameters that ask about fields, for those who see the fields in full.
    pub params: Vec<Param>,
    /// What a request's body means.
    pub body: BodyMeaning,
    /// What happens to a field nobody labelled.
    pub unlabelled: Unlabelled,
    /// How member names are compared.
    pub names: Names,
    /// What happens to a body that cannot be read.
    pub unreadable: Unreadable,
    /// What happens to a write that holds what the role does not see in full.
    pub write_back: WriteBack,
    /// Where in the answer the labels of `labels_of` begin: the resource's place in its envelope.
    pub under: Option<Selector>,
    /// Where the records of an answer are (counted by quotas).
    pub records: Vec<Selector>,
    /// Where the data subjects of an answer are (counted by quotas).
    pub subjects: Vec<Selector>,
    /// The response says how many values were withheld, by label.
    pub receipt: bool,
    /// When an exchange waits for its audit record.
    pub audit: AuditMode,
    /// Long-lived protocols that the route lets through; only on routes without labels.
    pub allow: Vec<LongLived>,
    /// The path parameter that names the case; every match of the route has it.
    pub case: Option<String>,
}

impl Route {
    /// Whether answers may come in lines or rows: what leaves that way is an export.
    #[must_use]
    pub fn is_export(&self) -> bool {
        self.formats.iter().any(|format| format.kind.is_sequence())
    }
}

/// A set of labels attached to what a selector selects.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LabelRule {
    /// Which values.
    pub selector: Selector,
    /// Which labels they carry; at least one.
    pub labels: Vec<Label>,
    /// The selector as the policy author wrote it, before re-rooting.
    pub written: String,
}

/// A set of labels attached to the columns under a header.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnRule {
    /// The header's text.
    pub header: String,
    /// Which labels its cells carry; at least one.
    pub labels: Vec<Label>,
}

/// One `METHOD /path` line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteMatch {
    /// The method, or any.
    pub method: RouteMethod,
    /// The path's segments.
    pub path: Vec<PathPart>,
}

impl RouteMatch {
    /// Compares by how specific two matches are; `Greater` is more specific and wins.
    ///
    /// Segment by segment from the left, a literal beats a parameter, a parameter beats the path's
    /// end, and that beats the rest; of equal paths an exact method beats `ANY`. Among the matches of
    /// one request in a valid policy no two are equal.
    #[must_use]
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        let longest = self.path.len().max(other.path.len());
        let paths = (0..longest)
            .map(|at| rank(self.path.get(at)).cmp(&rank(other.path.get(at))))
            .find(|ordering| ordering.is_ne());
        let is_exact = |one: &Self| matches!(one.method, RouteMethod::Exactly(_));
        paths.unwrap_or_else(|| is_exact(self).cmp(&is_exact(other)))
    }
}

const fn rank(part: Option<&PathPart>) -> u8 {
    match part {
        Some(PathPart::Literal(_)) => 3,
        Some(PathPart::Parameter(_)) => 2,
        None => 1,
        Some(PathPart::Rest(_)) => 0,
    }
}

/// The method of a `match` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteMethod {
    /// `ANY`: every method.
    Any,
    /// Exactly this method, upper case.
    Exactly(String),
}

/// One segment of a route's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// This text, compared after percent-decoding of unreserved characters.
    Literal(String),
    /// `{name}`: one non-empty segment.
    Parameter(String),
    /// `{name...}`: every remaining segment, none included; only last.
    Rest(String),
}

/// What happens to a field nobody labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlabelled {
    /// It leaves untouched (the default).
    #[default]
    Show,
    /// It becomes a constant of its type (allow-list).
    Redact,
    /// It disappears (allow-list).
    Remove,
    /// The whole answer is refused.
    Deny,
}

/// How member names are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// Code point by code point, after decoding escapes (the default).
    #[default]
    Exact,
    /// The same, but ASCII letters in either case.
    Caseless,
}

/// What happens to a body that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Unreadable {
    /// It is refused (the default).
    #[default]
    Deny,
    /// It passes when its content type is one of these (lower case, no parameters).
    Allow(Vec<String>),
}

/// What happens to a write that holds what the role does not see in full, or one of our replacements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteBack {
    /// The write is refused (the default).
    #[default]
    Reject,
    /// What may not be written is taken out, and the rest goes up.
    DropField,
    /// The true values are put back, fetched from the upstream.
    Restore,
}

/// When an exchange waits for its audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditMode {
    /// What is about to happen is on record before it happens, and how it ended before the last byte
    /// leaves (the default).
    #[default]
    Pair,
    /// A GET or HEAD does not wait; its record follows within a second. Everything else is as with
    /// `pair`.
    Batch,
}

/// A protocol whose messages cannot be redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongLived {
    /// `text/event-stream`.
    Sse,
    /// A WebSocket upgrade (RFC 6455).
    Websocket,
}
