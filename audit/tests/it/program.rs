//! `postern-verify` as auditors meet it: a copied folder, a policy, and an exit code.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use postern_audit::{Log, LogSettings};

use crate::stage::{Stage, entry};

fn run(arguments: &[&str], folder: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_postern-verify");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn it_says_two_verdicts_and_exits_by_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("log")).unwrap();
    let mut settings = LogSettings::new(&at("log"), &at("seed"), "audit.example.org");
    settings.clock = Stage::new().clock;
    let log = Log::open(settings).unwrap();
    log.append_and_wait(entry(0)).unwrap();
    let policy = format!("log {}\nquorum none\n", log.keys()[0]);
    fs::write(at("policy"), policy).unwrap();
    log.close().unwrap();
    fs::copy(at("log/checkpoint"), at("kept")).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(at("seed")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the key is its owner's");

    let given = ["--dir", "log", "--policy", "policy", "--since", "kept"];
    let whole = run(&given, folder.path());
    let said = String::from_utf8(whole.stdout).unwrap();
    assert!(
        said.ends_with("integrity: ok\ncompleteness: ok\n"),
        "{said}"
    );
    assert_eq!(whole.status.code(), Some(0));
    let unanchored = run(&given[..4], folder.path());
    let said = String::from_utf8(unanchored.stdout).unwrap();
    assert!(
        said.ends_with("completeness: UNANCHORED since 0\n"),
        "{said}"
    );
    assert_eq!(unanchored.status.code(), Some(1));
    let mut bundle = fs::read(at("log/tile/entries/000.p/3")).unwrap();
    *bundle.last_mut().unwrap() ^= 1;
    fs::write(at("log/tile/entries/000.p/3"), bundle).unwrap();
    let changed = run(&given, folder.path());
    let said = String::from_utf8(changed.stdout).unwrap();
    assert!(said.contains("integrity: TAMPERED@2 ("), "{said}");
    assert_eq!(changed.status.code(), Some(4));
    for wrong in [
        &given[..2],
        &["--dir", "log", "--policy", "none"],
        &["--help"],
        &[],
    ] {
        assert_eq!(
            run(wrong, folder.path()).status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
}
