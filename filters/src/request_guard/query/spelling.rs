//! The spellings in which a parameter's name can be followed by an operator or by names of fields.
//!
//! ```text
//! tax_id[]   tax_id[gte]   tax_id__gte   tax_id.gte      the parameter `tax_id` with an operator
//! filter[customer][name]   filter[name][contains]        the parameter `filter` with parts in brackets
//! ```
//!
//! Nothing else is taken for the parameter: not another case, not a space before or after it, not a dot at
//! its end.

/// The operators that applications put into a parameter's name.
const OPERATORS: [&str; 46] = [
    "eq",
    "ne",
    "neq",
    "not",
    "lt",
    "lte",
    "le",
    "gt",
    "gte",
    "ge",
    "in",
    "nin",
    "not_in",
    "like",
    "ilike",
    "nlike",
    "contains",
    "icontains",
    "startswith",
    "starts_with",
    "startsWith",
    "istartswith",
    "endswith",
    "ends_with",
    "endsWith",
    "iendswith",
    "exact",
    "iexact",
    "regex",
    "iregex",
    "match",
    "matches",
    "range",
    "between",
    "isnull",
    "is_null",
    "null",
    "exists",
    "is",
    "any",
    "all",
    "before",
    "after",
    "from",
    "to",
    "search",
];

/// How a name goes on after the parameter's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spelled<'a> {
    /// Not at all.
    Plain,
    /// With an operator after `__` or a dot.
    Operator,
    /// With parts in brackets; at least one, each may be empty.
    Brackets(Vec<&'a str>),
}

impl Spelled<'_> {
    /// Whether nothing but operators follows the name.
    pub(super) fn is_operator(&self) -> bool {
        match self {
            Self::Plain | Self::Operator => true,
            Self::Brackets(parts) => parts
                .iter()
                .all(|part| part.is_empty() || is_operator(part)),
        }
    }
}

/// Whether a word is an operator.
pub(super) fn is_operator(word: &str) -> bool {
    OPERATORS.contains(&word)
}

/// How a longer name goes on after `name`; none when it is another name.
pub(super) fn beyond<'a>(name: &str, longer: &'a str) -> Option<Spelled<'a>> {
    let rest = longer.strip_prefix(name)?;
    let operator = rest.strip_prefix("__").or_else(|| rest.strip_prefix('.'));
    match operator {
        Some(word) => is_operator(word).then_some(Spelled::Operator),
        None => brackets(rest).map(Spelled::Brackets),
    }
}

fn brackets(rest: &str) -> Option<Vec<&str>> {
    let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
    let parts: Vec<&str> = inner.split("][").collect();
    let sound = parts.iter().all(|part| !part.contains(['[', ']']));
    sound.then_some(parts)
}
