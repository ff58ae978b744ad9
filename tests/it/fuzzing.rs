//! Fuzz targets: one claim each, a function from bytes to what is wrong.
//!
//! The bodies live here once. Two drivers run them: libFuzzer, guided by coverage, from
//! `filters/fuzz` (which needs a nightly toolchain), and the seeded loop of `fuzzing_runs`, which is
//! part of every plain test run. A panic counts as a finding in both.

pub(crate) mod csv;
pub(crate) mod decoders;
pub(crate) mod detect;
pub(crate) mod lines;
pub(crate) mod mutation;
pub(crate) mod policy;
pub(crate) mod rewriter;
pub(crate) mod scanner;
pub(crate) mod seeds;
pub(crate) mod selector;

/// What a target has to say about one input: nothing, or what is wrong.
pub(crate) type Finding = Result<(), String>;

/// One claim, and where inputs that reach it come from.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Checks the claim on one input.
    pub(crate) check: fn(&[u8]) -> Finding,
    /// Inputs to begin with.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// What a mutation may put in.
    pub(crate) words: &'static [&'static str],
}

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "scanner",
        check: scanner::check,
        seeds: scanner::seeds,
        words: mutation::JSON_WORDS,
    },
    Target {
        name: "rewriter",
        check: rewriter::check,
        seeds: rewriter::seeds,
        words: mutation::JSON_WORDS,
    },
    Target {
        name: "selector",
        check: selector::check,
        seeds: selector::seeds,
        words: mutation::SELECTOR_WORDS,
    },
    Target {
        name: "decoders",
        check: decoders::check,
        seeds: decoders::seeds,
        words: &[],
    },
    Target {
        name: "policy",
        check: policy::check,
        seeds: policy::seeds,
        words: mutation::POLICY_WORDS,
    },
    Target {
        name: "csv",
        check: csv::check,
        seeds: csv::seeds,
        words: mutation::TABLE_WORDS,
    },
    Target {
        name: "detect",
        check: detect::check,
        seeds: detect::seeds,
        words: mutation::TEXT_WORDS,
    },
    Target {
        name: "lines",
        check: lines::check,
        seeds: lines::seeds,
        words: mutation::JSON_WORDS,
    },
];

/// The target of that name.
pub(crate) fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}
