//! An export quota as it binds one exchange.

use std::sync::Arc;

use postern_config::Quota;

/// A quota of the policy, and how much of it the reader's roles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedQuota {
    /// The quota.
    pub quota: Arc<Quota>,
    /// The limit of these roles within the window, in the quota's unit.
    pub limit: u64,
}
