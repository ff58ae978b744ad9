//! What is read, what is refused, and what a revision depends on.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use super::samples::{HEADER, KEY_FILE, key_set, load, policy, write};
use super::*;
use crate::clock::SystemClock;

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn refusal(path: &Path) -> String {
    load(path).unwrap_err().to_string()
}

#[test]
fn the_revision_is_of_the_contents_not_of_the_place() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = load(&write(here.path(), "a.yaml", &policy("a", HEADER))).unwrap();
    let same = load(&write(there.path(), "b.yaml", &policy("a", HEADER))).unwrap();
    let other = load(&write(there.path(), "b.yaml", &policy("b", HEADER))).unwrap();
    assert_eq!(one.revision, same.revision);
    assert_ne!(one.revision, other.revision);
    assert_eq!(one.compiled.revision(), &one.revision);
    assert_eq!(one.source.text, policy("a", HEADER));
}

#[test]
fn the_key_file_belongs_to_the_closure_and_may_be_absent_offline() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.yaml", &policy("a", KEY_FILE));
    let without = load(&path).unwrap();
    write(folder.path(), "jwks.json", &key_set());
    let with = load(&path).unwrap();
    assert_ne!(without.revision, with.revision);
    let reference = with.key_reference().cloned();
    assert_eq!(
        revision_on_disk(&path, reference.as_ref()).unwrap(),
        with.revision
    );
    write(folder.path(), "jwks.json", &format!("{} ", key_set()));
    assert_ne!(
        revision_on_disk(&path, reference.as_ref()).unwrap(),
        with.revision
    );

    assert!(
        with.snapshot(Arc::new(SystemClock), None)
            .unwrap()
            .authenticator
            .is_some()
    );
    let error = without.snapshot(Arc::new(SystemClock), None).unwrap_err();
    assert!(error.to_string().contains("jwks.json"), "{error}");
}

#[test]
fn a_key_file_of_no_use_is_an_error_only_where_people_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.yaml", &policy("a", KEY_FILE));
    write(folder.path(), "jwks.json", "{\"keys\":[]}");
    let loaded = load(&path).unwrap();
    let error = loaded.snapshot(Arc::new(SystemClock), None).unwrap_err();
    assert!(matches!(error, LoadError::Identity(_)), "{error}");
}

#[test]
fn nothing_blank_is_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "",
        "\n",
        "{}",
        "null",
        "policy:",
        "policy: v1",
        "[]",
        "---\n...\n",
    ] {
        let path = write(folder.path(), "p.yaml", text);
        assert!(matches!(load(&path), Err(LoadError::Policy(_))), "{text:?}");
    }
}

#[test]
fn says_why_a_file_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    assert!(refusal(&path).contains("there is no such file"));
    assert!(refusal(folder.path()).contains("not a regular file"));
    assert!(refusal(Path::new("/dev/null")).contains("not a regular file"));
    std::fs::write(&path, b"policy: \xff").unwrap();
    assert!(refusal(&path).contains("not UTF-8 from byte 8 on"));
}

#[test]
fn reads_a_file_at_the_limit_and_not_one_byte_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, vec![b'x'; 100]).unwrap();
    assert_eq!(file::read(&path, 100).unwrap().len(), 100);
    assert!(
        file::read(&path, 99)
            .unwrap_err()
            .to_string()
            .contains("larger than 99 bytes")
    );

    std::fs::write(&path, vec![b' '; POLICY_BYTES_MAX + 1]).unwrap();
    assert!(refusal(&path).contains("larger than 1048576 bytes"));
}

#[test]
fn refuses_what_anybody_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.yaml", &policy("a", HEADER));
    mode(&path, 0o646);
    assert!(refusal(&path).contains("anybody may write it"));
    mode(&path, 0o664);
    assert!(load(&path).is_ok(), "a group is not anybody");

    mode(folder.path(), 0o777);
    assert!(refusal(&path).contains("anybody may replace it"));
    mode(folder.path(), 0o1777);
    assert!(
        load(&path).is_ok(),
        "a sticky folder lets nobody replace another's file"
    );
    mode(folder.path(), 0o700);
}

#[test]
fn refuses_a_link_into_a_folder_that_anybody_may_write() {
    let (folder, open) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = write(open.path(), "p.yaml", &policy("a", HEADER));
    let link = folder.path().join("p.yaml");
    symlink(&target, &link).unwrap();
    assert!(load(&link).is_ok());
    mode(open.path(), 0o777);
    assert!(refusal(&link).contains("anybody may replace it"));
    mode(open.path(), 0o700);
}

#[test]
fn a_key_file_that_anybody_may_write_is_as_good_as_absent() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "p.yaml", &policy("a", KEY_FILE));
    mode(&write(folder.path(), "jwks.json", &key_set()), 0o666);
    let error = load(&path)
        .unwrap()
        .snapshot(Arc::new(SystemClock), None)
        .unwrap_err();
    assert!(
        error.to_string().contains("anybody may write it"),
        "{error}"
    );
}

#[test]
fn resolves_references_without_showing_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "s", "secret value\n");
    let file = Reference::File("s".to_owned());
    assert_eq!(resolve(&file, folder.path()).unwrap(), b"secret value\n");
    assert_eq!(without_line_break(b"a\r\n"), b"a");
    assert_eq!(without_line_break(b"a\n\n"), b"a\n");

    let set = Reference::Env("CARGO_MANIFEST_DIR".to_owned());
    assert_eq!(
        resolve(&set, folder.path()).unwrap(),
        env!("CARGO_MANIFEST_DIR").as_bytes()
    );
    let unset = Reference::Env("POSTERN_NOT_SET_ANYWHERE".to_owned());
    let error = resolve(&unset, folder.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot read `env:POSTERN_NOT_SET_ANYWHERE`: the variable is not set"
    );
}

#[test]
fn a_pseudonym_secret_has_at_least_16_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let server = write(
        folder.path(),
        "postern.yaml",
        "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:3000\npolicy: p.yaml\nadmin: 127.0.0.1:9090\n\
         keys: { pseudonym: [ { id: k1, secret: file:k1 } ] }\n",
    );
    let server = match load_server(&server) {
        Ok(server) => server,
        Err(error) => panic!("{}", error.report(false)),
    };
    write(folder.path(), "k1", "0123456789abcdef\n");
    assert!(pseudonym_keys(&server, folder.path()).is_ok());
    write(folder.path(), "k1", "0123456789abcde\n");
    let error = pseudonym_keys(&server, folder.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("`k1`") && !error.contains("0123"), "{error}");
}
