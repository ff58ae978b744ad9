//! The outcome of a decision: a plan for the exchange, or a reason to refuse it.

use crate::exchange_plan::ExchangePlan;

/// What is decided about a request.
#[derive(Debug)]
pub enum Verdict {
    /// The exchange may happen, as the plan says.
    Allow(Box<ExchangePlan>),
    /// The exchange is refused before anything reaches the upstream.
    Deny(DenyReason),
}

/// Why an exchange is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// No policy has been loaded yet.
    PolicyUnavailable,
    /// No route matches, or the route is denied.
    RouteDenied,
    /// A route other than the catch-all matches the path, but none lists the method.
    MethodNotAllowed {
        /// The methods that are listed, for `Allow`.
        allow: Vec<String>,
    },
    /// None of the identity's groups is a role of the policy.
    NoRole,
    /// A query parameter that the route does not list.
    QueryNotAllowed,
    /// A query parameter that would search or sort by a hidden field.
    QueryOnHiddenField,
    /// A write that would reach what the roles do not see in full.
    WriteOfHiddenField {
        /// The labels concerned; none for fields without a label.
        labels: Vec<String>,
    },
    /// An upgrade or an event stream that the route does not allow.
    UpgradeRefused,
    /// The request's body is of a type that the route cannot take.
    UnsupportedMediaType,
    /// The client accepts nothing that could be redacted here.
    NotAcceptable,
}
