//! Takes the time of each engine in turn and keeps its best.

use std::time::{Duration, Instant};

use crate::rule_sets::RuleSet;

/// How long one row may take.
const BUDGET: Duration = Duration::from_millis(2_500);

/// Rounds of one row, whatever the budget.
const ROUNDS_MIN: u32 = 3;
const ROUNDS_MAX: u32 = 60;

/// Speeds in GB of input per second.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) postern: f64,
    /// `None` where the rival cannot express the rules.
    pub(crate) rival: Option<f64>,
    pub(crate) skipping: f64,
    pub(crate) parsing: f64,
}

/// Collects the best time of each engine.
pub(crate) struct Sampler {
    bytes: usize,
    rounds: u32,
    spent: Duration,
    postern: Duration,
    rival: Option<Duration>,
    skipping: Duration,
    parsing: Duration,
}

impl Sampler {
    /// A sampler for a document of this many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            rounds: 0,
            spent: Duration::ZERO,
            postern: Duration::MAX,
            rival: None,
            skipping: Duration::MAX,
            parsing: Duration::MAX,
        }
    }

    /// Whether another round shall be run.
    pub(crate) fn wants_more(&mut self) -> bool {
        self.rounds += 1;
        let enough = self.spent >= BUDGET || self.rounds > ROUNDS_MAX;
        self.rounds <= ROUNDS_MIN || !enough
    }

    /// Times Postern.
    pub(crate) fn postern(&mut self, run: impl FnOnce() -> usize) {
        self.postern = self.postern.min(self.time(run));
    }

    /// Times serde_json and jsonpath-rust, where they can express the rules.
    pub(crate) fn rival(&mut self, rules: &RuleSet, run: impl FnOnce() -> usize) {
        if rules.deny_list {
            let time = self.time(run);
            self.rival = Some(self.rival.map_or(time, |best| best.min(time)));
        }
    }

    /// Times serde_json skipping the document.
    pub(crate) fn skipping(&mut self, run: impl FnOnce() -> usize) {
        self.skipping = self.skipping.min(self.time(run));
    }

    /// Times serde_json building its tree.
    pub(crate) fn parsing(&mut self, run: impl FnOnce() -> usize) {
        self.parsing = self.parsing.min(self.time(run));
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark measures the machine's own time"
    )]
    fn time(&mut self, run: impl FnOnce() -> usize) -> Duration {
        let start = Instant::now();
        std::hint::black_box(run());
        let taken = start.elapsed();
        self.spent += taken;
        taken
    }

    /// The best of each.
    pub(crate) fn row(&self) -> Row {
        let speed = |best: Duration| {
            let bytes = u32::try_from(self.bytes).map_or(f64::MAX, f64::from);
            bytes / best.as_secs_f64() / 1e9
        };
        Row {
            postern: speed(self.postern),
            rival: self.rival.map(speed),
            skipping: speed(self.skipping),
            parsing: speed(self.parsing),
        }
    }
}
