//! What `postern run` writes to standard error.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;

use super::runner::{Folder, command};

const POLICY: &str = r#"policy: v1
name: logs
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }
labels: { pii: Personal }
routes:
  one: { match: GET /one, label: { $.name: pii } }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { pii: mask } }
"#;

const SERVER: &str = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\n\
    admin: 127.0.0.1:0\nstate: state\n";

/// What is on standard error of a proxy that starts, is asked so many times for what the upstream has, and stops; and
/// the address that it says. Nobody listens where the upstream should be.
fn said(format: &str, asked: usize) -> (String, String) {
    let folder = Folder::new();
    folder.write("policy.yaml", POLICY);
    folder.write("postern.yaml", SERVER);
    let mut child = command(folder.path())
        .args(["run", "--supervised", "--log", format])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut address).unwrap();
    for _time in 0..asked {
        let answer = ask(address.trim_end());
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    (log, address.trim_end().to_owned())
}

fn ask(address: &str) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    let head = "GET /one HTTP/1.1\r\nHost: a.example\r\nX-Subject: ann\r\nX-Roles: agent\r\nConnection: close\r\n\r\n";
    client.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn why_the_upstream_cannot_be_connected_to_is_said_once() {
    let (log, _address) = said("text", 3);
    let of_it: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("the upstream cannot be connected to"))
        .collect();
    let [line] = of_it[..] else {
        panic!("{log}");
    };
    for part in ["WARN", "127.0.0.1", "port=9", "Connection refused"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn every_line_of_a_log_in_json_is_an_object_and_one_says_where_postern_listens() {
    let (log, address) = said("json", 0);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let begins = begins_with(&address);
    let message = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
    let started = lines.iter().find(|line| message(line).starts_with(&begins));
    let started = started.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(started["level"], "INFO");
    assert_eq!(started["listen"], *address);
    assert_eq!(started["upstream"], "http://127.0.0.1:9");
    assert_eq!(started["version"], env!("CARGO_PKG_VERSION"));
    assert!(started["admin"].is_string(), "{started}");
}

#[test]
fn a_log_for_people_says_where_postern_listens_on_a_line_of_its_own() {
    let (log, address) = said("text", 0);
    let begins = begins_with(&address);
    let times = log.lines().filter(|line| line.starts_with(&begins)).count();
    assert_eq!(times, 1, "{log}");
}

fn begins_with(address: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("Postern {version} listens on {address} for ")
}
