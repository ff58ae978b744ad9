//! Proofs of what Postern promises as a process: one binary, real sockets, a real policy on disk.
//!
//! Each proof runs a short slice by default; an environment variable makes it as long as wanted:
//!
//! | proof | variable | short | long |
//! | --- | --- | --- | --- |
//! | `reload` | `POSTERN_REQUESTS`, `POSTERN_RELOADS` | 20,000, 30 | 1,000,000, 1,000 |
//! | `memory` | `POSTERN_BODY_MIB` | 16 | 1024 |
//! | `cut` | – | all 4 KiB | – |
//! | `drain` | – | 200 exchanges | – |
//! | `slow_readers` | `POSTERN_READERS`, `POSTERN_BODY_MIB` | 20, 64 | 100, 1024 |
//! | `attacked` | `POSTERN_FRAMES` | 2,000 for each attack | 200,000 and more |
//! | `attacked` | `POSTERN_ATTACKERS` | 50 connections | 2,000 |
//! | `idle` | `POSTERN_IDLE` | 1,000 connections | 10,000 |
//! | `overload` | `POSTERN_OVERLOAD_SECONDS` | 3 for each load | 60 |
//! | `exhausted` | `POSTERN_EXHAUSTIONS` | 2 | 50 |
//! | `bombs` | `POSTERN_BOMB_MIB` | 32 | 128 |
//! | `killed`, `audited` | `POSTERN_KILLS` | 5 | 200 and more, 1,000 |
//! | `sessions::revoked` | `POSTERN_REVOCATIONS` | 3 for each store | 100 and more |
//! | `sessions::outage` | `POSTERN_OUTAGES` | 1 of each kind | 20 and more |
//! | `upgraded` | `POSTERN_UPGRADES` | 3 | 20 and more |
//! | `soak` | `POSTERN_SOAK_SECONDS` | 25 | 3,600 |
//! | `upstream_faults` | `POSTERN_OFFSETS`, `POSTERN_FLAPS` | 24 for each streamed answer, 60 | 2,000 and more, 2,000 |
//! | `ratio` | `POSTERN_ROUNDS` | 1 | 20, in a release build |

#[cfg(test)]
mod attacked;
#[cfg(test)]
mod audited;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod client;
#[cfg(test)]
mod cut;
#[cfg(test)]
mod descriptors;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod exhausted;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod origin;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod process;
#[cfg(test)]
mod ratio;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod second_version;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod slow_readers;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod upgraded;
#[cfg(test)]
mod upstream_faults;
#[cfg(test)]
mod waits;

/// A count from the environment, or the short one.
#[cfg(test)]
fn count(variable: &str, short: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(short)
}
