//! WHERE it happens: listeners, identity, reload, the upstream leg, the admin listener and the
//! command line. The only crate of Postern with sockets, threads and time.

#![forbid(unsafe_code)]

pub mod admin;
mod bench;
pub mod cli;
pub mod clock;
pub mod decision_log;
pub mod demo;
mod endpoint;
mod evidence;
mod exchange;
mod forward;
mod hygiene;
pub mod identity;
mod jws;
mod lifecycle;
mod listener;
pub mod load;
pub mod metering;
pub mod metrics;
mod one_line;
mod policy_signature;
pub mod policy_store;
mod private_file;
pub mod quota;
mod random_id;
pub mod reload;
mod respond;
mod service;
pub mod session;
pub mod start;
mod store_server;
mod tap;
pub mod telemetry;
pub mod upgrade;
mod visit;

pub use evidence::EvidenceError;
pub use lifecycle::Drained;
pub use start::{Postern, Running, StartError, StartOptions};
pub use telemetry::{Telemetry, TelemetrySettings};
