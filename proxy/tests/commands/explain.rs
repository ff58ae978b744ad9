//! `postern explain`: fields, codes and problems.

use super::runner::{Folder, Ran};

fn explain(folder: &Folder, rest: &[&str]) -> Ran {
    let mut arguments = vec!["explain", "policy.yaml"];
    arguments.extend(rest);
    folder.postern(&arguments)
}

#[test]
fn a_field_is_explained_for_every_role() {
    let folder = Folder::new();
    let ran = explain(&folder, &["--route", "case.read", "$.customer.email"]).exits(0);
    let squeezed = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "pii.contact: `$.customer['email','phone','address']` selects it",
        "agent mask it is pii.contact, and `agent` rules on pii.contact",
        "contractor remove it is pii.contact, and `contractor` rules on pii",
        "supervisor show it is pii.contact, and `supervisor` rules on pii.contact",
    ] {
        assert!(squeezed.contains(part), "{part}: {ran:#?}");
    }
}

#[test]
fn what_is_inside_a_hidden_value_is_hidden_because_of_it() {
    let folder = Folder::new();
    let json = explain(
        &folder,
        &[
            "--route",
            "case.list",
            "--role",
            "agent",
            "$.cases[0].customer.address.city",
            "-o",
            "json",
        ],
    )
    .exits(0)
    .json();
    let agent = &json["roles"]["agent"];
    assert_eq!(agent["action"], "mask");
    let because = agent["because"].as_str().unwrap();
    assert!(
        because.starts_with("it is inside $.cases[0].customer.address"),
        "{because}"
    );
}

#[test]
fn always_and_missing_labels_are_named() {
    let folder = Folder::new();
    let ran = explain(&folder, &["--route", "case.read", "$.debug.session_token"]).exits(0);
    assert!(ran.out.contains("`always` rules on secret"), "{ran:#?}");
    let ran = explain(&folder, &["--route", "case.read", "$.status"]).exits(0);
    assert!(ran.out.contains("`unlabelled` is show"), "{ran:#?}");
    let ran = explain(&folder, &["--route", "case.search", "$.status"]).exits(0);
    assert!(ran.out.contains("route is denied"), "{ran:#?}");
}

#[test]
fn several_roles_are_explained_together_too() {
    let folder = Folder::new();
    let rest = [
        "--route",
        "case.read",
        "--role",
        "agent",
        "--role",
        "supervisor",
        "$.customer.email",
    ];
    let ran = explain(&folder, &rest).exits(0);
    let together = ran.out.lines().find(|line| line.starts_with("together"));
    assert!(together.unwrap().contains("mask"), "{ran:#?}");
    assert!(!ran.out.contains("contractor"));
}

#[test]
fn codes_and_problems_are_explained() {
    let folder = Folder::new();
    for word in [
        "PN003",
        "pn003",
        "unreadable-body",
        "quota-exceeded",
        "session-missing",
        "connection-outdated",
        "urn:postern:problem:route-denied",
    ] {
        let ran = folder.postern(&["explain", word]).exits(0);
        assert!(ran.out.len() > 100, "{ran:#?}");
    }
    let json = folder
        .postern(&["explain", "PN003", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(json["name"], "PN003");
}

#[test]
fn what_cannot_be_explained_exits_2() {
    let folder = Folder::new();
    for arguments in [
        &["explain", "PN999"][..],
        &["explain", "no-such-problem"],
        &["explain", "policy.yaml", "$.a"],
        &["explain", "policy.yaml", "--route", "nope", "$.a"],
        &["explain", "policy.yaml", "--route", "case.read", "$..a"],
        &["explain", "policy.yaml", "--route", "case.read", "$.a["],
        &[
            "explain",
            "policy.yaml",
            "--route",
            "case.read",
            "--role",
            "nobody",
            "$.a",
        ],
        &["explain", "absent.yaml", "--route", "case.read", "$.a"],
    ] {
        let ran = folder.postern(arguments).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
    }
}
