//! Sessions: the legacy application's tokens stay in a vault here, and what the client holds is a handle
//! that is worth nothing without this server's key.
//!
//! ```text
//!  handle ──SHA-256──▶ pointer ─▶ session id ─▶ sealed record (server key, id, revision)
//!    └──── HKDF with the server key ─────────────▶ opens the record's jar: cookies, tokens
//! ```
//!
//! It guarantees that a copy of the store opens no jar, not even with the server key, as long as nobody
//! adds the handle; that a record which was changed, swapped or taken from another session does not
//! open; and that of two changes at once none is lost. It does not know what a jar holds.

mod answer;
mod binding;
pub(crate) mod browser_fields;
pub mod client_cookies;
pub mod context;
pub mod dbsc;
mod decoy;
mod digest;
mod dpop;
mod embedded;
mod findings;
mod fingerprint;
pub mod held_tokens;
pub mod jar;
pub mod judge;
mod keeper;
mod keys;
mod proof;
mod record;
pub mod registration;
mod running;
mod sealed;
mod seals;
mod seen_proofs;
mod shared;
mod store;
mod vault;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use binding::{Binding, Lesson};
pub use decoy::{Decoy, Decoys};
pub use digest::Digest;
pub use dpop::{Checked, DpopError, DpopVerifier, Proven};
pub use embedded::EmbeddedSessions;
pub(crate) use keeper::SessionPlace;
pub use keeper::{KeepError, SessionKeeper};
pub(crate) use keeper::{RevokeError, Revoker};
pub use keys::{KeyId, ServerKeys};
pub use proof::{BadProof, ProofKey};
pub use record::{Client, Holder, Lifetimes, Record, Revocation, Times};
pub(crate) use running::Runs;
pub use shared::SharedSessions;
pub use store::{Admitted, Change, Limit, NewSession, Replaced, SessionStore, StoreError, Stored};
pub use vault::{Ended, Found, Handle, Jar, NoSession, OpenSession, Start, Vault, VaultError};
