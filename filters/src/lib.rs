//! HOW a policy is applied: bytes in, bytes out.
//!
//! This crate is pure and synchronous: no sockets, no files, no clock, no threads, no logging. It
//! compiles a [`postern_config::Policy`] for run time ([`CompiledPolicy`]), decides about a request
//! ([`Verdict`]), edits heads, and redacts bodies as they stream ([`BodyPipeline`]).

pub mod attachment;
mod base62;
pub mod body_filter;
pub mod coding;
pub mod compiled_policy;
pub mod cookie_jar;
pub mod detect;
pub mod exchange_plan;
pub mod export_meter;
mod form_encoding;
mod generalize;
pub mod har;
pub mod html_tokens;
pub mod json;
pub mod json_tokens;
pub mod lines;
mod mask;
pub mod pipeline;
pub mod placeholder;
pub mod pseudonym;
pub mod recording;
pub mod request_body;
pub mod request_facts;
pub mod request_guard;
pub mod request_tokens;
pub mod response_tokens;
mod route_matcher;
pub mod set_cookie;
pub mod shape_sweep;
pub mod table;
pub mod token_rules;
pub mod token_sweep;
mod transcoding;
pub mod url_tokens;
pub mod value_action;
pub mod verdict;
pub mod xml_tokens;

pub use body_filter::{BodyError, BodyFilter};
pub use compiled_policy::{AppliedQuota, CompileError, CompiledPolicy, EngineLimits, SessionLine};
pub use exchange_plan::{ExchangePlan, ResponsePlan};
pub use export_meter::{Admitted, Counted, Due, DueSubject, MeteredBody, SubjectKey, Who};
pub use pipeline::{
    BodyPipeline, BodySummary, FoundTokens, HELD_WHOLE_BYTES, NamedIn, Redacted, TokenFilter,
    keeps_ascii,
};
pub use pseudonym::{PseudonymKeys, Pseudonymizer};
pub use request_facts::{Identity, RequestFacts};
pub use request_guard::write::{Resource, WriteError, WriteGuard};
pub use token_rules::{FoundToken, Instead};
pub use token_sweep::{Secret, SecretSweep, Secrets};
pub use verdict::{DenyReason, Verdict};
