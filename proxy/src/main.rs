//! The `postern` command: parse, run, exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// PERF: an exchange makes dozens of short-lived allocations; decision 0051 has the ratio.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    postern_proxy::cli::main(std::env::args_os())
}
