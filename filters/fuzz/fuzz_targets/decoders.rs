//! libFuzzer on the target `decoders`.

#![no_main]

postern_fuzz::fuzz!("decoders");
