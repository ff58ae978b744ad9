//! A copy of the store, and the key of the server with it, are worth nothing without a handle: the
//! application's cookie is in neither, and what the key opens does not hold it.
//!
//! Both stores were filled by a Postern that ran and a client that logged in; nothing of either is made by hand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use postern_config::Sessions;
use postern_proxy::clock::{Clock as _, SystemClock};
use postern_proxy::session::{
    EmbeddedSessions, Handle, Lifetimes, NoSession, ServerKeys, SessionStore, SharedSessions, Vault,
};

use super::stage::{Held, KEY, alone, refused, replica, served};
use super::store::StoreServer;
use crate::origin::{self, SID};

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_the_server_with_the_key_opens_no_jar() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let process = replica(&store, origin).await;
    let held = Held::by_login(&process, "").await;
    assert_eq!(held.get(&process, "/own/1").await, served());
    let everything = store.everything().await;
    assert!(!everything.is_empty());
    hides(&everything, &held);
    // And all that was ever in it.
    hides(&files(store.folder()), &held);
    let opened = SharedSessions::open(&store.url(), Duration::from_secs(10)).await;
    opens_no_jar(
        Arc::new(opened.unwrap()),
        ServerKeys::of_secret(KEY.as_bytes()),
        &held,
    )
    .await;
    // Whoever can write to the store lets a handle of their own lead to the session: it opens nothing.
    let own = Handle::new([7; 32]);
    let [name, led] = pointers(&held, &own);
    store.tell(&["COPY", &led, &name]).await;
    let thief = Held(own.text());
    let unknown = refused(401, "session-missing");
    assert_eq!(thief.get(&process, "/own/1").await, unknown);
    assert_eq!(held.get(&process, "/own/1").await, served());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_folder_opens_no_jar() {
    let origin = origin::start().await;
    let process = alone(origin).await;
    let held = Held::by_login(&process, "").await;
    assert_eq!(held.get(&process, "/own/1").await, served());
    let folder = process.stopped();
    // The log of decisions, the audit log and the key are in it too.
    hides(&files(folder.path()), &held);
    let state = folder.path().join("state");
    let key: [u8; 32] = std::fs::read(state.join("session.key"))
        .unwrap()
        .try_into()
        .unwrap();
    let now = SystemClock.wall().duration_since(std::time::UNIX_EPOCH);
    let now = u64::try_from(now.unwrap().as_millis()).unwrap();
    let store = EmbeddedSessions::open(&sessions_in(&state), now).unwrap();
    opens_no_jar(Arc::new(store), ServerKeys::new(key), &held).await;
}

/// Whether a vault with the right key tells the application's cookie to nobody but the handle's holder.
async fn opens_no_jar(store: Arc<dyn SessionStore>, keys: ServerKeys, held: &Held) {
    let lifetimes = Lifetimes::of(&Sessions::default());
    let vault = Vault::new(keys, store, Arc::new(SystemClock), lifetimes);
    let records = vault.search(100, |_record| true).await.unwrap().records;
    assert!(!records.is_empty(), "the key opens the records");
    assert!(records.iter().any(|record| record.holder.subject == "ann"));
    for record in &records {
        let text = serde_json::to_value(record).unwrap();
        assert_ne!(text["jar"], "", "there is a jar");
        hides(&[text.to_string().into_bytes()], held);
    }
    let guessed = vault.open(&Handle::new([0; 32])).await.unwrap_err();
    assert_eq!(guessed, NoSession::Missing);
    // It is there, and whoever holds the handle finds it.
    let handle = Handle::parse(held.0.as_bytes()).unwrap();
    let session = vault.open(&handle).await.unwrap();
    assert!(found(session.jar(), SID.as_bytes()).is_some());
}

/// Whether neither the application's cookie nor the handle is in any of these, in any usual encoding.
fn hides(all: &[Vec<u8>], held: &Held) {
    let handle = Handle::parse(held.0.as_bytes()).unwrap();
    for bytes in all {
        for secret in [SID.as_bytes(), held.0.as_bytes(), handle.bytes()] {
            assert_eq!(found(bytes, secret), None);
        }
    }
}

/// The encoding in which a secret is in these bytes.
fn found(bytes: &[u8], secret: &[u8]) -> Option<&'static str> {
    let holds = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
    let of_base64 = |text: &str| {
        // Wherever it begins in what was encoded, all but its ends is the same.
        holds(&text.as_bytes()[4..text.len() - 4])
    };
    let shifted = (0..3).map(|shift| [&b"???"[..shift], secret].concat());
    let mut base64 =
        shifted.flat_map(|text| [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
    if holds(secret) {
        return Some("plain");
    }
    let hex = hex::encode(secret);
    if holds(hex.as_bytes()) || holds(hex.to_uppercase().as_bytes()) {
        return Some("hex");
    }
    if base64.any(|text| of_base64(&text)) {
        return Some("base64");
    }
    // As JSON writes bytes that need not be text.
    let numbers: Vec<String> = secret.iter().map(u8::to_string).collect();
    holds(numbers.join(",").as_bytes()).then_some("numbers")
}

#[test]
fn a_secret_would_be_found_in_every_encoding() {
    let secret = SID.as_bytes();
    let plain = [b"a=", secret, b";"].concat();
    assert_eq!(found(&plain, secret), Some("plain"));
    assert_eq!(found(hex::encode(&plain).as_bytes(), secret), Some("hex"));
    for before in 0..3 {
        let text = [&b"xyz"[..before], &plain].concat();
        let encoded = STANDARD_NO_PAD.encode(text);
        assert_eq!(found(encoded.as_bytes(), secret), Some("base64"));
    }
    let numbers = serde_json::to_vec(&plain).unwrap();
    assert_eq!(found(&numbers, secret), Some("numbers"));
    assert_eq!(found(b"something else", secret), None);
}

/// The names under which the store finds a session by a new handle, and by the one that is held.
fn pointers(held: &Held, own: &Handle) -> [String; 2] {
    let held = Handle::parse(held.0.as_bytes()).unwrap();
    [own, &held].map(|handle| format!("postern:{{sessions}}:h:{}", hex::encode(handle.digest())))
}

/// The sessions' file in a state folder.
fn sessions_in(state: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(state).unwrap().map(|file| file.unwrap());
    let sessions = files.find(|file| {
        let name = file.file_name();
        name.to_string_lossy().ends_with("-sessions.redb")
    });
    sessions.expect("sessions in a file").path()
}

/// The content of every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut content = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => content.extend(files(&path)),
            false => content.push(std::fs::read(&path).unwrap()),
        }
    }
    assert!(!content.is_empty());
    content
}
