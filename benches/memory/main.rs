//! Memory does not grow with a body: what the engine holds while a body of any length passes.
//!
//! The bodies are made as they are read and nobody keeps them. Every allocation of the filter counts,
//! at its peak; the buffer into which a chunk's output is copied is the reader's, and is there before.
//!
//! ```text
//! cargo test -p postern-benches --test memory -- --nocapture
//! POSTERN_STREAM_MIB=10240 POSTERN_STRING_MIB=1024 cargo test -p postern-benches --test memory -- --nocapture
//! ```

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod proofs;
