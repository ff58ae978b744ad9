//! The scripts that the server runs, each one indivisible step.
//!
//! They use only commands that Valkey and Redis share, and only keys that one slot holds: both keys of
//! a count carry its digest in braces.

use redis::Script;

use crate::quota::key::QuotaKey;

/// The scripts of the shared store.
pub(super) struct Scripts {
    pub(super) take: Script,
    pub(super) give_back: Script,
    pub(super) admit: Script,
    pub(super) usage: Script,
    pub(super) reset: Script,
    pub(super) beat: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let ruled = |text: &str| Script::new(&format!("{}{text}", include_str!("rules.lua")));
        Self {
            take: ruled(include_str!("take.lua")),
            give_back: ruled(include_str!("give_back.lua")),
            admit: ruled(include_str!("admit.lua")),
            usage: ruled(include_str!("usage.lua")),
            reset: ruled(include_str!("reset.lua")),
            beat: Script::new(include_str!("beat.lua")),
        }
    }
}

/// Where the replicas say that they live.
pub(super) const REPLICAS: &str = "postern:{replicas}";
/// Where the key of the hashes of data subjects is, in hexadecimal digits.
pub(super) const SUBJECT_KEY: &str = "postern:{subject-key}";
/// Which keys are counts.
pub(super) const COUNTS: &str = "postern:{*}:count";

/// The two keys of a count.
pub(super) fn keys_of(key: &QuotaKey) -> (String, String) {
    let digest = key.digest();
    let count = format!("postern:{{{digest}}}:count");
    (count, format!("postern:{{{digest}}}:subjects"))
}

/// The key of the data subjects that belongs to the key of a count.
pub(super) fn subjects_of(count: &str) -> Option<String> {
    let stem = count.strip_suffix(":count")?;
    Some(format!("{stem}:subjects"))
}
