//! The sections of the language that this build reads and refuses, since it cannot enforce them.
//!
//! Their keys are checked, so that an author learns of a misspelling here too; their meaning is not.

use crate::document::read::{Anything, Words};
use crate::document::section::section;

section! {
    /// Just-in-time widening for one case.
    GrantFile, required: [] {
        /// Which roles may ask.
        who: "who" => Anything,
        /// What they see then.
        sees: "sees" => Anything,
        /// On which routes.
        routes: "routes" => Anything,
        /// The path parameter that names the case.
        only_where: "only_where" => Anything,
        /// For how long.
        longest: "longest" => Anything,
        /// What it takes.
        needs: "needs" => Anything,
    }
}

section! {
    /// Rules that are evaluated and change nothing.
    ShadowFile, required: ["name"] {
        /// Their name.
        name: "name" => Anything,
        /// The day they end.
        until: "until" => Anything,
        /// The roles as they would be.
        roles: "roles" => Anything,
    }
}

/// How concurrent writes are guarded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Concurrency {
    Etag,
}

impl Words for Concurrency {
    const WORDS: &'static [(&'static str, Self)] = &[("etag", Self::Etag)];
}
