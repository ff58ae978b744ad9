//! What the records of an exchange and of an administrator's act are made from: what was decided, and what was
//! changed. They name fields, labels and counts, never a value, a header, a query or a token.

use std::collections::BTreeMap;

use serde::Serialize;

/// What was decided about one exchange and how it ended. It names fields, labels and counts, never a
/// value, a header, a query or a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// The exchange's id, as the client was told.
    pub exchange_id: String,
    /// The trace that it belongs to (W3C Trace Context), in hexadecimal.
    pub trace_id: Option<String>,
    /// The policy revision that held from head to end.
    pub revision: String,
    /// The matched route's name, when one matched.
    pub route: Option<String>,
    /// The request's method.
    pub method: String,
    /// Who vouches for the identity.
    pub issuer: Option<String>,
    /// The identity's subject.
    pub subject: Option<String>,
    /// The roles that counted.
    pub roles: Vec<String>,
    /// How it ended: `allowed`, `refused`, `withheld` (502 or 504, before the head) or `cut` (after it).
    pub outcome: String,
    /// The problem's slug, when there was one.
    pub problem: Option<String>,
    /// The status the client was sent; 0 when none was.
    pub status: u16,
    /// Values withheld, by label.
    pub withheld: BTreeMap<String, u64>,
    /// What was charged to quotas, by unit.
    pub charged: BTreeMap<String, u64>,
    /// Records removed because a quota was used up.
    pub records_cut: u64,
    /// Body bytes written to the client.
    pub bytes_out: u64,
    /// From the first byte of the request to the end, in microseconds.
    pub duration_us: u64,
}

/// What somebody with the admin token changed, and why. It is the operator's own words that are kept here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AdminEntry {
    /// What was done, such as `quota-reset`.
    pub action: String,
    /// To what: for a quota its name and whose it was.
    pub subject: Vec<String>,
    /// Why, as the operator said.
    pub reason: String,
    /// How many things it changed.
    pub count: u64,
}
