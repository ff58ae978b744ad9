//! Proofs of what Postern promises as a process: one binary, real sockets, a real policy on disk.
//!
//! Each proof runs a short slice by default; an environment variable makes it as long as wanted:
//!
//! | proof | variable | short | long |
//! | --- | --- | --- | --- |
//! | `reload` | `POSTERN_REQUESTS` | 20,000 | 200,000 and more |
//! | `memory` | `POSTERN_BODY_MIB` | 16 | 1024 |
//! | `cut` | – | all 4 KiB | – |
//! | `drain` | – | 200 exchanges | – |

mod client;
mod cut;
mod drain;
mod memory;
mod origin;
mod process;
mod reload;
mod second_version;

/// A count from the environment, or the short one.
fn count(variable: &str, short: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}
