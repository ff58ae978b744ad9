//! Sessions over several processes, on a real store that they share: Valkey or Redis, whichever is
//! installed. Where none is, these proofs say that they did not run; with `POSTERN_REQUIRE_SERVICES=1` they
//! fail.

mod copied_store;
mod download;
mod holders;
mod outage;
mod replicas;
mod revoked;
mod stage;
mod store;
