//! The `postern` command: parse, run, exit code.

fn main() {}
