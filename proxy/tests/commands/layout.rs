//! `postern fmt`: layout only, never meaning.

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
