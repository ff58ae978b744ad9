//! libFuzzer on the target `policy`.

#![no_main]

postern_fuzz::fuzz!("policy");
