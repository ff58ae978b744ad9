//! `postern audit`: keys, another key, and whether a receipt was kept.

use std::fs;

use postern_audit::{Disk, Log, LogSettings, NewEntry, SystemDisk};

use super::runner::Folder;

const SERVER: &str = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\n\
    admin: 127.0.0.1:1\nstate: state\naudit: { domain: audit.example.org, peers: file:peers.vkey }\n";

#[test]
fn a_key_is_followed_by_another_and_both_are_told() {
    let folder = Folder::new();
    folder.write("postern.yaml", SERVER);
    folder.write("peers.vkey", "");
    folder.postern(&["audit", "keys"]).exits(2);
    fs::create_dir(folder.path().join("state")).unwrap();
    let first = folder.postern(&["audit", "rotate-key"]).exits(0);
    assert!(first.err.contains("hand the new key"), "{first:#?}");
    let told = folder.postern(&["audit", "keys"]).exits(0);
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines.len(), 3, "{told:#?}");
    assert!(lines[0].starts_with("log audit.example.org/"));
    assert_eq!(format!("{}\n", lines[1]), first.out);
    assert!(lines[2].starts_with("witness audit.example.org/witness-"));
    let json = folder
        .postern(&["audit", "keys", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(json["log"].as_array().unwrap().len(), 2);
    let report = folder.postern(&["audit", "verify"]).exits(1);
    assert!(report.out.contains("integrity: ok\n"), "{report:#?}");
    assert!(report.out.contains("UNANCHORED since 0"), "{report:#?}");
    let shown = folder.postern(&["audit", "show"]).exits(0);
    assert!(shown.out.contains("log-key"), "{shown:#?}");
    // The verifier believes the first key and follows.
    let policy = format!("{}\nquorum none\n", lines[0]);
    folder.write("trust", &policy);
    let report = folder.postern(&["audit", "verify", "--policy", "trust"]);
    assert!(report.exits(1).out.contains("integrity: ok\n"));
}

#[test]
fn a_log_that_is_in_use_is_left_alone() {
    let folder = Folder::new();
    folder.write("postern.yaml", SERVER);
    folder.write("peers.vkey", "");
    let log = folder.path().join("state/audit");
    fs::create_dir_all(&log).unwrap();
    let seed = folder.path().join("state/audit.seed");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.example.org")).unwrap();
    folder.postern(&["audit", "rotate-key"]).exits(78);
    drop(open);
    folder.postern(&["audit", "rotate-key"]).exits(0);
}

#[test]
fn a_receipt_is_kept_or_it_is_not() {
    let folder = Folder::new();
    let log = folder.path().join("log");
    fs::create_dir(&log).unwrap();
    let seed = folder.path().join("seed");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.example.org")).unwrap();
    let entry = |text: &str| NewEntry::new(text.as_bytes().to_vec());
    let receipt = open.append_and_wait(entry(r#"{"time":1}"#)).unwrap();
    let other = open.append_and_wait(entry(r#"{"time":2}"#)).unwrap();
    let header = receipt.to_header(open.origin());
    let mut edited = receipt;
    edited.leaf = other.leaf;
    let edited = edited.to_header(open.origin());
    let log_line = format!("log {}\n", open.keys()[0]);
    folder.write("trust", &format!("{log_line}quorum none\n"));
    open.close().unwrap();
    let proof = folder
        .postern(&["audit", "prove", "--dir", "log", "1"])
        .exits(0);
    folder.write("1.tlog-proof", &proof.out);
    let verify = |receipt: &str| {
        let arguments = ["audit", "verify-proof", "1.tlog-proof", "--policy", "trust"];
        folder.postern(&[&arguments[..], &["--receipt", receipt]].concat())
    };
    let kept = verify(&header).exits(0);
    assert_eq!(kept.out, "the entry is in the log\n");
    verify(&format!("Audit-Receipt: {header}")).exits(0);
    let refused = verify(&edited).exits(4);
    assert!(refused.err.contains("is not in the log"), "{refused:#?}");
    let unreadable = verify("nonsense").exits(2);
    assert!(unreadable.err.contains("no `Audit-Receipt`"));
    let bare = ["audit", "verify-proof", "1.tlog-proof", "--policy", "trust"];
    folder.postern(&bare).exits(2);
    folder.write("entry", r#"{"time":1}"#);
    folder
        .postern(&[&bare[..], &["--entry", "entry"]].concat())
        .exits(0);
    folder.write("entry", "{\"time\":1}\n");
    let another = folder.postern(&[&bare[..], &["--entry", "entry"]].concat());
    assert!(another.exits(4).err.contains("is of another entry"));
    folder.write("1.tlog-proof", "garbage");
    for of in [["--entry", "entry"], ["--receipt", header.as_str()]] {
        let garbage = folder.postern(&[&bare[..], &of].concat()).exits(2);
        assert!(
            garbage.err.contains("this is no proof file"),
            "{garbage:#?}"
        );
    }
    folder.write("trust", &log_line);
    let bare = folder.postern(&[&bare[..], &["--entry", "entry"]].concat());
    let said = "`trust`: line 2 of the policy: there is no `quorum`";
    assert!(bare.exits(2).err.contains(said));
}

#[test]
fn what_comes_after_the_entries_that_are_wanted_is_not_read() {
    let folder = Folder::new();
    let log = folder.path().join("log");
    fs::create_dir(&log).unwrap();
    let seed = folder.path().join("seed");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.example.org")).unwrap();
    open.append_and_wait(NewEntry::new(b"no event".to_vec()))
        .unwrap();
    open.close().unwrap();
    let show = |count: &str| folder.postern(&["audit", "show", "--dir", "log", "--count", count]);
    assert_eq!(show("0").exits(0).out, "");
    assert!(show("1").exits(0).out.contains("log-start"));
    assert!(show("2").exits(2).err.contains("entry 1 is no event"));
}

#[test]
fn a_witness_takes_the_keys_of_logs_as_they_are_printed() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("log")).unwrap();
    let seed = folder.path().join("seed");
    let log = folder.path().join("log");
    let open = Log::open(LogSettings::new(&log, &seed, "audit.example.org")).unwrap();
    let key = open.keys()[0].clone();
    drop(open);
    folder.write("keys", &format!("log {key}\n\n{key}\nwitness {key}\n"));
    let named = ["--dir", "w", "--name", "w.example.org", "--log", "keys"];
    let refused = folder.postern(&[&["audit", "witness"], &named[..]].concat());
    let said = "line 4 of `keys` is no key of a log";
    let refused = refused.exits(2);
    assert!(refused.err.contains(said), "{refused:#?}");
}

#[test]
fn a_witness_leaves_the_folder_of_another_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("w")).unwrap();
    let _lock = SystemDisk::new(folder.path().join("w"))
        .lock("lock")
        .unwrap();
    folder.write("log.vkey", "");
    let named = ["--dir", "w", "--name", "w.example.org", "--log", "log.vkey"];
    let listen = ["--listen", "127.0.0.1:0"];
    let refused = folder.postern(&[&["audit", "witness"], &named[..], &listen[..]].concat());
    assert!(refused.exits(2).err.contains("another witness"));
}
