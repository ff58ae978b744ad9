//! Prometheus's own tool, from Debian's package `prometheus`. With `POSTERN_REQUIRE_SERVICES=1` its absence is
//! a failure.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs it with something on its standard input; it must find nothing to say against it.
pub(super) fn approves(arguments: &[&str], input: &str) {
    let child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let required = std::env::var("POSTERN_REQUIRE_SERVICES").is_ok_and(|is| is == "1");
            assert!(!required, "install prometheus, for promtool: {error}");
            return;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    // What it would rather have otherwise, it says without failing.
    let complains = arguments == ["check", "metrics"] && !(out.is_empty() && err.is_empty());
    assert!(!complains, "{out}{err}");
}
