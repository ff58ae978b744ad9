//! libFuzzer on the target `rewriter`.

#![no_main]

postern_fuzz::fuzz!("rewriter");
