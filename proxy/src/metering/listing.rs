//! What operators are shown of the counts, by the admin listener and by the command line alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use postern_config::quota::Quota;
use serde_json::{Value, json};

use super::STEPPED_UP;
use crate::quota::Entry;

/// The counts in use, each beside the limits that a policy sets by role. It names identities: it is for
/// operators only.
pub(crate) fn listing(entries: &[Entry], quotas: &[Arc<Quota>]) -> Value {
    let limits = limits(quotas);
    let shown: Vec<Value> = entries.iter().map(|entry| shown(entry, &limits)).collect();
    json!({ "quotas": shown })
}

/// A name that no quota of the policy has.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is no quota of this policy; {known}")]
pub(crate) struct UnknownQuota {
    name: String,
    /// Which there are, in words.
    known: String,
}

/// Whether a quota of the policy has this name, or a second count is called so.
///
/// # Errors
/// None has it.
pub(crate) fn known_quota(name: &str, quotas: &[Arc<Quota>]) -> Result<(), UnknownQuota> {
    let is_called = |quota: &Arc<Quota>| match name.split_once(' ') {
        Some((base, second)) => quota.name == base && second == STEPPED_UP,
        None => quota.name == name,
    };
    if quotas.iter().any(is_called) {
        return Ok(());
    }
    let names: Vec<&str> = quotas.iter().map(|quota| quota.name.as_str()).collect();
    Err(UnknownQuota {
        name: name.to_owned(),
        known: match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        },
    })
}

/// By quota and role.
fn limits(quotas: &[Arc<Quota>]) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    let each = quotas.iter();
    each.map(|quota| (quota.name.as_str(), quota.limit.iter().collect()))
        .collect()
}

/// One count. The second count of a quota that asks for step-up has the limits of the first.
fn shown(entry: &Entry, limits: &BTreeMap<&str, BTreeMap<&str, u64>>) -> Value {
    let parts = entry.key.parts();
    let parts = parts.as_ref();
    let name = parts.map(|parts| parts.quota.as_str()).unwrap_or_default();
    let base = name.split(' ').next().unwrap_or_default();
    json!({
        "quota": name,
        "unit": parts.map(|parts| &parts.unit),
        "per": parts.map(|parts| &parts.per),
        "who": parts.map(|parts| &parts.who),
        "used": entry.usage.used,
        "limit": limits.get(base),
        "window_seconds": entry.usage.window.as_secs(),
        "frees_after_seconds": entry.usage.frees_after.as_secs(),
    })
}
