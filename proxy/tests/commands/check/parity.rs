//! What `postern run` refuses of a server file, and of the files, folders and names that belong to it, `postern check`
//! refuses too, as far as that can be known without making or opening anything, and says where to look; it makes and
//! changes nothing. What only the start finds out is told in `start/rehearsal.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use postern_audit::{KeyKind, Signer};
use postern_config::Server;
use postern_proxy::start::Postern;

use super::super::runner::Folder;

/// A policy that needs no keys and counts something, so that it needs a store.
const POLICY: &str = "\
policy: v1
name: small
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets }
unlabelled: show
routes:
  case: { match: GET /case, label: { $.secret: secret } }
  everything_else: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { secret: remove } }
quotas:
  a-day: { unit: requests, per: identity, window: 24h, limit: { agent: 200 }, on_exceed: deny }
";
const LISTEN: &str = "listen: 127.0.0.1:0\n";
const UPSTREAM: &str = "upstream: http://127.0.0.1:9\n";
/// A policy that keeps sessions and counts nothing.
const SESSIONS: &str = "\
policy: v1
name: sessions
identity:
  from: session
  login: { match: POST /login, success: { status: 302 }, user: { form: username } }
  roles: { '*': agent }
labels: { secret: Secrets }
unlabelled: show
routes:
  case: { match: GET /case, label: { $.secret: secret } }
  everything_else: { match: 'ANY /{path...}', deny: true }
roles:
  agent: { sees: { secret: remove } }
sessions: { bind: context, required: { export: 0 } }
";

/// A server file that says no more than it has to, and this.
fn with(more: &str) -> String {
    format!("{LISTEN}{UPSTREAM}{more}\n")
}

/// One whose clients connect to a socket.
fn at_socket(path: &str) -> String {
    format!("listen: unix:{path}\n{UPSTREAM}")
}

/// The key of a witness that nobody has.
fn witness() -> String {
    let signer = Signer::from_seed("w.example", KeyKind::Witness, &[7; 32]).unwrap();
    signer.key().to_string()
}

/// A folder with certificates and keys of two pairs, and what is none of either.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let folder = Folder::new();
        folder.write("policy.yaml", POLICY);
        for name in ["one", "two"] {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            folder.write(&format!("{name}.pem"), &made.cert.pem());
            folder.write(&format!("{name}.key"), &made.signing_key.serialize_pem());
        }
        folder.write("none.pem", "no PEM\n");
        folder.write("lines", "Bearer a\nb\n");
        folder.write("short", "0123456789\n");
        Self(folder)
    }

    fn serve(&self, text: &str) {
        let text = format!("{text}policy: policy.yaml\nadmin: 127.0.0.1:0\n");
        self.0.write("postern.yaml", &text);
    }

    /// Asserts that both commands refuse a server file, and that `check` names all of these.
    #[track_caller]
    fn refused(&self, text: &str, parts: &[&str]) {
        self.serve(text);
        let before = everything(self.0.path());
        let checked = self.0.postern(&["check"]).exits(3);
        assert_eq!(everything(self.0.path()), before, "{text}");
        for part in parts {
            let line = format!("postern: postern.yaml: {part}");
            assert!(
                checked.err.contains(&line),
                "{text}\nwithout {line}\n{}",
                checked.err
            );
        }
        assert_eq!(checked.err.lines().count(), parts.len(), "{}", checked.err);
        self.0.postern(&["check", "--offline"]).exits(0);
        // It stops by itself where it starts, since its standard input ends.
        let ran = self.0.postern(&["run", "--supervised"]);
        assert_eq!(ran.code, 2, "{text}\n{}", ran.err);
        self.forget_the_run(&before);
    }

    /// Asserts that both commands accept a server file, and that `check` makes nothing.
    #[track_caller]
    fn accepted(&self, text: &str) {
        self.serve(text);
        let before = everything(self.0.path());
        self.0.postern(&["check"]).exits(0);
        assert_eq!(everything(self.0.path()), before, "{text}");
        self.0.postern(&["run", "--supervised"]).exits(0);
        self.forget_the_run(&before);
    }

    /// Removes what a run has made.
    fn forget_the_run(&self, before: &BTreeMap<String, Vec<u8>>) {
        for name in everything(self.0.path()).into_keys() {
            let path = self.0.path().join(&name);
            if !before.contains_key(&name) {
                let made = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
                made.unwrap_or_default();
            }
        }
    }
}

/// The name of everything in a folder, with what files hold.
fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                left.push(path.clone());
            }
            found.insert(name, fs::read(&path).unwrap_or_default());
        }
    }
    found
}

#[test]
fn a_good_server_file_passes_and_nothing_is_made() {
    let desk = Desk::new();
    desk.0
        .write("session", "0123456789abcdef0123456789abcdef\n");
    desk.serve(&format!(
        "listen: {{ address: \"127.0.0.1:0\", tls: {{ cert: file:one.pem, key: file:one.key, client_ca: file:two.pem }} }}\n\
         upstream: {{ url: \"https://localhost:9\", ca: file:two.pem, credential: file:short }}\n\
         keys: {{ sessions: [ {{ id: s1, secret: file:session }} ] }}\n\
         state: new/state\nstore: redb:new/state/x.redb\n\
         audit: {{ dir: new/state/audit, witnesses: [ {{ url: \"https://w.example\", key: {}, ca: file:one.pem }} ] }}\n",
        witness(),
    ));
    let before = everything(desk.0.path());
    desk.0.postern(&["check"]).exits(0);
    assert_eq!(everything(desk.0.path()), before);

    // What a run has made does not disturb it.
    desk.serve(&with(""));
    desk.0.postern(&["run", "--supervised"]).exits(0);
    let before = everything(desk.0.path());
    desk.0.postern(&["check"]).exits(0);
    assert_eq!(everything(desk.0.path()), before);
}

#[test]
fn certificates_that_cannot_be_used_are_found() {
    let desk = Desk::new();
    let listen =
        |tls: &str| format!("listen: {{ address: \"127.0.0.1:0\", tls: {{ {tls} }} }}\n{UPSTREAM}");
    let none = "file:none.pem";
    desk.refused(
        &listen(&format!("cert: {none}, key: file:one.key")),
        &["`listen.tls.cert`: there is no certificate in PEM in `none.pem`"],
    );
    desk.refused(
        &listen(&format!("cert: {none}, key: {none}, client_ca: {none}")),
        &[
            "`listen.tls.cert`: there is no certificate in PEM in `none.pem`",
            "`listen.tls.key`: ",
            "`listen.tls.client_ca`: there is no certificate in PEM in `none.pem`",
        ],
    );
    desk.refused(
        &listen("cert: file:gone, key: env:POSTERN_NO_SUCH_KEY"),
        &[
            "`listen.tls.cert`: cannot read `./gone`: there is no such file",
            "`listen.tls.key`: cannot read `env:POSTERN_NO_SUCH_KEY`",
        ],
    );
    desk.refused(
        &listen("cert: file:one.pem, key: file:two.key"),
        &["`listen.tls.cert`: the key in `two.key` is not that of the certificate in `one.pem`"],
    );
}

#[test]
fn an_upstream_that_cannot_be_used_is_found() {
    let desk = Desk::new();
    desk.refused(
        &format!(
            "{LISTEN}upstream: {{ url: \"https://localhost:9\", ca: file:none.pem, credential: file:lines }}\n"
        ),
        &[
            "`upstream`: the credential is not a header value",
            "`upstream.ca`: there is no certificate in PEM in `none.pem`",
        ],
    );
    desk.refused(
        &format!("{LISTEN}upstream: {{ url: \"http://localhost:9\", credential: file:gone }}\n"),
        &["`upstream.credential`: cannot read `./gone`"],
    );
}

#[test]
fn every_key_that_cannot_be_used_is_found() {
    let desk = Desk::new();
    desk.refused(
        &format!(
            "{LISTEN}{UPSTREAM}keys:\n  \
             pseudonym: [ {{ id: k2, secret: env:POSTERN_NO_PK2 }}, {{ id: k1, secret: env:POSTERN_NO_PK1 }} ]\n  \
             sessions: [ {{ id: s2, secret: env:POSTERN_NO_SK }}, {{ id: s1, secret: file:short }} ]\n"
        ),
        &[
            "`keys.pseudonym`: key `k2`: cannot read `env:POSTERN_NO_PK2`: the variable is not set",
            "`keys.pseudonym`: key `k1`: cannot read `env:POSTERN_NO_PK1`: the variable is not set",
            "`keys.sessions`: key `s2`: cannot read `env:POSTERN_NO_SK`: the variable is not set",
            "`keys.sessions`: key `s1`: shorter than 32 bytes",
        ],
    );
}

#[test]
fn witnesses_and_peers_that_cannot_be_used_are_found() {
    let desk = Desk::new();
    let audit = |what: &str| with(&format!("audit: {{ {what} }}"));
    desk.refused(
        &audit("peers: [ file:gone, file:none.pem ]"),
        &[
            "`audit.peers`: cannot read `./gone`: there is no such file",
            "`audit.peers`: `no PEM` is no key of a log",
        ],
    );
    desk.refused(
        &audit(&format!(
            "witnesses: [ {{ url: \"https://w.example\", key: {}, ca: file:none.pem }} ]",
            witness(),
        )),
        &["`audit.witnesses`: `audit.witnesses.ca`: there is no certificate in PEM in `"],
    );
}

#[test]
fn places_where_nothing_can_be_kept_are_found() {
    let desk = Desk::new();
    for (text, part) in [
        (
            with("state: short\naudit: { dir: elsewhere }\nstore: redb:x.redb"),
            "`state`: ",
        ),
        (
            with("state: short/below\naudit: { dir: elsewhere }\nstore: redb:x.redb"),
            "`state`: ",
        ),
        (with("audit: { dir: short }"), "`audit.dir`: "),
        (
            with("store: redb:nodir/x.redb"),
            "`store`: the quota store `./nodir/x.redb` cannot be opened: ",
        ),
        (
            at_socket("nodir/p.sock"),
            "`listen`: cannot listen on `unix:nodir/p.sock`: ",
        ),
    ] {
        desk.refused(&text, &[part]);
    }
    fs::create_dir(desk.0.path().join("folder")).unwrap();
    desk.refused(&with("store: redb:folder"), &["`store`: "]);
    // Nobody opens a store where nothing is counted.
    let (counts_nothing, _) = POLICY.split_once("quotas:").unwrap();
    desk.0.write("policy.yaml", counts_nothing);
    desk.serve(&with("store: redb:nodir/x.redb"));
    desk.0.postern(&["check"]).exits(0);
}

#[test]
fn sessions_that_cannot_be_kept_are_found() {
    let desk = Desk::new();
    desk.0.write("policy.yaml", SESSIONS);
    desk.refused(
        &with("store: redis://127.0.0.1:9"),
        &["`store`: sessions in a shared store need a key that all replicas have"],
    );
    desk.refused(
        &with("store: redb:nodir/x.redb"),
        &["`store`: the session store `./nodir/x-sessions.redb` cannot be opened: "],
    );
}

#[test]
fn a_store_may_lie_in_a_state_folder_that_is_still_to_be_made_however_its_path_is_written() {
    let desk = Desk::new();
    for more in [
        "state: data/../state\nstore: redb:state/x.redb",
        "state: ./state\nstore: redb:other/../state/./x.redb\naudit: { dir: other/audit }",
        "state: a/b/c\nstore: redb:a/./b/x.redb",
    ] {
        desk.accepted(&with(more));
    }
    desk.refused(
        &with("state: a/b/../c\nstore: redb:a/d/x.redb"),
        &["`store`: "],
    );
}

#[test]
fn names_that_nothing_can_be_made_under_are_found() {
    let desk = Desk::new();
    std::os::unix::fs::symlink("nowhere", desk.0.path().join("link")).unwrap();
    let long = "s".repeat(120);
    for path in ["short", &long, "link"] {
        let part = format!("`listen`: cannot listen on `unix:{path}`: ");
        desk.refused(&at_socket(path), &[&part]);
    }
    desk.refused(
        &with("state: link\naudit: { dir: elsewhere }\nstore: redb:x.redb"),
        &["`state`: "],
    );
    desk.refused(&with("audit: { dir: link/below }"), &["`audit.dir`: "]);
    // A socket of a process that is gone is removed.
    drop(std::os::unix::net::UnixListener::bind(desk.0.path().join("old.sock")).unwrap());
    desk.serve(&at_socket("old.sock"));
    desk.0.postern(&["check"]).exits(0);
}

#[test]
fn a_process_that_is_given_its_socket_needs_no_folder_for_it() {
    let desk = Desk::new();
    let text = format!("listen: unix:nodir/p.sock\n{UPSTREAM}policy: policy.yaml\n");
    let server = Server::parse("s", &text).unwrap();
    Postern::check(&server, desk.0.path()).unwrap();
}
