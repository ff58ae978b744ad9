//! Export quotas: what leaves is charged to somebody before it leaves.
//!
//! ```text
//!  exchange ─▶ Quotas::begin ─▶ Charging ─▶ Account (a warm lease) ─▶ trait Ledger ─▶ embedded (redb)
//!                                  │              one per key                      └▶ shared (Valkey, Redis)
//!                                  └▶ Granted, or QuotaError
//! ```
//!
//! It guarantees that over any sliding window, all connections, replicas and restarts together
//! deliver no more than the limit: a unit is durable in the store before it is granted, and is
//! granted only within the bucket of ledger time that it was charged to. A crash charges what was in
//! flight and never less. It does not count what a body holds (the filters do), and it writes no log:
//! what is worth telling goes to a [`QuotaWatcher`].

mod account;
mod accounts;
mod bank;
mod book;
mod charging;
mod embedded;
mod key;
mod known;
mod lease;
mod ledger;
mod quotas;
mod shared;
mod terms;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod samples;
#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;

pub use charging::{Charging, DueSubject, Exceeded, Granted, QuotaError, Shortage, Standing};
pub use embedded::EmbeddedLedger;
pub(crate) use key::is_ignorable;
pub use key::{Filter, KeyParts, QuotaKey, Who};
pub use ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, News, StoreError, Subject, Taken, Usage,
};
pub use quotas::{
    LIST_MAX, OpenError, QuotaFinding, QuotaOptions, QuotaWatcher, Quotas, StoreAddress,
};
pub use shared::SharedLedger;
pub use terms::{Applied, IfStoreIsDown, OnExceed, PastLimit, Per, Quota, Terms, Unit};

use std::time::Duration;

/// How long a store may take to answer one call before it counts as down.
pub const STORE_DEADLINE: Duration = Duration::from_millis(250);

/// The same for a file: a busy disk may take long to sync, and nobody else can be asked.
pub const FILE_DEADLINE: Duration = Duration::from_secs(5);
