//! The tables: speeds on whole documents, sizes of chunks, and one small body.

use std::cell::RefCell;
use std::time::Duration;

use postern_benches::documents::{self, Input};
use postern_benches::redactor::{CHUNK_BYTES, Redactor};
use postern_benches::rule_sets::{self, RuleSet};
use postern_filters::json::Engine;
use serde_json::Value;

use crate::rivals::{self, Rivals};
use crate::sampling::{Entrant, best, time};
use crate::stage1::Stage1;

/// Sizes of chunks, the one that everything else uses among them.
const CHUNKS: &[usize] = &[
    1 << 20,
    1 << 18,
    CHUNK_BYTES,
    1 << 14,
    1 << 12,
    1 << 10,
    64,
    1,
];

/// How many small bodies one run redacts.
const BODIES: u32 = 1_000;

/// The columns after Postern's own, and what they are.
const COLUMNS: &[(&str, &str)] = &[
    ("scalar", "Postern without SIMD"),
    (
        "(b)",
        "serde_json, a jsonpath-rust query for each rule, replaced, serialised",
    ),
    (
        "walk",
        "serde_json tree, the rules followed together (engine/walk.rs), written on the way",
    ),
    (
        "skip",
        "serde_json IgnoredAny: grammar only, no UTF-8 check, no output",
    ),
    (
        "sonic",
        "sonic-rs tree, changed in place by its own means, serialised",
    ),
    (
        "sonic-w",
        "sonic-rs tree, the rules followed together (engine/walk.rs), written on the way",
    ),
    (
        "simdj",
        "simd-json tree, the rules followed together (engine/walk.rs), written on the way",
    ),
    ("memcpy", "the document copied in the same chunks"),
    (
        "st1avx2",
        "stage 1 of simdjson (C++), its AVX2 code, no output",
    ),
    (
        "st1best",
        "stage 1 of simdjson (C++), its best code for this machine",
    ),
];

/// A row of one table: something that redacts.
type Redacts<'a> = Box<dyn Fn(&mut Vec<u8>) + 'a>;

/// One of the rivals' ways.
type Rival = fn(&Rivals, &[u8], &mut Vec<u8>);

/// Says what the columns are.
pub(crate) fn print_heads(has_stage1: bool) {
    print(
        "Postern: 64 KiB chunks, full validation, output copied to one buffer. GB of input per second, and",
    );
    print("the ratio of that to each other column, best of interleaved rounds:");
    for (name, what) in COLUMNS {
        print(&format!("  {name:<8} {what}"));
    }
    if !has_stage1 {
        print("  no C++ compiler with libsimdjson: the stage 1 columns are skipped");
    }
    let names: Vec<String> = COLUMNS
        .iter()
        .map(|(name, _)| format!("{name:>8}"))
        .collect();
    print(&format!(
        "\n{:<40} {:>6} {}",
        "input / rules",
        "GB/s",
        names.join(" ")
    ));
}

/// One row: an input and a rule set.
pub(crate) fn speeds(input: &Input, rules: &RuleSet, stage1: Option<&Stage1>) {
    let name = format!("{} / {}", input.name, rules.name);
    let document = input.text.as_slice();
    let ways = Ways::new(rules);
    let passes = RefCell::new(stage1.and_then(|stage1| stage1.read(document)));
    let redacting = ways.over(document);
    agree(&name, &redacting);
    let mut entrants: Vec<Entrant<'_>> = redacting.into_iter().map(redactor).collect();
    // Its column is the fifth, after the tree that the same library builds.
    entrants.insert(4, Box::new(|| Some(time(|| rivals::skip(document)))));
    entrants.push(redactor(Some(Box::new(|out| copy(document, out)))));
    for which in 0..2 {
        let passes = &passes;
        entrants.push(Box::new(move || {
            let times = passes.borrow_mut().as_mut()?.pass();
            times.get(which).copied().flatten()
        }));
    }
    let times = best(&mut entrants);
    let own = times.first().copied().flatten().unwrap_or(Duration::MAX);
    let ratios = times.iter().skip(1).map(|other| match other {
        Some(other) => format!("{:>8.2}", other.as_secs_f64() / own.as_secs_f64()),
        None => format!("{:>8}", "-"),
    });
    let speed = size(document.len()) / own.as_secs_f64() / 1e9;
    let ratios: Vec<String> = ratios.collect();
    print(&format!("{name:<40} {speed:>6.3} {}", ratios.join(" ")));
}

/// Everything that redacts by one rule set.
struct Ways {
    fast: Redactor,
    scalar: Redactor,
    /// `None` where the rivals cannot express the rules.
    rivals: Option<Rivals>,
}

impl Ways {
    fn new(rules: &RuleSet) -> Self {
        Self {
            fast: Redactor::new(rules, Engine::best()),
            scalar: Redactor::new(rules, Engine::Scalar),
            rivals: rules.is_deny_list().then(|| Rivals::new(rules)),
        }
    }

    /// All of them over one document: Postern, its scalar engine, (b), and the trees with the walk.
    fn over<'a>(&'a self, document: &'a [u8]) -> Vec<Option<Redacts<'a>>> {
        let mut ways: Vec<Option<Redacts<'_>>> = vec![
            Some(Box::new(|out| self.fast.redact(document, CHUNK_BYTES, out))),
            Some(Box::new(|out| {
                self.scalar.redact(document, CHUNK_BYTES, out);
            })),
        ];
        let rivals: [Rival; 5] = [
            Rivals::serde_and_jsonpath,
            Rivals::serde_and_walk,
            Rivals::sonic_in_place,
            Rivals::sonic_and_walk,
            Rivals::simd_json_and_walk,
        ];
        for way in rivals {
            let over = |rivals| -> Redacts<'a> { Box::new(move |out| way(rivals, document, out)) };
            ways.push(self.rivals.as_ref().map(over));
        }
        ways
    }
}

/// Everything that redacts makes the same document.
fn agree(row: &str, redacting: &[Option<Redacts<'_>>]) {
    let mut first: Option<Value> = None;
    for (at, redacts) in redacting.iter().enumerate() {
        let Some(redacts) = redacts else { continue };
        let mut out = Vec::new();
        redacts(&mut out);
        let value: Value = serde_json::from_slice(&out).unwrap_or_default();
        let first = first.get_or_insert_with(|| value.clone());
        assert!(
            *first == value,
            "{row}: entrant {at} makes another document"
        );
    }
}

/// Something that redacts, timed with a buffer that is kept.
fn redactor(redacts: Option<Redacts<'_>>) -> Entrant<'_> {
    let mut out = Vec::new();
    Box::new(move || {
        let redacts = redacts.as_ref()?;
        out.clear();
        let taken = time(|| redacts(&mut out));
        std::hint::black_box(&out);
        Some(taken)
    })
}

fn copy(document: &[u8], out: &mut Vec<u8>) {
    for chunk in document.chunks(CHUNK_BYTES) {
        out.extend_from_slice(std::hint::black_box(chunk));
    }
}

/// Ten wildcard paths over chunks of each size.
pub(crate) fn chunks() {
    let input = documents::ascii_cases();
    let document = input.text.as_slice();
    let redact = Redactor::new(&rule_sets::ten_wildcard(), Engine::best());
    let entrant = |bytes: &usize| {
        let (bytes, redact) = (*bytes, &redact);
        redactor(Some(Box::new(move |out| {
            redact.redact(document, bytes, out);
        })))
    };
    let mut entrants: Vec<Entrant<'_>> = CHUNKS.iter().map(entrant).collect();
    let times = best(&mut entrants);
    let at_default = CHUNKS.iter().position(|bytes| *bytes == CHUNK_BYTES);
    let reference = at_default.and_then(|at| times.get(at).copied().flatten());
    let reference = reference.unwrap_or(Duration::MAX).as_secs_f64();
    print(&format!(
        "\n{} / 10 wildcard, by size of chunk: time in relation to 64 KiB",
        input.name
    ));
    for (bytes, taken) in CHUNKS.iter().zip(times) {
        let taken = taken.unwrap_or(Duration::MAX).as_secs_f64();
        let per_byte = taken * 1e9 / size(document.len());
        print(&format!(
            "{bytes:>9} {:>8.3} {per_byte:>9.2} ns per byte",
            taken / reference
        ));
    }
}

/// One case and five rules: the time of a body from the filter's making to its end.
pub(crate) fn small_body() {
    let input = documents::small_body();
    let rules = rule_sets::small_body();
    let ways = Ways::new(&rules);
    let names = [
        "Postern", "scalar", "(b)", "walk", "sonic", "sonic-w", "simdj",
    ];
    let redacting = ways.over(&input.text);
    agree("small body", &redacting);
    let redacting = redacting.into_iter().map(|way| way.map(many));
    let mut entrants: Vec<Entrant<'_>> = redacting.map(redactor).collect();
    let times = best(&mut entrants);
    print(&format!(
        "\nsmall body: {} / {}, microseconds of one",
        input.name, rules.name
    ));
    for (name, taken) in names.iter().zip(times) {
        let micros = taken.unwrap_or(Duration::MAX).as_secs_f64() * 1e6 / f64::from(BODIES);
        print(&format!("{name:>9} {micros:>8.3}"));
    }
}

/// The same for many bodies, one after the other.
fn many(redacts: Redacts<'_>) -> Redacts<'_> {
    Box::new(move |out| {
        for _ in 0..BODIES {
            out.clear();
            redacts(out);
        }
    })
}

fn size(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::MAX, f64::from)
}

#[expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
fn print(line: &str) {
    println!("{line}");
}
