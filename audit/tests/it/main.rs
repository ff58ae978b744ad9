//! The log as its users see it: what is durable, what is found when it was changed, and what other
//! programs think of it.

mod memory_disk;
mod stage;
mod writing;
mod tampering;
mod witnesses;
