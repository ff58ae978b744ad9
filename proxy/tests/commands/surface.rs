//! The command line's surface: help, versions, unknown words, commands that are not there yet.

use super::runner::Folder;

#[test]
fn help_and_version_go_to_standard_output() {
    let folder = Folder::new();
    let help = folder.postern(&["--help"]).exits(0);
    for command in [
        "run", "check", "matrix", "redact", "explain", "fmt", "status",
    ] {
        assert!(help.out.contains(command), "{command}");
    }
    assert!(help.err.is_empty());
    let version = folder.postern(&["--version"]).exits(0);
    assert_eq!(
        version.out,
        format!("postern {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_command_line_that_cannot_be_read_exits_2() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["check", "--no-such-flag"],
        &["check", "policy.yaml", "-o", "yaml"],
        &["redact", "--policy", "policy.yaml"],
        &["check", "--offline", "--live"],
        &["sessions", "revoke", "--reason", "x"],
        &["sessions", "revoke", "01K", "--who", "ann", "--reason", "x"],
        &["sessions", "revoke", "01K"],
    ] {
        let ran = folder.postern(arguments).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
    }
}

#[test]
fn a_command_that_is_not_there_yet_says_so_and_exits_2() {
    let folder = Folder::new();
    for command in ["test", "diff", "replay", "discover", "grants"] {
        let ran = folder.postern(&[command, "verify", "--all", "x"]).exits(2);
        assert_eq!(
            ran.err,
            format!("postern: `{command}` is not in this build yet\n")
        );
        assert!(ran.out.is_empty());
    }
}

#[test]
fn the_schema_is_json_and_knows_the_sections() {
    let folder = Folder::new();
    let schema = folder.postern(&["schema"]).exits(0).json();
    for section in ["policy", "identity", "labels", "routes", "roles"] {
        assert!(!schema["properties"][section].is_null(), "{section}");
    }
    folder.postern(&["schema", "-o", "sarif"]).exits(2);
    let schema = folder.postern(&["schema", "--server"]).exits(0).json();
    for key in ["listen", "upstream", "policy", "limits", "audit"] {
        assert!(!schema["properties"][key].is_null(), "{key}");
    }
}

#[test]
fn completions_name_the_commands_in_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = folder.postern(&["completions", shell]).exits(0);
        assert!(ran.out.contains("matrix"), "{shell}");
    }
    folder.postern(&["completions", "tcsh"]).exits(2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let mut child = super::runner::command(folder.path())
        .args(["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty());
    assert!(output.status.success());
}

#[test]
fn nothing_to_talk_to_exits_3_and_an_unreadable_server_file_2() {
    let folder = Folder::new();
    let ran = folder.postern(&["status"]).exits(2);
    for hint in ["-c FILE", "POSTERN_CONFIG"] {
        assert!(ran.err.contains(hint), "{ran:#?}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let server = format!(
        "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\npolicy: policy.yaml\nadmin: {address}\nstate: state\n"
    );
    folder.write("postern.yaml", &server);
    folder.postern(&["status"]).exits(3);
    folder.postern(&["status", "--ready"]).exits(3);
    folder.postern(&["reload", "--wait"]).exits(3);
    folder.postern(&["tap"]).exits(3);
    folder.postern(&["top", "--once"]).exits(3);
    folder.postern(&["sessions", "list"]).exits(3);
    folder
        .postern(&["sessions", "list", "-o", "junit"])
        .exits(2);
    folder.postern(&["top", "-o", "junit"]).exits(2);
    folder.postern(&["tap", "-o", "junit"]).exits(2);
}
