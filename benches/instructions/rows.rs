//! What is counted: a document, a rule set, an engine and the size of the chunks.

use postern_benches::documents::{self, Input};
use postern_benches::redactor::{CHUNK_BYTES, Redactor};
use postern_benches::rule_sets::{self, RuleSet};
use postern_filters::json::Engine;

/// One count.
pub(crate) struct Row {
    /// How the row is called, here and in `gates.toml`.
    pub(crate) name: String,
    /// The engine that the row is about.
    pub(crate) engine: Engine,
    document: Vec<u8>,
    rules: RuleSet,
    chunk_bytes: usize,
}

impl Row {
    fn new(input: &Input, rules: RuleSet) -> Self {
        Self {
            name: format!("{} / {}", input.name, rules.name),
            engine: Engine::Simd,
            document: input.text.clone(),
            rules,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    /// The same without SIMD.
    fn scalar(self) -> Self {
        Self {
            name: format!("{} / scalar", self.name),
            engine: Engine::Scalar,
            ..self
        }
    }

    /// The same in chunks of this size.
    fn in_chunks(self, chunk_bytes: usize) -> Self {
        Self {
            name: format!("{} / chunks of {chunk_bytes}", self.name),
            chunk_bytes,
            ..self
        }
    }

    /// Whether the processor has the engine that the bound is about: the bounds are for x86-64, and for
    /// SIMD with AVX2.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn can_run(&self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        match self.engine {
            Engine::Scalar => true,
            Engine::Simd | Engine::SimdAlways => {
                has!("avx2") && has!("bmi1") && has!("bmi2") && has!("pclmulqdq")
            }
        }
    }

    /// Whether the processor has the engine that the bound is about: the bounds are for x86-64.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn can_run(&self) -> bool {
        false
    }

    /// What a table calls the engine.
    pub(crate) fn engine_name(&self) -> &'static str {
        match self.engine {
            Engine::Scalar => "scalar",
            Engine::Simd | Engine::SimdAlways => "simd",
        }
    }

    /// The length of the document.
    pub(crate) fn bytes(&self) -> usize {
        self.document.len()
    }

    /// Redacts the document so many times.
    pub(crate) fn run(&self, times: usize) {
        let redactor = Redactor::new(&self.rules, self.engine);
        let mut out = Vec::with_capacity(self.document.len() * 2);
        for _ in 0..times {
            out.clear();
            redactor.redact(&self.document, self.chunk_bytes, &mut out);
            std::hint::black_box(&out);
        }
    }
}

/// Every row. They need no file that is not in the repository.
pub(crate) fn all() -> Vec<Row> {
    let ascii = documents::ascii_cases();
    let european = documents::european_cases();
    let pretty = documents::pretty(&ascii);
    let mut rows: Vec<Row> = rule_sets::of(&ascii)
        .into_iter()
        .map(|rules| Row::new(&ascii, rules))
        .collect();
    rows.extend([
        Row::new(&european, rule_sets::none()),
        Row::new(&european, rule_sets::ten_wildcard()),
        Row::new(&pretty, rule_sets::none()),
        Row::new(&pretty, rule_sets::ten_wildcard()),
        Row::new(&ascii, rule_sets::ten_wildcard()).in_chunks(4096),
        Row::new(&ascii, rule_sets::ten_wildcard()).in_chunks(1),
        Row::new(&ascii, rule_sets::none()).scalar(),
        Row::new(&ascii, rule_sets::ten_wildcard()).scalar(),
        Row::new(&documents::small_body(), rule_sets::small_body()),
    ]);
    rows
}
