//! `postern check`: what it sums up, how it refuses, and in which formats.

mod live;
mod parity;

use super::runner::Folder;

const BROKEN: &str = "policy: v1\nname: broken\nlabls: {}\nroutes: []\n";

#[test]
fn a_good_policy_is_summed_up() {
    let folder = Folder::new();
    let ran = folder
        .postern(&["check", "--offline", "policy.yaml"])
        .exits(0);
    for part in [
        "policy `demo`, revision ",
        "9 labels, 4 roles, 7 routes",
        "GET /api/v2/cases/{case_id}",
        "every selector streams",
        "nothing to complain about",
    ] {
        assert!(ran.out.contains(part), "{part}: {ran:#?}");
    }
    let quiet = folder.postern(&["check", "--offline", "-q", "policy.yaml"]);
    assert!(quiet.exits(0).out.is_empty());
}

#[test]
fn a_selector_that_looks_ahead_is_named() {
    let folder = Folder::new();
    // A table cannot take labels over that depend on where an array ends.
    let policy = postern_proxy::demo::POLICY
        .replace("$.payments[*].card_number", "$.payments[-1]")
        .replace("    labels_of: case.read\n    under: $[*]\n", "");
    folder.write("policy.yaml", &policy);
    let ran = folder
        .postern(&["check", "--offline", "policy.yaml"])
        .exits(0);
    assert!(ran.out.contains("holds one array"), "{ran:#?}");
}

#[test]
fn a_broken_policy_exits_2_with_every_error_and_its_place() {
    let folder = Folder::new();
    folder.write("broken.yaml", BROKEN);
    let ran = folder.postern(&["check", "broken.yaml"]).exits(2);
    assert!(ran.out.is_empty());
    for part in [
        "error[PN",
        "broken.yaml:3:1",
        "labls",
        "did you mean `labels`",
    ] {
        assert!(ran.err.contains(part), "{part}: {ran:#?}");
    }
    folder.postern(&["check", "absent.yaml"]).exits(2);
}

#[test]
fn a_policy_that_is_not_there_is_told_with_where_it_is_named() {
    let folder = Folder::new();
    let server = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: polcy.yaml\nadmin: 127.0.0.1:0\nstate: state\n";
    folder.write("postern.yaml", server);
    for command in ["check", "matrix", "run"] {
        let ran = folder.postern(&[command]).exits(2);
        let told = "cannot read `./polcy.yaml`: there is no such file; `policy` in `postern.yaml` names it";
        assert!(ran.err.contains(told), "{command}: {ran:#?}");
    }
}

#[test]
fn the_other_kind_of_file_is_named_in_one_error() {
    let folder = Folder::new();
    folder.write(
        "postern.yaml",
        "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\n",
    );
    let ran = folder.postern(&["check", "postern.yaml"]).exits(2);
    assert!(
        ran.err.contains("this looks like a server file"),
        "{ran:#?}"
    );
    assert!(
        ran.err.contains("one error in") || !ran.err.contains("errors in"),
        "{ran:#?}"
    );
    let ran = folder.postern(&["check", "-c", "policy.yaml"]).exits(2);
    assert!(ran.err.contains("this looks like a policy"), "{ran:#?}");
}

#[test]
fn a_policy_that_protects_nothing_is_complained_about() {
    let folder = Folder::new();
    folder.write(
        "open.yaml",
        "policy: v1\nname: open\nidentity: { from: mtls, subject: cn, roles: { x: agent } }\n\
         routes: { all: { match: 'ANY /{path...}' } }\nroles: { agent: { sees: {} } }\n",
    );
    let ran = folder
        .postern(&["check", "--offline", "open.yaml"])
        .exits(1);
    assert!(
        ran.err.contains("PN114") && ran.err.contains("PN115"),
        "{ran:#?}"
    );
    assert!(!ran.out.contains("nothing to complain about"), "{ran:#?}");
}

#[test]
fn findings_come_in_every_format() {
    let folder = Folder::new();
    folder.write("broken.yaml", BROKEN);
    let ran = |format| {
        folder
            .postern(&["check", "broken.yaml", "-o", format])
            .exits(2)
    };

    let json = ran("json").json();
    assert_eq!(json["loads"], false);
    let finding = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["line"] == 3)
        .unwrap();
    assert_eq!(finding["file"], "broken.yaml");
    let code = finding["code"].as_str().unwrap();

    let sarif = ran("sarif").json();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == code));

    let junit = ran("junit").out;
    assert!(junit.contains("<testsuite") && junit.contains(&format!("{code} at 3:1")));
    let github = ran("github").out;
    assert!(github.contains("::error file=broken.yaml,line=3,col=1"));
}

#[test]
fn a_finding_exits_1_and_is_no_error() {
    let folder = Folder::new();
    let policy = postern_proxy::demo::POLICY.replace(
        "  pii.name:      Customer names",
        "  pii.name:      Customer names\n  unused:        Attached to nothing",
    );
    folder.write("policy.yaml", &policy);
    let ran = folder
        .postern(&["check", "--offline", "policy.yaml", "-o", "json"])
        .exits(1);
    let json = ran.json();
    assert_eq!(json["loads"], true);
    assert_eq!(json["findings"][0]["level"], "warning");
}

#[test]
fn absent_keys_exit_3_unless_offline() {
    let folder = Folder::new();
    let ran = folder.postern(&["check", "policy.yaml"]).exits(3);
    assert!(ran.err.contains("jwks.json"), "{ran:#?}");
    folder
        .postern(&["check", "--offline", "policy.yaml"])
        .exits(0);
}

#[test]
fn without_a_policy_the_server_file_is_checked_too() {
    let folder = Folder::new();
    folder.postern(&["check"]).exits(2);
    let server = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\nadmin: 127.0.0.1:0\n";
    folder.write("postern.yaml", server);
    let ran = folder.postern(&["check", "--offline"]).exits(2);
    assert!(ran.err.contains("pseudonym"), "{ran:#?}");

    let keys = "keys: { pseudonym: [ { id: k1, secret: env:POSTERN_NO_SUCH_KEY } ] }\n";
    folder.write("postern.yaml", &format!("{server}{keys}"));
    folder.postern(&["check", "--offline"]).exits(0);
    let ran = folder.postern(&["check"]).exits(3);
    assert!(ran.err.contains("POSTERN_NO_SUCH_KEY"), "{ran:#?}");
    let ran = folder.postern(&["check", "--live"]).exits(3);
    assert!(ran.err.contains("http://127.0.0.1:9"), "{ran:#?}");

    folder.write("postern.yaml", &format!("{server}secret: abc\n"));
    folder.postern(&["check", "--offline"]).exits(2);
}

#[test]
fn no_command_repeats_a_secret_of_the_server_file() {
    let folder = Folder::new();
    let rest = "listen: 127.0.0.1:0\npolicy: policy.yaml\nadmin: 127.0.0.1:0\n";
    let upstream = "upstream: http://127.0.0.1:9\n";
    for (code, text) in [
        (
            "PN041",
            "upstream: { url: \"http://user:hunter2secret@127.0.0.1:3901\" }\n".to_owned(),
        ),
        (
            "PN046",
            format!(
                "{upstream}audit: {{ witnesses: [ {{ url: \"https://u:hunter2secret@w.example\", key: k }} ] }}\n"
            ),
        ),
        (
            "PN003",
            format!(
                "{upstream}store: {{ url: \"redis://127.0.0.1:1\", pasword: hunter2secret }}\n"
            ),
        ),
    ] {
        folder.write("postern.yaml", &format!("{rest}{text}"));
        for command in [&["check"][..], &["run"], &["check", "-o", "json"]] {
            let ran = folder.postern(command).exits(2);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(said.contains(code), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
