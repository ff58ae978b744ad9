//! `postern tap` and `postern top` beside the demo: what they show while somebody asks.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::running::RunningDemo;
use crate::runner::command;

const FILE: &str = "state/demo/postern.yaml";

/// A tap that watches already.
fn tap(demo: &RunningDemo, arguments: &[&str]) -> Child {
    let mut child = command(demo.folder().path())
        .args(["tap", "-c", FILE])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut said).unwrap();
    assert!(said.starts_with("watching decisions at "), "{said}");
    child
}

/// What a tap showed, when it has seen enough.
fn shown(mut child: Child) -> String {
    let mut out = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success());
    out
}

#[test]
fn a_tap_shows_decisions_and_leaves_a_record() {
    let demo = RunningDemo::start();
    let people = tap(&demo, &["-n", "2", "--reason", "a look around"]);
    let programs = tap(&demo, &["-n", "1", "-o", "json", "--outcome", "refused"]);
    assert_eq!(demo.curl("agent", "/api/v2/cases/1001").status, 200);
    assert_eq!(demo.curl("agent", "/admin/secret-place?q=me").status, 403);

    let people = shown(people);
    let lines: Vec<&str> = people.lines().collect();
    assert_eq!(lines.len(), 2, "{people}");
    assert!(
        lines[0].contains("allowed") && lines[0].contains("pii.contact=3"),
        "{people}"
    );
    assert!(lines[1].ends_with("route-denied"), "{people}");
    let refused: Value = serde_json::from_str(&shown(programs)).unwrap();
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(refused["problem"], "route-denied");
    for told in [people, refused.to_string()] {
        assert!(
            !told.contains("secret-place") && !told.contains("q=me"),
            "{told}"
        );
    }
    let log = demo.folder().read("stderr.log");
    assert!(log.contains("a look around"), "{log}");

    let wrong = ["tap", "-c", FILE, "--outcome", "denied"];
    let refused = demo.folder().postern(&wrong).exits(2);
    assert!(
        refused.err.contains("allowed, refused, withheld, cut"),
        "{refused:?}"
    );
}

#[test]
fn top_shows_routes_rules_and_costs() {
    let mut demo = RunningDemo::start();
    assert_eq!(demo.curl("agent", "/api/v2/cases/1001").status, 200);
    let watching = tap(&demo, &[]);
    let top = demo
        .folder()
        .postern(&["top", "--once", "-c", FILE])
        .exits(0);
    for text in [
        "case.read",
        "pii.contact",
        "withheld nothing",
        "ns a byte",
        "since the start",
    ] {
        assert!(top.out.contains(text), "{text}: {}", top.out);
    }
    let json = demo
        .folder()
        .postern(&["top", "-o", "json", "-c", FILE])
        .exits(0)
        .json();
    assert_eq!(json["routes"]["case.read"]["outcomes"]["allowed"], 1);
    assert!(
        json["routes"]["case.read"]["body_seconds"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    assert!(json["quotas"].is_array(), "{json}");

    assert_eq!(demo.stop("-TERM"), Some(0));
    let ended = watching.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "Postern has stopped");
    demo.folder()
        .postern(&["top", "--once", "-c", FILE])
        .exits(3);
}

#[test]
fn top_looks_again_and_shows_what_came_between() {
    let demo = RunningDemo::start();
    let mut looking = command(demo.folder().path())
        .args(["top", "-c", FILE, "--every", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(looking.stdout.take().unwrap());
    let mut heads = stdout.lines().map(Result::unwrap);
    for _look in 0..2 {
        let head = heads.find(|line| line.contains("in flight; the last "));
        assert!(head.is_some(), "it has ended");
    }
    looking.kill().unwrap();
    looking.wait().unwrap();
}

#[test]
fn sessions_are_listed_and_ended_through_the_admin_listener() {
    let mut demo = RunningDemo::start();
    let policy = "state/demo/policy.yaml";
    let sessions = |demo: &RunningDemo, arguments: &[&str]| {
        let arguments = [&["sessions"], arguments, &["-c", FILE]].concat();
        demo.folder().postern(&arguments)
    };
    let none = sessions(&demo, &["list"]).exits(0);
    assert_eq!(none.out, "no sessions\n");
    assert!(
        none.err.contains("the policy in force has no sessions"),
        "{none:?}"
    );

    let with_sessions = demo.folder().read(policy) + "\nsessions: {}\n";
    demo.folder().write(policy, &with_sessions);
    demo.folder()
        .postern(&["reload", "--wait", "-c", FILE])
        .exits(0);
    let none = sessions(&demo, &["list", "--anonymous"]).exits(0);
    assert_eq!(
        (none.out.as_str(), none.err.as_str()),
        ("no sessions\n", "")
    );
    let json = sessions(&demo, &["list", "-o", "json"]).exits(0).json();
    assert_eq!(json["sessions"].as_array().map(Vec::len), Some(0));
    let unknown = sessions(&demo, &["show", "../status"]).exits(1);
    assert!(
        unknown.err.contains("there is no such session"),
        "{unknown:?}"
    );
    let revoke = ["revoke", "--who", "ann", "--reason", "left on Friday"];
    let nothing = sessions(&demo, &revoke).exits(1);
    assert!(
        nothing.err.contains("no such session is alive"),
        "{nothing:?}"
    );
    sessions(&demo, &["revoke", "01K", "--reason", " "]).exits(2);

    assert_eq!(demo.stop("-TERM"), Some(0));
    sessions(&demo, &["list"]).exits(3);
    // Lines are gathered for a moment; at the end all are there.
    let log = demo.folder().read("stderr.log");
    assert!(log.contains("left on Friday"), "{log}");
}

#[test]
fn what_a_running_postern_says_and_nobody_can_store_is_told() {
    let demo = RunningDemo::start();
    assert_eq!(demo.curl("agent", "/api/v2/cases/1001").status, 200);
    for arguments in [
        &["status"][..],
        &["status", "-o", "json"],
        &["quotas", "list"],
        &["top", "--once"],
        &["top", "--every", "1"],
        &["sessions", "list"],
    ] {
        let arguments = [arguments, &["-c", FILE]].concat();
        let ran = demo.folder().postern_onto_a_full_disk(&arguments, b"");
        let told = ran.err.contains("cannot write standard output: No space");
        assert!(told && ran.code == 2, "{arguments:?}: {ran:#?}");
    }
}
