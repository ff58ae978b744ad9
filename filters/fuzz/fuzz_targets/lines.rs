//! libFuzzer on the target `lines`.

#![no_main]

postern_fuzz::fuzz!("lines");
