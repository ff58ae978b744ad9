//! Fuzzing without libFuzzer: a seeded loop that mutates the targets' inputs, in every test run.
//!
//! `POSTERN_FUZZ_SECONDS` says for how long each target runs (`./dev test` sets a minute), and
//! `POSTERN_SEED` repeats a run. Whatever once was a finding (`tests/cases/fuzz/TARGET/*`) is tried
//! first. A finding is made small, printed as hex and kept in `target/fuzz`. It knows nothing of
//! coverage: for that there is `filters/fuzz`, which `POSTERN_WRITE_SEEDS=FOLDER` gives its inputs.

use std::collections::VecDeque;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use postern_proxy::clock::{Clock, SystemClock};

use crate::fuzzing::mutation::Mutator;
use crate::fuzzing::{Finding, TARGETS, Target, seeds, target};
use crate::generated::{Random, number_from, seed};

/// How long each target runs in a plain run.
const SECONDS: u64 = 10;

/// Mutated inputs are kept up to this number, beside the seeds.
const KEPT_MAX: usize = 512;

/// No input grows beyond this.
const INPUT_BYTES_MAX: usize = 20_000;

/// How many smaller inputs are tried for one finding.
const SMALLER_MAX: usize = 3_000;

/// Targets run one after another: each is to have its time.
static TURN: Mutex<()> = Mutex::new(());

/// Runs one input; a panic is a finding.
fn tried(target: &Target, input: &[u8]) -> Finding {
    catch_unwind(AssertUnwindSafe(|| (target.check)(input))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

/// The smallest input found that still is a finding.
fn smallest(target: &Target, input: &[u8]) -> Vec<u8> {
    let mut small = input.to_vec();
    let mut piece = small.len() / 2;
    let mut tries = 0;
    while piece >= 1 && tries < SMALLER_MAX {
        let mut at = 0;
        let mut found = false;
        while at + piece <= small.len() && tries < SMALLER_MAX {
            let mut shorter = small.clone();
            shorter.drain(at..at + piece);
            tries += 1;
            if tried(target, &shorter).is_err() {
                small = shorter;
                found = true;
            } else {
                at += piece;
            }
        }
        if !found || piece > 1 {
            piece /= 2;
        }
    }
    small
}

/// Makes a finding small, keeps it and says what it is.
fn report(target: &Target, input: &[u8]) -> String {
    let small = smallest(target, input);
    let why = tried(target, &small).err().unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    let file = folder.join(format!("{}-{}", target.name, small.len()));
    let kept = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, &small));
    let kept = kept.map_or_else(|error| error.to_string(), |()| file.display().to_string());
    format!(
        "{}: {why}\ninput (hex): {}\ninput: {}\nkept in {kept}",
        target.name,
        hex::encode(&small),
        small.escape_ascii()
    )
}

/// Tries the known findings, the seeds, and mutations of them until the time is up.
fn run(name: &str) {
    let target = target(name);
    let known = seeds::findings(name);
    let seeds = (target.seeds)();
    write_seeds(name, &seeds);
    for input in known.iter().chain(&seeds) {
        if tried(target, input).is_err() {
            panic!("{}", report(target, input));
        }
    }
    let seconds = number_from("POSTERN_FUZZ_SECONDS").unwrap_or(SECONDS);
    let clock = SystemClock;
    let (started, seed) = (clock.monotonic(), seed());
    let mutator = Mutator::new(target.words);
    let mut kept = VecDeque::new();
    let mut inputs = 0_u64;
    while clock.monotonic().duration_since(started).as_secs() < seconds {
        let mut random = Random::of_case(seed, inputs);
        let any = |random: &mut Random| {
            let at = random.below(seeds.len() + kept.len());
            seeds.get(at).unwrap_or_else(|| &kept[at - seeds.len()])
        };
        let mut input = any(&mut random).clone();
        if random.chance(20) {
            let other = any(&mut random).clone();
            Mutator::cross(&mut random, &mut input, &other);
        }
        mutator.change(&mut random, &mut input);
        input.truncate(INPUT_BYTES_MAX);
        if tried(target, &input).is_err() {
            panic!(
                "POSTERN_SEED={seed}, input {inputs}\n{}",
                report(target, &input)
            );
        }
        if random.chance(10) {
            if kept.len() == KEPT_MAX {
                kept.pop_front();
            }
            kept.push_back(input);
        }
        inputs += 1;
    }
    println!(
        "fuzzing {name}: {inputs} inputs from {} seeds and {} findings in {seconds} s, 0 wrong, \
         POSTERN_SEED={seed}",
        seeds.len(),
        known.len()
    );
}

/// Writes the seeds where libFuzzer reads them, when asked to.
fn write_seeds(name: &str, seeds: &[Vec<u8>]) {
    let Some(folder) = std::env::var_os("POSTERN_WRITE_SEEDS") else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(name);
    fs::create_dir_all(&folder).unwrap();
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
    }
}

/// A test for each target, so that each can be run alone.
macro_rules! runs {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            run(stringify!($name));
        })*

        #[test]
        fn every_target_runs() {
            let run = [$(stringify!($name)),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(run.to_vec(), all);
        }
    };
}

runs! { scanner rewriter selector decoders policy csv detect lines }
