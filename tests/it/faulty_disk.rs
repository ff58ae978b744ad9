//! A folder on the disk of which any one call fails when it is told to, once.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use postern_audit::{Access, Disk, DiskFile, Listed, Lock, SystemDisk};

// The same faults as in the tests of the log itself.
#[path = "../../audit/tests/it/faults.rs"]
mod faults;

use faults::Faults;
pub(crate) use faults::{CALLS, Call};

/// The folder; clones share what is to fail.
#[derive(Debug, Clone)]
pub(crate) struct FaultyDisk {
    disk: SystemDisk,
    faults: Arc<Mutex<Faults>>,
    /// The call panics instead of failing.
    panics: bool,
}

impl FaultyDisk {
    /// A folder whose calls all succeed, until it is told otherwise.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            disk: SystemDisk::new(folder),
            faults: Arc::default(),
            panics: false,
        }
    }

    /// The same, but what was to fail panics.
    pub(crate) fn that_panics(self) -> Self {
        Self {
            panics: true,
            ..self
        }
    }

    /// Fails the call of a kind that comes after this many others of the kind, once.
    pub(crate) fn fail(&self, call: Call, after: usize) {
        self.faults().fail(call, after);
    }

    /// Whether the call that was to fail has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.faults().has_failed()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    fn enter(&self, call: Call) -> io::Result<()> {
        let entered = self.faults().enter(call);
        assert!(
            entered.is_ok() || !self.panics,
            "the disk panics at {call:?}"
        );
        entered
    }

    fn watched(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile(file, self.clone()))
    }
}

impl Disk for FaultyDisk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn read_from(&self, path: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.disk.read_from(path, offset, bytes_max)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        self.disk.list(folder)
    }

    fn create(&self, path: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.enter(Call::Create)?;
        Ok(self.watched(self.disk.create(path, access)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        self.enter(Call::Open)?;
        Ok(self.watched(self.disk.open(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.enter(Call::Rename)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.enter(Call::Remove)?;
        self.disk.remove(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.disk.remove_folder(path)
    }

    fn create_folder(&self, path: &str) -> io::Result<bool> {
        self.enter(Call::CreateFolder)?;
        self.disk.create_folder(path)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.enter(Call::SyncFolder)?;
        self.disk.sync_folder(path)
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        self.disk.lock(path)
    }
}

#[derive(Debug)]
struct FaultyFile(Box<dyn DiskFile>, FaultyDisk);

impl DiskFile for FaultyFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        // What a failed write leaves is the beginning of what was to be written.
        if let Err(error) = self.1.enter(Call::Write) {
            drop(self.0.write_at(offset, &bytes[..bytes.len() / 2]));
            return Err(error);
        }
        self.0.write_at(offset, bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.1.enter(Call::Truncate)?;
        self.0.truncate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.enter(Call::Sync)?;
        self.0.sync()
    }
}
