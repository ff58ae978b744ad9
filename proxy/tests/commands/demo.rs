//! `postern run` in an empty folder: the demo starts, and the four roles see exactly what the matrix it
//! prints says.

mod browser;
mod live;
mod running;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use browser::Answer;
use running::RunningDemo;

/// Where in a case each label of the demo's policy is.
const PLACES: &[(&str, &str)] = &[
    ("pii.name", "/customer/name"),
    ("pii.contact", "/customer/email"),
    ("pii.contact", "/customer/phone"),
    ("pii.gov_id", "/customer/tax_id"),
    ("payment.card", "/payments/0/card_number"),
    ("note.internal", "/internal_note"),
    ("text.free", "/messages/0/body"),
    ("inner.address", "/links/origin_url"),
    ("secret", "/debug/session_token"),
    ("secret", "/debug/upstreams/0/api_key"),
];

#[test]
fn the_four_roles_see_exactly_what_the_printed_matrix_says() {
    let demo = RunningDemo::start();
    let truth = demo.straight("/api/v2/cases/1001").json();
    let matrix = demo.matrix();
    assert_eq!(matrix.roles.len(), 4);
    assert_eq!(matrix.labels().len(), 9);
    let mut views = Vec::new();
    for role in &matrix.roles {
        let answer = demo.curl(role, "/api/v2/cases/1001");
        assert_eq!(answer.status, 200, "{role}");
        let seen = answer.json();
        for (label, place) in PLACES {
            let was = truth.pointer(place).unwrap();
            let action = matrix.action(label, role);
            assert!(
                looks(action, was, seen.pointer(place)),
                "{role} {place} {action}: {was} became {:?}",
                seen.pointer(place)
            );
        }
        assert_eq!(seen["subject"], truth["subject"], "unlabelled is shown");
        views.push(answer.body);
    }
    views.sort();
    views.dedup();
    assert_eq!(views.len(), 4, "four roles, four views");
}

/// Whether a value looks as an action leaves it.
fn looks(action: &str, was: &Value, is: Option<&Value>) -> bool {
    let text = is.and_then(Value::as_str);
    let was_text = was.as_str().unwrap();
    match action {
        "show" => is == Some(was),
        "remove" => is.is_none(),
        "redact" => text == Some("[redacted]"),
        "mask" => text.is_some_and(|text| text.contains("•••") && text != was_text),
        "last4" => text.is_some_and(|text| {
            text.strip_prefix("•••")
                .is_some_and(|kept| kept.len() == 4 && was_text.ends_with(kept))
        }),
        "pseudonym/identity" => text.is_some_and(|text| text.starts_with("~demo.")),
        other => panic!("no expectation for `{other}`"),
    }
}

#[test]
fn the_printed_lines_do_what_the_demo_says_they_do() {
    let demo = RunningDemo::start();
    let lines = demo.curl_lines();
    assert_eq!(lines.len(), 10, "{lines:#?}");
    let answers: Vec<Answer> = lines.iter().map(|line| demo.run_line(line)).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses[..4], [200; 4], "four views");
    assert_eq!(answers[4].json()["cases"].as_array().unwrap().len(), 2);
    let (table, lines) = (&answers[5], &answers[6]);
    assert_eq!(
        table.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert!(
        table
            .body
            .starts_with("\"id\",\"status\",\"subject\",\"customer.name\",")
    );
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(lines.body.matches("{\"id\":").count(), 300);
    let cases = demo.straight("/api/v2/cases/export?format=json").json();
    for case in cases.as_array().unwrap() {
        let number = case["customer"]["tax_id"].as_str().unwrap();
        for answer in [table, lines] {
            assert!(!answer.body.contains(number), "a tax number leaves");
        }
    }
    assert_eq!(answers[7].problem(), (403, "route-denied"));
    assert_eq!(answers[8].problem(), (403, "write-of-hidden-field"));
    assert_eq!(statuses[9], 200, "a write without personal fields");
    let after = demo.straight("/api/v2/cases/1001").json();
    assert_eq!(after["status"], "solved");
}

#[test]
fn a_masked_case_that_is_written_back_changes_no_true_value() {
    let demo = RunningDemo::start();
    let (path, file) = ("state/demo/policy.yaml", "state/demo/postern.yaml");
    let case = "/api/v2/cases/1001";
    let policy = demo.folder().read(path);
    assert_eq!(policy.matches("write_back: reject").count(), 1);
    for (mode, put, patch) in [
        ("reject", 403, 403),
        ("drop_field", 403, 200),
        ("restore", 200, 200),
    ] {
        let changed = policy.replace("write_back: reject", &format!("write_back: {mode}"));
        demo.folder().write(path, &changed);
        demo.folder()
            .postern(&["reload", "--wait", "-c", file])
            .exits(0);
        for (method, status) in [("PUT", put), ("PATCH", patch)] {
            let mut before = demo.straight(case).json();
            let mut view = demo.curl("agent", case).json();
            assert_ne!(view["customer"]["phone"], before["customer"]["phone"]);
            let wanted = format!("{mode} by {method}");
            view["status"] = wanted.as_str().into();
            let answer = demo.write("agent", method, case, &view.to_string());
            assert_eq!(answer.status, status, "{wanted}: {}", answer.body);
            let mut after = demo.straight(case).json();
            assert_eq!(
                after["status"] == wanted.as_str(),
                status == 200,
                "{wanted}"
            );
            for document in [&mut before, &mut after] {
                document["status"].take();
                document["version"].take();
            }
            assert_eq!(before, after, "{wanted}");
        }
    }
}

#[test]
fn nothing_of_the_application_leaves_that_would_go_round_the_redaction() {
    let demo = RunningDemo::start();
    let straight = demo.straight("/api/v2/cases/1001");
    for name in [
        "etag",
        "last-modified",
        "accept-ranges",
        "server",
        "x-powered-by",
    ] {
        assert!(
            straight.header(name).is_some(),
            "{name}: the case is not vacuous"
        );
        assert_eq!(
            demo.curl("agent", "/api/v2/cases/1001").header(name),
            None,
            "{name}"
        );
    }
    let missing = demo.curl("supervisor", "/api/v2/cases/9999");
    assert_eq!(missing.status, 404);
    assert!(!missing.body.contains("trace") && !missing.body.contains("select"));
    assert!(demo.straight("/api/v2/cases/9999").body.contains("select"));
    let odd = demo.curl("agent", "/api/v2/cases?page=x");
    assert_eq!(odd.status, 400);
    assert!(!odd.body.contains("trace") && odd.body.contains("not a number"));
}

#[test]
fn nobody_is_let_in_without_a_token_of_this_demo() {
    let (demo, other) = (RunningDemo::start(), RunningDemo::start());
    assert_eq!(demo.with_token("", "/api/v2/cases/1001").status, 401);
    let foreign = other.token("supervisor");
    assert_eq!(demo.with_token(&foreign, "/api/v2/cases/1001").status, 401);
}

#[test]
fn the_demo_answers_the_commands_that_ask_a_running_postern() {
    let demo = RunningDemo::start();
    let file = "state/demo/postern.yaml";
    let folder = demo.folder();
    folder.postern(&["status", "--ready", "-c", file]).exits(0);
    let status = folder.postern(&["status", "-c", file]).exits(0);
    assert!(status.out.contains("revision"), "{status:#?}");
    folder.postern(&["check", "-c", file]).exits(0);
    folder.postern(&["reload", "--wait", "-c", file]).exits(0);

    let path = "state/demo/policy.yaml";
    let policy = folder.read(path);
    folder.write(
        path,
        &policy.replace("pii.name:      show", "pii.name:      remove"),
    );
    let reload = folder.postern(&["reload", "--wait", "-c", file]).exits(0);
    assert!(!reload.out.contains("refused"), "{reload:#?}");
    let seen = demo.curl("agent", "/api/v2/cases/1001").json();
    assert_eq!(seen.pointer("/customer/name"), None);

    folder.write(path, "policy: v1\nlabls: 1\n");
    let refused = folder.postern(&["reload", "--wait", "-c", file]).exits(2);
    assert!(refused.err.contains("labls"), "{refused:#?}");
    assert_eq!(demo.curl("agent", "/api/v2/cases/1001").status, 200);
}

#[test]
fn sigterm_and_sigint_stop_the_demo() {
    for signal in ["-TERM", "-INT"] {
        let mut demo = RunningDemo::start();
        assert_eq!(demo.curl("agent", "/api/v2/cases/1001").status, 200);
        assert_eq!(demo.stop(signal), Some(0), "{signal}");
    }
}

#[test]
fn sighup_reloads_the_policy() {
    let folder = super::runner::Folder::new();
    let any = "127.0.0.1:0";
    let mut child = super::runner::command(folder.path())
        .args(["run", "--listen", any, "--admin", any, "--api", any])
        .args(["--log", "json"])
        .env("POSTERN_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut until = |text: &str| {
        let line = lines.find(|line| line.as_ref().unwrap().contains(text));
        let line: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        assert_eq!(line["level"], "INFO");
    };
    let send = |signal: &str, id: u32| {
        let sent = Command::new("kill")
            .args([signal, &id.to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    until("postern is ready");
    send("-HUP", child.id());
    until("the policy has not changed");
    send("-TERM", child.id());
    until("postern has stopped");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_bad_server_file_or_policy_stops_the_start_with_2() {
    let folder = super::runner::Folder::new();
    folder.postern(&["run", "-c", "absent.yaml"]).exits(2);
    folder.write("postern.yaml", "listen: 127.0.0.1:0\nupstrem: x\n");
    let ran = folder.postern(&["run"]).exits(2);
    assert!(ran.err.contains("error[PN"), "{ran:#?}");
    let server = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: broken.yaml\nadmin: 127.0.0.1:0\n";
    folder.write("postern.yaml", server);
    folder.write("broken.yaml", "policy: v1\nlabls: 1\n");
    let ran = folder.postern(&["run"]).exits(2);
    assert!(ran.err.contains("labls"), "{ran:#?}");
    folder.postern(&["run", "--listen", "127.0.0.1:0"]).exits(2);
}

#[test]
fn an_address_that_is_taken_and_asked_for_exits_3() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = super::runner::Folder::new();
    let ran = folder.postern(&["run", "--listen", &address]).exits(3);
    assert!(ran.err.contains(&address), "{ran:#?}");
}
