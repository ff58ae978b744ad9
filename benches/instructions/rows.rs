//! What is counted: a document, a rule set, an engine and the size of the chunks.

use postern_benches::documents::{self, Input};
use postern_benches::redactor::{CHUNK_BYTES, Redactor};
use postern_benches::rule_sets::{self, RuleSet};
use postern_filters::json::Engine;

/// One count. What it needs is made when it runs, so that a run counts little else.
pub(crate) struct Row {
    /// How the row is called, here and in `gates.toml`.
    pub(crate) name: String,
    engine: Engine,
    document: fn() -> Input,
    rules: fn() -> RuleSet,
    chunk_bytes: usize,
    counted: bool,
}

impl Row {
    fn new(input: (&str, fn() -> Input), rules: fn() -> RuleSet) -> Self {
        Self {
            name: format!("{} / {}", input.0, rules().name),
            engine: Engine::best(),
            document: input.1,
            rules,
            chunk_bytes: CHUNK_BYTES,
            counted: false,
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

    /// The same where records and data subjects are counted.
    fn counted(self) -> Self {
        Self {
            name: format!("{}, counted", self.name),
            counted: true,
            ..self
        }
    }

    /// Whether the processor has the engine that the bound is about: the bounds are for x86-64, and for
    /// SIMD with AVX2.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn can_run(&self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        let vectors = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("pclmulqdq");
        self.engine == Engine::Scalar || vectors
    }

    /// Whether the processor has the engine that the bound is about: the bounds are for x86-64.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn can_run(&self) -> bool {
        false
    }

    /// What a table calls the engine.
    pub(crate) fn engine_name(&self) -> &'static str {
        if self.engine == Engine::Scalar {
            "scalar"
        } else {
            "simd"
        }
    }

    /// The length of the document.
    pub(crate) fn bytes(&self) -> usize {
        (self.document)().text.len()
    }

    /// Redacts the document so many times.
    pub(crate) fn run(&self, times: usize) {
        let document = (self.document)().text;
        let redactor = Redactor::new(&(self.rules)(), self.engine);
        let redactor = match self.counted {
            true => redactor.counted(),
            false => redactor,
        };
        let mut out = Vec::with_capacity(document.len() * 2);
        for _ in 0..times {
            out.clear();
            redactor.redact(&document, self.chunk_bytes, &mut out);
            std::hint::black_box(&out);
        }
    }
}

/// Every row. They need no file that is not in the repository.
pub(crate) fn all() -> Vec<Row> {
    let ascii: (&str, fn() -> Input) = ("ASCII", documents::ascii_cases);
    let european: (&str, fn() -> Input) = ("European", documents::european_cases);
    let pretty: (&str, fn() -> Input) = ("pretty", || documents::pretty(&documents::ascii_cases()));
    let small: (&str, fn() -> Input) = ("small body", documents::small_body);
    vec![
        Row::new(ascii, rule_sets::none),
        Row::new(ascii, rule_sets::one_exact),
        Row::new(ascii, rule_sets::ten_wildcard),
        Row::new(ascii, rule_sets::ten_wildcard).counted(),
        Row::new(ascii, rule_sets::ten_dense),
        Row::new(ascii, rule_sets::five_descendant),
        Row::new(ascii, rule_sets::fifty_mixed),
        Row::new(ascii, rule_sets::thirty_percent),
        Row::new(ascii, rule_sets::allow_list),
        Row::new(european, rule_sets::none),
        Row::new(european, rule_sets::ten_wildcard),
        Row::new(pretty, rule_sets::none),
        Row::new(pretty, rule_sets::ten_wildcard),
        Row::new(ascii, rule_sets::ten_wildcard).in_chunks(4096),
        Row::new(ascii, rule_sets::none).scalar(),
        Row::new(ascii, rule_sets::ten_wildcard).scalar(),
        Row::new(small, rule_sets::small_body),
        Row::new(small, rule_sets::small_body).in_chunks(1),
    ]
}
