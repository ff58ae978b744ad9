//! The root of the fuzz crate in `filters/fuzz`: the same targets as in the integration tests, and
//! what they are made of.

#![expect(
    dead_code,
    unused_imports,
    reason = "the targets need only a part of what the tests share"
)]

mod fuzzing;
mod generated;
mod reference;

use fuzzing::mutation::Mutator;
use generated::Random;

/// Runs one input through a target.
///
/// # Panics
/// Something is wrong.
pub fn run(name: &str, input: &[u8]) {
    if let Err(wrong) = (fuzzing::target(name).check)(input) {
        panic!("{name}: {wrong}");
    }
}

/// Changes an input as the target's format suggests.
pub fn mutate(name: &str, input: &mut Vec<u8>, seed: u64, length_max: usize) {
    let mut random = Random::of_case(seed, 0);
    let mutator = Mutator::new(fuzzing::target(name).words);
    mutator.change(&mut random, input);
    input.truncate(length_max);
}

pub use libfuzzer_sys;

/// A libFuzzer program for one target: half of the mutations are libFuzzer's, half ours.
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        use $crate::libfuzzer_sys;

        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::run($name, input));

        libfuzzer_sys::fuzz_mutator!(
            |data: &mut [u8], size: usize, length_max: usize, seed: u32| {
                if seed % 2 == 0 {
                    return libfuzzer_sys::fuzzer_mutate(data, size, length_max);
                }
                let mut input = data[..size].to_vec();
                $crate::mutate($name, &mut input, u64::from(seed), length_max);
                data[..input.len()].copy_from_slice(&input);
                input.len()
            }
        );
    };
}
