//! Starts the two applications from their installers.
//!
//! `POSTERN_APPS` names the folder with the installers, by default `../shared/apps` from the repository. Where there
//! are none, or they cannot install (they ask a package index), what needs an application says that it did not run;
//! with `POSTERN_REQUIRE_APPS=1` it fails. So does what needs a browser. What is installed lies under `target/desks` and stays there, so that only the first start takes a minute. There is one of each
//! application at a time; whoever wants a second one waits.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::desk::Desk;

/// A running application. It is ended when it is dropped, and when the test's process ends in any other way.
pub(super) struct Application {
    address: SocketAddr,
    /// A shell that waits for its input to end, and then ends the application.
    keeper: Child,
    /// Locked for as long as the application runs.
    _turn: File,
}

impl Application {
    /// Starts a fresh one that is known to browsers by this URL; none where there is no installer.
    pub(super) async fn start(desk: Desk, public_url: &str) -> Option<Self> {
        let script = installer(desk)?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = repository.join("target/desks").join(desk.name());
        fs::create_dir_all(&folder).unwrap();
        let turn = turn(folder.join("turn")).await;
        let address = free_address();
        let keeper = keeper(&folder.join("apps").join(desk.name()).join("pid"));
        let log = File::create(folder.join("start.log")).unwrap();
        let ended = tokio::process::Command::new("bash")
            .arg(script)
            .arg(address.port().to_string())
            .env("APPS_DIR", &folder)
            .env("PUBLIC_URL", public_url)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .status()
            .await
            .unwrap();
        let application = Self {
            address,
            keeper,
            _turn: turn,
        };
        if !ended.success() {
            let said = fs::read_to_string(folder.join("start.log")).unwrap_or_default();
            not_here(&format!("{} does not start:\n{said}", desk.name()));
            return None;
        }
        Some(application)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ended = self.keeper.wait();
    }
}

fn installer(desk: Desk) -> Option<PathBuf> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("POSTERN_APPS").map_or_else(
        || repository.join("../shared/apps"),
        |given| repository.join(given),
    );
    let script = folder.join(format!("{}.sh", desk.name()));
    if script.is_file() {
        return Some(script);
    }
    not_here(&format!(
        "no installer of {} (see POSTERN_APPS)",
        desk.name()
    ));
    None
}

/// Says that something did not run for want of what it needs, or fails where everything has to be there.
pub(super) fn not_here(what: &str) {
    let required = std::env::var("POSTERN_REQUIRE_APPS").is_ok_and(|is| is == "1");
    assert!(!required, "{what}");
    println!("did not run: {what}");
}

async fn turn(path: PathBuf) -> File {
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::create(path).unwrap();
        file.lock().unwrap();
        file
    });
    waiting.await.unwrap()
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn keeper(pid: &Path) -> Child {
    // A number of a former process must not be ended by the installer.
    let _gone = fs::remove_file(pid);
    Command::new("sh")
        .args([
            "-c",
            "cat >/dev/null; kill \"$(cat \"$1\")\"; rm -f \"$1\"",
            "keeper",
        ])
        .arg(pid)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
