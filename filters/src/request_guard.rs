//! What a request may ask and change, judged before anything reaches the upstream.

pub mod method_override;
pub mod query;
pub mod write;
