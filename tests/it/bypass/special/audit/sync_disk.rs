//! A folder of the system's that knows which bytes of the write-ahead log were synced, can lose the
//! others, and fails a sync when told to.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use postern_audit::{Access, Disk, DiskFile, Listed, Lock, SystemDisk};

#[derive(Debug, Default)]
struct State {
    /// The length of each segment that is durable.
    synced: BTreeMap<String, u64>,
    fails: bool,
    since_failure: Option<usize>,
}

/// The folder; clones share what is known of it.
#[derive(Debug, Clone)]
pub(super) struct SyncDisk {
    folder: PathBuf,
    system: SystemDisk,
    state: Arc<Mutex<State>>,
}

impl SyncDisk {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            system: SystemDisk::new(folder.to_owned()),
            state: Arc::default(),
        }
    }

    /// The next sync of a segment fails, once.
    pub(super) fn fail_next_sync(&self) {
        self.state().fails = true;
    }

    /// How many syncs of segments came after the one that failed.
    pub(super) fn syncs_since_failure(&self) -> usize {
        self.state().since_failure.unwrap_or_default()
    }

    /// The power goes: of each segment what was not synced is gone. How many bytes that was.
    pub(super) fn lose_unsynced(&self) -> u64 {
        let mut lost = 0;
        for (path, synced) in &self.state().synced {
            let opened = OpenOptions::new().write(true).open(self.folder.join(path));
            let Ok(file) = opened else {
                continue;
            };
            let length = file.metadata().expect("a length").len();
            if length > *synced {
                file.set_len(*synced).expect("a file");
                lost += length - synced;
            }
        }
        lost
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    fn watched(&self, path: &str, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        if !path.starts_with(".wal/") {
            return file;
        }
        let length = std::fs::metadata(self.folder.join(path)).map_or(0, |about| about.len());
        self.state().synced.insert(path.to_owned(), length);
        Box::new(SyncFile {
            disk: self.clone(),
            path: path.to_owned(),
            file,
            written: length,
        })
    }
}

impl Disk for SyncDisk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.system.read(path)
    }

    fn read_from(&self, path: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.system.read_from(path, offset, bytes_max)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        self.system.list(folder)
    }

    fn create(&self, path: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.watched(path, self.system.create(path, access)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.watched(path, self.system.open(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.system.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.system.remove(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.system.remove_folder(path)
    }

    fn create_folder(&self, path: &str) -> io::Result<bool> {
        self.system.create_folder(path)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.system.sync_folder(path)
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        self.system.lock(path)
    }
}

#[derive(Debug)]
struct SyncFile {
    disk: SyncDisk,
    path: String,
    file: Box<dyn DiskFile>,
    written: u64,
}

impl DiskFile for SyncFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(offset, bytes)?;
        self.written = self.written.max(offset + written as u64);
        Ok(written)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.written = length;
        self.file.truncate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        if let Some(since) = &mut state.since_failure {
            *since += 1;
        }
        if std::mem::take(&mut state.fails) {
            state.since_failure = Some(0);
            return Err(io::Error::other("told to fail"));
        }
        self.file.sync()?;
        state.synced.insert(self.path.clone(), self.written);
        Ok(())
    }
}
