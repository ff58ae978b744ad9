//! Opening the log: what its witnesses know is asked first, so that a log that was rolled back never writes.

use std::path::Path;
use std::sync::Arc;

use postern_audit::{Disk, Log, LogError, LogSettings, OnDamage, SystemDisk};
use postern_config::server::AuditLog;
use prometheus::Registry;

use super::anchors::Anchors;
use super::keyed_hash::HashKey;
use super::receipts::Receipts;
use super::space::Space;
use super::witnesses::Known;
use super::{Evidence, EvidenceError, Heartbeat, Kept, WallClock, heartbeat, retention, witnesses};
use crate::clock::Clock;
use crate::private_file;

/// The private key's file, in the state folder.
const SEED_FILE: &str = "audit.seed";
/// The one that is to follow, while a key is rotated.
const NEXT_SEED_FILE: &str = "audit.seed.next";

/// What opening a log needs.
#[derive(Debug, Clone)]
pub(crate) struct Opening<'a> {
    /// What the server file says about it.
    pub(crate) audit: &'a AuditLog,
    /// What is done about damage.
    pub(crate) on_damage: OnDamage,
    /// Where relative paths start from.
    pub(crate) base: &'a Path,
    /// The state folder, which has to be there.
    pub(crate) state: &'a Path,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the log's files are kept, if not on the disk of its folder.
    pub(crate) disk: Option<Arc<dyn Disk>>,
}

impl Evidence {
    /// Opens the log and starts what goes on by itself: the sign of life, asking witnesses, pruning. It
    /// all ends with the last clone. `registry` gets to know whether the log is anchored.
    ///
    /// # Errors
    /// See [`EvidenceError`]: at start that is fatal.
    pub(crate) async fn start(
        opening: Opening<'_>,
        registry: &Registry,
    ) -> Result<Self, EvidenceError> {
        let anchors = Anchors::new(&opening)?;
        anchors.register(registry);
        let folder = opening.folder()?;
        let disk = opening.disk_of(&folder);
        let known = witnesses::ask_before_opening(anchors.witnesses(), disk).await?;
        let Opening {
            audit,
            on_damage,
            base,
            state,
            clock,
            disk,
        } = opening;
        let (audit, base, state) = (audit.clone(), base.to_owned(), state.to_owned());
        let open = move || {
            let opening = Opening {
                audit: &audit,
                on_damage,
                base: &base,
                state: &state,
                clock,
                disk,
            };
            Self::open_knowing(opening, anchors, known)
        };
        let opened = tokio::task::spawn_blocking(open).await;
        let evidence = opened.map_err(|_panicked| EvidenceError::Fault)??;
        evidence.keep_alive();
        Ok(evidence)
    }

    /// Opens the log and asks nobody. It reads, writes and syncs files.
    ///
    /// # Errors
    /// See [`EvidenceError`].
    #[cfg(test)]
    pub(crate) fn open(
        audit: &AuditLog,
        on_damage: OnDamage,
        (base, state): (&Path, &Path),
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EvidenceError> {
        let opening = Opening {
            audit,
            on_damage,
            base,
            state,
            clock,
            disk: None,
        };
        let anchors = Anchors::new(&opening)?;
        Self::open_knowing(opening, anchors, Known::default())
    }

    fn open_knowing(
        opening: Opening<'_>,
        anchors: Anchors,
        known: Known,
    ) -> Result<Self, EvidenceError> {
        let folder = opening.folder()?;
        let hash_key = HashKey::read_or_make(opening.state)?;
        refuse_shared_seeds(opening.state)?;
        let mut settings = opening.settings(&folder);
        settings.witnessed_size = known.size;
        settings.forked_size = known.forked;
        let log = Log::open(settings)?;
        let audit = opening.audit;
        let receipts = Receipts::new(audit.receipts, log.origin());
        let kept = Kept {
            log,
            hash_key,
            heartbeat: Heartbeat::default(),
            space: Space::of(&folder),
            anchors,
            receipts,
            keep: audit.keep,
            tally: Arc::default(),
        };
        Ok(Self {
            kept: Some(Arc::new(kept)),
            clock: opening.clock,
        })
    }

    /// Signs with another key from now on; that key, and the index of the entry that says so. Nothing when no
    /// log is kept. It waits for a sync.
    pub(crate) fn rotate_key(&self) -> Option<Result<(String, u64), LogError>> {
        let log = &self.kept.as_ref()?.log;
        let rotated = log.rotate_key().map(|receipt| {
            let key = log.keys().last().map(ToString::to_string);
            (key.unwrap_or_default(), receipt.index)
        });
        Some(rotated)
    }

    fn keep_alive(&self) {
        let Some(kept) = &self.kept else {
            return;
        };
        let weak = || Arc::downgrade(kept);
        tokio::spawn(heartbeat::run(weak(), Arc::clone(&self.clock)));
        tokio::spawn(witnesses::run(weak(), Arc::clone(&self.clock)));
        if let Some(keep) = kept.keep {
            tokio::spawn(retention::run(weak(), keep));
        }
    }
}

impl Opening<'_> {
    /// The log's folder, which is made when it is not there.
    fn folder(&self) -> Result<std::path::PathBuf, EvidenceError> {
        let folder = self.base.join(&self.audit.dir);
        std::fs::create_dir_all(&folder).map_err(|error| EvidenceError::Folder {
            path: folder.display().to_string(),
            error,
        })?;
        Ok(folder)
    }

    fn disk_of(&self, folder: &Path) -> Arc<dyn Disk> {
        let system = || Arc::new(SystemDisk::new(folder.to_owned())) as Arc<dyn Disk>;
        self.disk.clone().unwrap_or_else(system)
    }

    /// How the log in its folder is opened, as far as the server file says.
    fn settings(&self, folder: &Path) -> LogSettings {
        let seed = self.state.join(SEED_FILE);
        let mut settings = LogSettings::new(folder, &seed, &self.audit.domain);
        settings.clock = Arc::new(WallClock(Arc::clone(&self.clock)));
        settings.on_damage = self.on_damage;
        settings.publish_every = Some(self.audit.checkpoint);
        settings.disk = self.disk_of(folder);
        settings
    }
}

/// SECURITY: whoever can read a seed can sign another log in this one's name.
fn refuse_shared_seeds(state: &Path) -> Result<(), EvidenceError> {
    for name in [SEED_FILE, NEXT_SEED_FILE] {
        let path = state.join(name);
        private_file::refuse_shared(&path).map_err(|message| EvidenceError::Seed {
            path: path.display().to_string(),
            message,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use postern_config::Server;

    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn refuses_a_seed_that_others_can_read_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let server = "listen: \"127.0.0.1:0\"\nupstream: \"http://127.0.0.1:1\"\npolicy: p.yaml\n";
        let audit = Server::parse("postern.yaml", server)
            .unwrap()
            .audit
            .unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        let open = || {
            let places = (folder.path(), state.as_path());
            Evidence::open(&audit, OnDamage::Refuse, places, Arc::new(SystemClock))
        };
        open().unwrap().close().await;
        fs::copy(state.join(SEED_FILE), state.join(NEXT_SEED_FILE)).unwrap();
        for (name, mode) in [
            (SEED_FILE, 0o660),
            (SEED_FILE, 0o604),
            (NEXT_SEED_FILE, 0o640),
        ] {
            let seed = state.join(name);
            fs::set_permissions(&seed, Permissions::from_mode(mode)).unwrap();
            let told = open().unwrap_err().to_string();
            for said in [
                name,
                "others can read it",
                "chmod 600",
                "fsGroupChangePolicy",
            ] {
                assert!(told.contains(said), "{told}");
            }
            fs::set_permissions(&seed, Permissions::from_mode(0o600)).unwrap();
        }
        fs::remove_file(state.join(NEXT_SEED_FILE)).unwrap();
        open().unwrap().close().await;
    }
}
