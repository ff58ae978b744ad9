//! libFuzzer on the target `detect`.

#![no_main]

postern_fuzz::fuzz!("detect");
