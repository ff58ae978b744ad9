//! The folder the demo works in: its policy, server file and keys, written so that they can be looked
//! at and changed while it runs.
//!
//! The policy is written once and then left alone, so that changes to it survive a restart; the rest
//! is written anew at each start. Everything is readable by its owner only. One demo at a time has the
//! folder: a second one would replace the keys under the first.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The demo's policy, as it is written at the first start.
pub const POLICY: &str = include_str!("policy.yaml");

/// Where everything listens in one run of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// The admin listener.
    pub admin: SocketAddr,
    /// The case API.
    pub api: SocketAddr,
}

/// What lies in the demo's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The server file.
    pub server_file: PathBuf,
    /// The policy.
    pub policy: PathBuf,
    /// The policy is not the one the demo comes with: somebody has changed it.
    pub policy_changed: bool,
}

/// The folder belongs to one demo for as long as this lives.
#[derive(Debug)]
pub(super) struct Claim(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// Makes the folder when it is not there, and claims it. Nothing: a demo that runs has it.
///
/// # Errors
/// What cannot be written, by name.
pub(super) fn claim(root: &Path) -> Result<Option<Claim>, (PathBuf, io::Error)> {
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(root)
        .map_err(|error| (root.to_path_buf(), error))?;
    let path = root.join("lock");
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let locked = opened.and_then(|file| match file.try_lock() {
        Ok(()) => Ok(Some(Claim(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    });
    locked.map_err(|error| (path, error))
}

/// What goes into the folder besides the policy.
pub(super) struct Contents<'a> {
    pub(super) addresses: Addresses,
    pub(super) key_set: &'a str,
    pub(super) pseudonym_key: &'a str,
}

impl Folder {
    /// Writes what belongs into a folder that was claimed.
    ///
    /// # Errors
    /// A file that cannot be written, by name.
    pub(super) fn write(
        root: &Path,
        contents: &Contents<'_>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let named = |path: &Path| {
            let path = path.to_path_buf();
            move |error| (path, error)
        };
        let put = |name: &str, text: &str| {
            let path = root.join(name);
            replace(&path, text).map_err(named(&path))?;
            Ok(path)
        };
        put("jwks.json", contents.key_set)?;
        put("pseudonym.key", contents.pseudonym_key)?;
        let server_file = put("postern.yaml", &server_text(contents.addresses))?;
        let policy = root.join("policy.yaml");
        let present = match fs::read_to_string(&policy) {
            Ok(present) => present,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                put("policy.yaml", POLICY)?;
                POLICY.to_owned()
            }
            Err(error) => return Err((policy, error)),
        };
        Ok(Self {
            server_file,
            policy,
            policy_changed: present != POLICY,
        })
    }
}

fn server_text(addresses: Addresses) -> String {
    let Addresses { listen, admin, api } = addresses;
    format!(
        "# Written by the demo at each start; changes are lost. The policy beside it is yours.\n\
         listen:   {listen}\n\
         upstream: http://{api}\n\
         policy:   policy.yaml\n\
         admin:    {admin}\n\
         state:    state\n\
         keys:     {{ pseudonym: [ {{ id: demo, secret: file:pseudonym.key }} ] }}\n"
    )
}

/// Writes a file so that a reader sees the old one or the new one, never half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENTS: Contents<'static> = Contents {
        addresses: Addresses {
            listen: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1),
            admin: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2),
            api: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3),
        },
        key_set: "{}",
        pseudonym_key: "k",
    };

    #[test]
    fn a_policy_somebody_changed_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("state/demo");
        let _claim = claim(&root).unwrap().unwrap();
        assert!(!Folder::write(&root, &CONTENTS).unwrap().policy_changed);
        fs::write(root.join("policy.yaml"), "mine").unwrap();
        assert!(Folder::write(&root, &CONTENTS).unwrap().policy_changed);
        assert_eq!(
            fs::read_to_string(root.join("policy.yaml")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let (path, _) = claim(&file.join("demo")).unwrap_err();
        assert_eq!(path, file.join("demo"));
    }

    #[test]
    fn a_folder_belongs_to_one_demo_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = claim(root.path()).unwrap();
        assert!(first.is_some());
        assert!(claim(root.path()).unwrap().is_none());
        drop(first);
        assert!(claim(root.path()).unwrap().is_some());
    }
}
