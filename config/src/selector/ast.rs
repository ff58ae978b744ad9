//! The syntax tree of an RFC 9535 query (section 2): segments, selectors, filters and functions.
//!
//! It holds decoded strings and checked numbers, and says nothing about how a query is evaluated.

/// A segment (RFC 9535 section 2.5).
#[derive(Debug, Clone, PartialEq)]
pub enum Segment {
    /// `[...]`: children of each node.
    Child(Vec<Pick>),
    /// `..[...]`: children of each node and of each of its descendants.
    Descendant(Vec<Pick>),
}

impl Segment {
    /// The segment with every index, slice and filter replaced by a wildcard.
    pub(crate) fn widened(&self) -> Self {
        let all = |picks: &[Pick]| picks.iter().map(Pick::widened).collect();
        match self {
            Self::Child(picks) => Self::Child(all(picks)),
            Self::Descendant(picks) => Self::Descendant(all(picks)),
        }
    }
}

impl Pick {
    fn widened(&self) -> Self {
        match self {
            Self::Name(name) => Self::Name(name.clone()),
            Self::Wildcard | Self::Index(_) | Self::Slice { .. } | Self::Filter(_) => {
                Self::Wildcard
            }
        }
    }
}

/// One selector within a segment (RFC 9535 section 2.3).
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// A member name, decoded (2.3.1).
    Name(String),
    /// Every child (2.3.2).
    Wildcard,
    /// An array element; negative counts from the end (2.3.3).
    Index(i64),
    /// `start:end:step` (2.3.4).
    Slice {
        /// Where to begin; by default at the end the step comes from.
        start: Option<i64>,
        /// Where to stop, exclusive.
        end: Option<i64>,
        /// The step, 1 by default; 0 selects nothing.
        step: Option<i64>,
    },
    /// `?expression` (2.3.5).
    Filter(Logical),
}

/// A logical expression of a filter (2.3.5.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Logical {
    /// `a || b`.
    Or(Vec<Self>),
    /// `a && b`.
    And(Vec<Self>),
    /// `!a`.
    Not(Box<Self>),
    /// A query that selects at least one node.
    Exists(FilterQuery),
    /// A function whose result is a LogicalType.
    Holds(Function),
    /// A comparison (2.3.5.2.2).
    Compare {
        /// The left side.
        left: Operand,
        /// The operator.
        operator: Operator,
        /// The right side.
        right: Operand,
    },
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A query inside a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterQuery {
    /// Where it begins.
    pub root: Root,
    /// Its segments.
    pub segments: Vec<Segment>,
}

/// Where a query inside a filter begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// `@`: the node being tested.
    Current,
    /// `$`: the document.
    Document,
}

/// A value in a comparison or a function argument of ValueType.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A literal.
    Literal(Literal),
    /// A singular query: at most one node.
    Singular(FilterQuery),
    /// A function whose result is a ValueType.
    Function(Box<Function>),
}

/// A literal in a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, decoded.
    String(String),
}

/// A function call (2.4), by the five functions the standard defines.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// `length(value)` (2.4.4).
    Length(Operand),
    /// `count(nodes)` (2.4.5).
    Count(FilterQuery),
    /// `match(value, pattern)`: the whole string (2.4.6).
    Match(Operand, Operand),
    /// `search(value, pattern)`: some of the string (2.4.7).
    Search(Operand, Operand),
    /// `value(nodes)` (2.4.8).
    Value(FilterQuery),
}

/// Whether any filter in these segments refers to the document's root.
#[must_use]
pub fn mentions_document(segments: &[Segment]) -> bool {
    segments.iter().any(|segment| {
        let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
        picks.iter().any(|pick| match pick {
            Pick::Filter(logical) => logical_mentions(logical),
            Pick::Name(_) | Pick::Wildcard | Pick::Index(_) | Pick::Slice { .. } => false,
        })
    })
}

fn logical_mentions(logical: &Logical) -> bool {
    match logical {
        Logical::Or(parts) | Logical::And(parts) => parts.iter().any(logical_mentions),
        Logical::Not(inner) => logical_mentions(inner),
        Logical::Exists(query) => query_mentions(query),
        Logical::Holds(function) => function_mentions(function),
        Logical::Compare { left, right, .. } => operand_mentions(left) || operand_mentions(right),
    }
}

fn query_mentions(query: &FilterQuery) -> bool {
    query.root == Root::Document || mentions_document(&query.segments)
}

fn operand_mentions(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) => false,
        Operand::Singular(query) => query_mentions(query),
        Operand::Function(function) => function_mentions(function),
    }
}

fn function_mentions(function: &Function) -> bool {
    match function {
        Function::Length(operand) => operand_mentions(operand),
        Function::Count(query) | Function::Value(query) => query_mentions(query),
        Function::Match(a, b) | Function::Search(a, b) => {
            operand_mentions(a) || operand_mentions(b)
        }
    }
}
