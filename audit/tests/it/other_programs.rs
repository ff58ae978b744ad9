//! Programs that nobody here wrote check what the log publishes: Go's `sumdb/note` and `sumdb/tlog`, from
//! Debian's packages. With `POSTERN_REQUIRE_SERVICES=1` their absence is a failure.

use std::path::Path;
use std::process::Command;

use postern_audit::{
    CompactRange, Hash, Log, LogSettings, SystemDisk, TileReader, prove_consistency,
    prove_inclusion,
};

use crate::stage::entry;

/// Where Debian puts the sources of Go packages.
const GO_PATH: &str = "/usr/share/gocode";

fn is_there() -> bool {
    let go = Command::new("go").arg("version").output();
    let found = go.is_ok_and(|output| output.status.success())
        && Path::new(GO_PATH)
            .join("src/golang.org/x/mod/sumdb/tlog")
            .is_dir();
    let required = std::env::var("POSTERN_REQUIRE_SERVICES").is_ok_and(|is| is == "1");
    assert!(
        found || !required,
        "install golang-go and golang-golang-x-mod-dev"
    );
    found
}

/// Proofs of every kind as Go's program reads them, true ones and false ones.
fn cases(folder: &Path, size: u64) -> String {
    use postern_audit::Disk;
    let disk = SystemDisk::new(folder.to_path_buf());
    let mut tiles = TileReader::new(size, |tile| disk.read(&tile.path()));
    let mut root = |of| CompactRange::load(of, &mut tiles).unwrap().root();
    let whole = root(size);
    let olds: Vec<u64> = (1..=size)
        .filter(|old| old % 37 == 1 || *old == size)
        .collect();
    let roots: Vec<(u64, Hash)> = olds.iter().map(|old| (*old, root(*old))).collect();
    let joined = |hashes: &[Hash]| {
        let texts: Vec<String> = hashes.iter().map(Hash::to_string).collect();
        texts.join(",")
    };
    let mut lines = String::new();
    for index in (0..size).step_by(23) {
        let proof = prove_inclusion(index, size, &mut tiles).unwrap().unwrap();
        lines += &format!("inclusion {size} {whole} {index} {}\n", joined(&proof));
        let short = joined(&proof[1..]);
        lines += &format!("false-inclusion {size} {whole} {index} {short}\n");
    }
    for (old, old_root) in roots {
        let proof = joined(&prove_consistency(old, size, &mut tiles).unwrap().unwrap());
        lines += &format!("consistency {size} {whole} {old} {old_root} {proof}\n");
        lines += &format!(
            "false-consistency {size} {whole} {old} {} {proof}\n",
            Hash::of_nothing()
        );
    }
    lines
}

#[test]
fn go_agrees_with_notes_trees_tiles_and_proofs() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log_folder = folder.path().join("log");
    std::fs::create_dir(&log_folder).unwrap();
    let seed = folder.path().join("seed");
    let settings = LogSettings::new(&log_folder, &seed, "audit.example.org");
    let log = Log::open(settings).unwrap();
    for number in 0..700 {
        log.append(entry(number), |result| assert!(result.is_ok()));
    }
    log.append_and_wait(entry(700)).unwrap();
    log.publish().unwrap();
    let key = log.keys()[0].to_string();
    log.close().unwrap();
    let file = folder.path().join("cases");
    std::fs::write(&file, cases(&log_folder, 703)).unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go/check.go");
    let output = Command::new("go")
        .args(["run".as_ref(), program.as_os_str(), key.as_ref()])
        .args([&log_folder, &file])
        .env("GO111MODULE", "off")
        .env("GOPATH", GO_PATH)
        .env(
            "GOCACHE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    print!("{said}");
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("703 entries"), "{said}");
}
