//! libFuzzer on the target `csv`.

#![no_main]

postern_fuzz::fuzz!("csv");
