//! WHERE it happens: listeners, identity, reload, the upstream leg, the admin listener and the
//! command line. The only crate of Postern with sockets, threads and time.

pub mod admin;
pub mod clock;
pub mod demo;
pub mod identity;
pub mod load;
pub mod policy_store;
pub mod reload;
