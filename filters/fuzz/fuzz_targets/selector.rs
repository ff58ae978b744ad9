//! libFuzzer on the target `selector`.

#![no_main]

postern_fuzz::fuzz!("selector");
