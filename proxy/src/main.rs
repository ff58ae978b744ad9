//! The `postern` command: parse, run, exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    postern_proxy::cli::main(std::env::args_os())
}
