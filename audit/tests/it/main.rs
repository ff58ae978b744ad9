//! The log as its users see it: what is durable, what is found when it was changed, and what other
//! programs think of it.

#![cfg(test)]

mod completeness;
mod descriptors;
mod faults;
mod kills;
mod memory_disk;
mod opening;
mod other_programs;
mod program;
mod receipts;
mod retention;
mod sample;
mod stage;
mod tampering;
mod trees;
mod witnesses;
mod writing;
