//! `postern pseudonym`: a token for each key, and the same one that a reader sees.

use super::runner::Folder;

const SERVER: &str = "\
listen: 127.0.0.1:8080
upstream: http://127.0.0.1:3000
policy: policy.yaml
keys:
  pseudonym:
    - { id: k2, secret: file:new.key }
    - { id: k1, secret: file:old.key }
";

fn with_keys() -> Folder {
    let folder = Folder::new();
    folder.write("postern.yaml", SERVER);
    folder.write("new.key", "a secret of some length\n");
    folder.write("old.key", "another of some length\n");
    folder
}

const ASK: [&str; 7] = [
    "pseudonym",
    "--label",
    "pii.name",
    "--role",
    "auditor",
    "--identity",
    "ann",
];

#[test]
fn there_is_a_token_for_each_key_the_newest_first() {
    let folder = with_keys();
    let ran = folder.postern(&[&ASK[..], &["Ada"]].concat()).exits(0);
    let tokens: Vec<&str> = ran.out.lines().collect();
    assert!(
        matches!(&*tokens, [new, old] if new.starts_with("~k2.") && old.starts_with("~k1.")),
        "{ran:#?}"
    );
    assert!(ran.err.is_empty());
    let other = folder.postern(&[&ASK[..], &["Eve"]].concat()).exits(0);
    assert_ne!(other.out, ran.out);
    let fed = folder
        .postern_fed(&[&ASK[..], &["-"]].concat(), b"Ada\n")
        .exits(0);
    assert_eq!(fed.out, ran.out);
    let json = folder
        .postern(&[&ASK[..], &["Ada", "-o", "json"]].concat())
        .exits(0);
    assert_eq!(json.json()["tokens"][0], tokens[0]);
}

#[test]
fn without_keys_it_is_the_token_of_the_offline_engine() {
    let folder = Folder::new();
    let ask = [&ASK[..], &["--policy", "policy.yaml", "Ada"]].concat();
    let ran = folder.postern(&ask).exits(0);
    assert!(ran.err.contains("test key"), "{ran:#?}");
    let engine = [
        "redact",
        "--policy",
        "policy.yaml",
        "--role",
        "auditor",
        "--identity",
        "ann",
        "--route",
        "case.read",
    ];
    let seen = folder
        .postern_fed(&engine, br#"{"customer":{"name":"Ada"}}"#)
        .exits(0);
    assert_eq!(
        seen.out,
        format!("{{\"customer\":{{\"name\":\"{}\"}}}}", ran.out.trim_end())
    );
}

#[test]
fn what_has_no_token_says_why() {
    let folder = with_keys();
    let ask = |label: &str, role: &str, rest: &[&str]| {
        let ask = ["pseudonym", "--label", label, "--role", role];
        folder.postern(&[&ask[..], rest].concat()).exits(2)
    };
    for (ran, reason) in [
        (ask("pii.name", "agent", &["Ada"]), "is no token here"),
        (ask("pii.nmae", "auditor", &["Ada"]), "is no label"),
        (ask("pii.name", "nobody", &["Ada"]), "is no role"),
        (
            ask("pii.name", "auditor", &["--number", "Ada"]),
            "no JSON number",
        ),
    ] {
        assert!(ran.out.is_empty() && ran.err.contains(reason), "{ran:#?}");
    }
}
