//! `postern sign`, and what `postern check` makes of a policy that has to be signed.

use super::runner::{Folder, Ran};

/// A policy that names no key file.
const POLICY: &str = "\
policy: v1
name: signed
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }
labels: { pii: Personal data }
routes:
  case: { match: 'GET /cases/{id}', label: { $.name: pii } }
  closed: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { pii: redact } }
";

fn sign(folder: &Folder, version: &str) -> Ran {
    let key = ["--key", "policy.seed", "--name", "desk.example.org"];
    let what = ["--version", version, "policy.yaml"];
    folder.postern(&[&["sign"], &key[..], &what[..]].concat())
}

#[test]
fn a_policy_that_has_to_be_signed_checks_once_it_is() {
    let folder = Folder::new();
    folder.write("policy.yaml", POLICY);
    let signed = sign(&folder, "7").exits(0);
    let key = signed.out.trim();
    assert!(key.starts_with("desk.example.org+"), "{signed:#?}");
    let note = folder.read("policy.yaml.note");
    assert!(note.starts_with("postern-policy/v1\n7\n"), "{note}");
    let server = format!(
        "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\npolicy_signers: \"{key}\"\n"
    );
    folder.write("postern.yaml", &server);
    folder.postern(&["check", "--offline"]).exits(0);
    folder.write("policy.yaml", &POLICY.replace("redact", "remove"));
    let changed = folder.postern(&["check", "--offline"]);
    assert_ne!(changed.code, 0);
    assert!(
        changed.err.contains("another policy was signed"),
        "{changed:#?}"
    );
    let again = sign(&folder, "8").exits(0);
    assert_eq!(again.out.trim(), key, "the key is made once");
    folder.postern(&["check", "--offline"]).exits(0);
    std::fs::remove_file(folder.path().join("policy.yaml.note")).unwrap();
    assert_ne!(folder.postern(&["check", "--offline"]).code, 0);
}

#[test]
fn nothing_is_signed_that_is_not_all_there() {
    let folder = Folder::new();
    sign(&folder, "0").exits(2);
    folder.write("policy.yaml", "policy: v1\n");
    sign(&folder, "7").exits(2);
    let with_keys = POLICY.replace(
        "from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32]",
        "from: jwt, issuer: i, audience: a, keys: 'file:no.json', subject: $.sub, roles: '$.groups[*]'",
    );
    folder.write("policy.yaml", &with_keys);
    let refused = sign(&folder, "7").exits(2);
    assert!(refused.err.contains("is not there"), "{refused:#?}");
    assert!(!folder.path().join("policy.yaml.note").exists());
}
