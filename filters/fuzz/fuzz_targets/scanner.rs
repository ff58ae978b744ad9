//! libFuzzer on the target `scanner`.

#![no_main]

postern_fuzz::fuzz!("scanner");
