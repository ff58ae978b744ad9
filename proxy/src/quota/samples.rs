//! Quotas and askers for the tests of this folder.

use std::sync::Arc;
use std::time::Duration;

use super::key::Who;
use super::terms::{Applied, IfStoreIsDown, OnExceed, PastLimit, Per, Quota, Terms, Unit};

/// A quota over an hour.
pub(super) fn quota(unit: Unit, per: Per) -> Quota {
    Quota {
        name: "export".to_owned(),
        unit,
        per,
        limit: postern_config::quota::Limits::default(),
        window: Duration::from_secs(3_600),
        warn_at: None,
        on_exceed: OnExceed::Deny,
        if_store_is_down: IfStoreIsDown::Deny,
    }
}

/// A quota per identity, under its unit's name.
pub(super) fn applied(unit: Unit, limit: u64, on_exceed: OnExceed) -> Applied {
    let name = unit.word().to_owned();
    let quota = Quota {
        name,
        on_exceed,
        ..quota(unit, Per::Identity)
    };
    Applied {
        quota: Arc::new(quota),
        limit,
    }
}

/// Terms over an hour.
pub(super) fn terms(limit: u64) -> Terms {
    Terms {
        limit,
        window: Duration::from_secs(3_600),
        warn_from: None,
        past_limit: PastLimit::Refused,
    }
}

/// Somebody.
pub(super) fn who(subject: &str) -> Who<'_> {
    Who {
        issuer: "https://login.example",
        subject,
        tenant: None,
        roles: &[],
        session: None,
    }
}
