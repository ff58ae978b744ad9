//! Scripts that no other test runs: their shell can read them, and no set-up of a peer is left with a gap.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::rules::{Offence, offence};
use super::tree::Tree;

/// The script that fills the gaps of the set-ups of peers.
const FILLS: &str = "benches/peers/start";

/// A script that its shell cannot read. Nothing of it runs.
pub(super) fn unreadable(path: &str, text: &str) -> Vec<Offence> {
    let first = text.lines().next().unwrap_or_default();
    let shell = match first.strip_prefix("#!") {
        Some("/bin/sh") => "sh",
        Some("/usr/bin/env bash") => "bash",
        Some(_) | None => return Vec::new(),
    };
    let mut command = Command::new(shell);
    command
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let mut reading = command.spawn().unwrap();
    let mut input = reading.stdin.take().unwrap();
    // A shell that stops at the first mistake does not hear the rest.
    input.write_all(text.as_bytes()).unwrap_or_default();
    drop(input);
    let read = reading.wait_with_output().unwrap();
    if read.status.success() {
        return Vec::new();
    }
    let said = String::from_utf8_lossy(&read.stderr);
    vec![offence(path, 1, said.trim())]
}

/// Every `@NAME@` of a set-up of a peer that nobody fills.
pub(super) fn gaps(tree: &Tree) -> Vec<Offence> {
    let fills = tree.files().find(|file| file.path == FILLS).unwrap();
    let set_ups = tree.files().filter(|file| {
        let is_set_up = [".conf", ".cfg", ".yaml"]
            .iter()
            .any(|ending| file.path.ends_with(ending));
        file.path.starts_with("benches/peers/") && is_set_up
    });
    let mut offences = Vec::new();
    for file in set_ups {
        for (index, line) in file.text.lines().enumerate() {
            let gaps = gaps_of(line).filter(|gap| !fills.text.contains(&format!("s,@{gap}@,")));
            offences.extend(
                gaps.map(|gap| offence(&file.path, index + 1, format!("nobody fills `@{gap}@`"))),
            );
        }
    }
    offences
}

/// What stands between two `@` in capital letters.
pub(super) fn gaps_of(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |part: &str| {
        let letters = |letter: u8| letter.is_ascii_uppercase() || letter == b'_';
        !part.is_empty() && part.bytes().all(letters)
    };
    line.split('@').filter(move |part| is_name(part))
}
