//! What a request may ask about fields: query parameters by label, by the fields they name, or at all.
//!
//! A parameter that filters, sorts or searches by a field tells its values one answer at a time, so it
//! is allowed only to roles that see the field in full. Which role that is, `filters` decides.

use crate::labels::Label;

/// One parameter of a route's `params`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Param {
    /// The parameter's name, decoded.
    pub name: String,
    /// What it asks about.
    pub asks: Asks,
}

/// What a parameter asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// Its value is compared with, or looked for in, fields of these labels; at least one.
    About(Vec<Label>),
    /// It names fields, in a language that is read.
    Fields {
        /// How they are named.
        language: Language,
        /// The fields that may be named, and no others; at least one.
        fields: Vec<AskedField>,
    },
    /// It may ask about anything, in a language that nobody reads here: only for roles from which
    /// nothing of the route is hidden.
    Anything,
}

/// How a parameter names fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `sort=-created_at,customer.name`, `order=name.desc`, `sort[name]=asc`.
    Sort,
    /// `fields=id,customer.name`, `fields[customer]=name`, `include=customer`.
    Fields,
    /// `filter[status]=open`, `filter[customer][name][contains]=ann`.
    Filter,
    /// A `$filter` expression of OData 4.01 (ABNF section 4), without lambdas, casts and aliases.
    Odata,
    /// The lists and trees of PostgREST: `select`, `or`, `and`, without aliases, casts and aggregates.
    Postgrest,
}

/// A field that a parameter may name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedField {
    /// Its name as a dotted path, as it is written in the policy.
    pub path: String,
    /// The labels of the field, and of what it is part of.
    pub labels: Vec<Label>,
    /// The labels of what may be inside it.
    pub within: Vec<Label>,
}

/// What the body of a request that is not safe means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyMeaning {
    /// It writes (the default).
    #[default]
    Write,
    /// It asks: a search whose parameters are in the body. Only for roles from which nothing of the
    /// route is hidden.
    Query,
}
