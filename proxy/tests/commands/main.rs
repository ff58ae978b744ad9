//! The command line as scripts and people meet it: the real binary, its exit codes and what it writes.

#![allow(
    unreachable_pub,
    clippy::allow_attributes,
    reason = "a test binary has no outside"
)]

mod check;
mod demo;
mod explain;
mod layout;
mod matrix;
mod redact;
mod runner;
mod surface;
