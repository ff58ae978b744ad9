//! `postern fmt`: layout only, never meaning.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::runner::Folder;

#[test]
fn an_untidy_policy_is_tidied_once() {
    let folder = Folder::new();
    let untidy = postern_proxy::demo::POLICY.replace("policy: v1\n", "policy: v1   \n\n\n\n");
    folder.write("policy.yaml", &untidy);
    let check = folder.postern(&["fmt", "--check", "policy.yaml"]).exits(1);
    assert_eq!(check.out, "policy.yaml would change\n");
    assert_eq!(folder.read("policy.yaml"), untidy);

    let before = folder.postern(&["matrix", "policy.yaml"]).exits(0).out;
    folder.postern(&["fmt", "policy.yaml"]).exits(0);
    folder.postern(&["fmt", "--check", "policy.yaml"]).exits(0);
    assert_ne!(folder.read("policy.yaml"), untidy);
    assert!(
        folder
            .read("policy.yaml")
            .contains("# who is asking, and as what")
    );
    assert_eq!(
        folder.postern(&["matrix", "policy.yaml"]).exits(0).out,
        before
    );
}

#[test]
fn a_file_is_replaced_whole_with_its_mode_and_where_a_link_leads() {
    let folder = Folder::new();
    let untidy = postern_proxy::demo::POLICY.replace("policy: v1\n", "policy: v1   \n\n\n");
    folder.write("policy.yaml", &untidy);
    let at = |name: &str| folder.path().join(name);
    fs::set_permissions(at("policy.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(at("policy.yaml"), at("before")).unwrap();
    symlink("policy.yaml", at("link.yaml")).unwrap();
    // What cannot be written beside it changes nothing.
    folder.write("policy.yaml.new", "somebody else's");
    folder.postern(&["fmt", "link.yaml"]).exits(2);
    assert_eq!(folder.read("policy.yaml"), untidy);
    assert_eq!(folder.read("policy.yaml.new"), "somebody else's");

    fs::remove_file(at("policy.yaml.new")).unwrap();
    folder.postern(&["fmt", "link.yaml"]).exits(0);
    assert!(at("link.yaml").is_symlink());
    assert_ne!(folder.read("policy.yaml"), untidy);
    assert_eq!(
        folder.read("before"),
        untidy,
        "the old file was not touched"
    );
    let mode = fs::metadata(at("policy.yaml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(!at("policy.yaml.new").exists());
}

#[test]
fn the_demo_policy_is_tidy() {
    Folder::new()
        .postern(&["fmt", "--check", "policy.yaml"])
        .exits(0);
}

#[test]
fn standard_input_is_tidied_to_standard_output() {
    let folder = Folder::new();
    let ran = folder
        .postern_fed(&["fmt", "-"], postern_proxy::demo::POLICY.as_bytes())
        .exits(0);
    assert_eq!(ran.out, postern_proxy::demo::POLICY);
}

#[test]
fn what_is_no_policy_is_left_alone() {
    let folder = Folder::new();
    folder.write("bad.yaml", "a: [1\n");
    folder.postern(&["fmt", "bad.yaml"]).exits(2);
    assert_eq!(folder.read("bad.yaml"), "a: [1\n");
    folder.postern(&["fmt", "absent.yaml"]).exits(2);
    folder.postern(&["fmt"]).exits(2);
}
