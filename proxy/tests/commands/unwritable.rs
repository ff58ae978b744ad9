//! What a command says when its result cannot be written, as on a full disk, and when nobody reads it.

use std::fs;
use std::process::Stdio;

use postern_audit::{Log, LogSettings, NewEntry};

use super::runner::{Folder, Ran, command};

/// What a full disk is told as.
const FULL: &str = "postern: cannot write standard output: No space left on device (os error 28)\n";

/// A folder with a policy and, in `log`, an audit log of many entries.
fn with_log() -> Folder {
    let folder = Folder::new();
    let log = folder.path().join("log");
    fs::create_dir(&log).unwrap();
    let seed = folder.path().join("seed");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.example.org")).unwrap();
    for number in 0..50 {
        let entry = format!(r#"{{"time":{number},"padding":"{}"}}"#, "x".repeat(2_000));
        open.append_and_wait(NewEntry::new(entry.into_bytes()))
            .unwrap();
    }
    open.close().unwrap();
    folder
}

#[track_caller]
fn is_told(ran: Ran) {
    let ran = ran.exits(2);
    assert_eq!(ran.err, FULL);
}

#[test]
fn a_result_that_cannot_be_written_is_told_once_and_exits_2() {
    let folder = Folder::new();
    let untidy = format!("{}\n\n\n", postern_proxy::demo::POLICY);
    folder.write("untidy.yaml", &untidy);
    for arguments in [
        &["schema"][..],
        &["check", "--offline", "policy.yaml"],
        &["check", "--offline", "policy.yaml", "-o", "json"],
        &["check", "--offline", "policy.yaml", "-o", "sarif"],
        &["check", "absent.yaml", "-o", "json"],
        &["matrix", "policy.yaml"],
        &["matrix", "policy.yaml", "-o", "json"],
        &["explain", "PN003"],
        &["explain", "PN003", "-o", "json"],
        &[
            "explain",
            "policy.yaml",
            "--route",
            "case.read",
            "$.customer.email",
        ],
        &["completions", "bash"],
        &["fmt", "--check", "untidy.yaml"],
        &["--help"],
        &["audit", "--help"],
        &["--version"],
    ] {
        let ran = folder.postern_onto_a_full_disk(arguments, b"");
        let times = ran.err.matches(FULL).count();
        assert_eq!((ran.code, times), (2, 1), "{arguments:?}: {ran:#?}");
    }
    let policy = postern_proxy::demo::POLICY.as_bytes();
    is_told(folder.postern_onto_a_full_disk(&["fmt", "-"], policy));
    let redact = ["redact", "--policy", "policy.yaml", "--role", "supervisor"];
    let redact = [&redact[..], &["--request", "GET /api/v2/cases/7"]].concat();
    is_told(folder.postern_onto_a_full_disk(&redact, br#"{"customer":{"name":"Ada"}}"#));
}

#[test]
fn an_export_that_is_cut_by_a_full_disk_is_told_and_exits_2() {
    let folder = with_log();
    for arguments in [
        &["export", "--dir", "log"][..],
        &["export", "--dir", "log", "--schema", "ecs"],
        &["show", "--dir", "log"],
        &["show", "--dir", "log", "-o", "json"],
        &["prove", "--dir", "log", "1"],
        &["verify", "--dir", "log", "-q"],
    ] {
        let arguments = [&["audit"], arguments].concat();
        let ran = folder.postern_onto_a_full_disk(&arguments, b"");
        assert_eq!((ran.code, &*ran.err), (2, FULL), "{arguments:?}");
    }
}

#[test]
fn evidence_that_does_not_verify_exits_4_even_when_that_cannot_be_written() {
    let folder = with_log();
    let mut tile = folder.path().join("log/tile/entries");
    while tile.is_dir() {
        tile = fs::read_dir(&tile).unwrap().next().unwrap().unwrap().path();
    }
    let mut bytes = fs::read(&tile).unwrap();
    bytes[20] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let verify = ["audit", "verify", "--dir", "log", "-q"];
    let ran = folder.postern_onto_a_full_disk(&verify, b"").exits(4);
    assert_eq!(ran.err, FULL);
}

#[test]
fn an_export_whose_reader_goes_away_ends_in_silence() {
    let folder = with_log();
    let mut child = command(folder.path())
        .args(["audit", "export", "--dir", "log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(output.status.success());
}
