//! A folder in memory that does what it is told: it counts its calls, fails any one of them, runs full,
//! and forgets what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use postern_audit::{Access, Disk, DiskFile, Listed, Lock};

use crate::faults::{Call, Faults};

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeSet<String>,
    faults: Faults,
    /// How many bytes still fit; unlimited when absent.
    room: Option<usize>,
    locked: bool,
    /// The largest piece of a segment that was read at once.
    most_read: usize,
    /// After this file is read, these are there.
    then: Option<(String, BTreeMap<String, Vec<u8>>)>,
}

/// The folder; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<State>>);

impl MemoryDisk {
    pub(crate) fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::default();
        disk.state().files = files;
        disk
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().files.clone()
    }

    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        self.state().files.insert(path.to_owned(), bytes);
    }

    /// Removes a file behind everybody's back.
    pub(crate) fn take_out(&self, path: &str) {
        self.state().files.remove(path).unwrap();
    }

    /// Fails the call of a kind that comes after this many others of the kind, once.
    pub(crate) fn fail(&self, call: Call, after: usize) {
        self.state().faults.fail(call, after);
    }

    /// Whether the call that was to fail has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().faults.has_failed()
    }

    /// The same, with what the system says then, by its number.
    pub(crate) fn fail_saying(&self, saying: i32, call: Call, after: usize) {
        self.state().faults.fail_saying(Some(saying), call, after);
    }

    /// Lets only this many more bytes be written; `None` for as many as there are.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.state().room = room;
    }

    /// Puts other files in place of all, once a file has been read.
    pub(crate) fn change_after(&self, path: &str, files: BTreeMap<String, Vec<u8>>) {
        self.state().then = Some((path.to_owned(), files));
    }

    /// The largest piece of a segment that was read at once.
    pub(crate) fn most_read(&self) -> usize {
        self.state().most_read
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn note_read(&self, path: &str, bytes: usize) {
        if path.ends_with(".seg") {
            let mut state = self.state();
            state.most_read = state.most_read.max(bytes);
        }
    }

    fn enter(&self, call: Call) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.faults.enter(call)?;
        Ok(state)
    }
}

fn missing() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Disk for MemoryDisk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        let bytes = state.files.get(path).cloned().ok_or_else(missing)?;
        if let Some((_, files)) = state.then.take_if(|(when, _)| when == path) {
            state.files = files;
        }
        drop(state);
        self.note_read(path, bytes.len());
        Ok(bytes)
    }

    fn read_from(&self, path: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let state = self.state();
        let bytes = state.files.get(path).ok_or_else(missing)?;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let to = from.saturating_add(bytes_max).min(bytes.len());
        let read = bytes[from..to].to_vec();
        drop(state);
        self.note_read(path, read.len());
        Ok(read)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let state = self.state();
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let mut found = BTreeMap::new();
        for path in state.files.keys() {
            if let Some(rest) = path.strip_prefix(&prefix) {
                let (name, is_folder) = match rest.split_once('/') {
                    Some((name, _)) => (name, true),
                    None => (rest, false),
                };
                found.insert(name.to_owned(), is_folder);
            }
        }
        let listed = found.into_iter();
        Ok(listed
            .map(|(name, is_folder)| Listed { name, is_folder })
            .collect())
    }

    fn create(&self, path: &str, _access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.enter(Call::Create)?;
        if state.files.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.files.insert(path.to_owned(), Vec::new());
        Ok(Box::new(MemoryFile(self.clone(), path.to_owned())))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let state = self.enter(Call::Open)?;
        state.files.get(path).ok_or_else(missing)?;
        Ok(Box::new(MemoryFile(self.clone(), path.to_owned())))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.enter(Call::Rename)?;
        let below = format!("{from}/");
        let moved: Vec<String> = state
            .files
            .keys()
            .filter(|path| *path == from || path.starts_with(&below))
            .cloned()
            .collect();
        if moved.is_empty() && !state.folders.remove(from) {
            return Err(missing());
        }
        for path in moved {
            let bytes = state.files.remove(&path).unwrap();
            let path = format!("{to}{}", path.strip_prefix(from).unwrap());
            state.files.insert(path, bytes);
        }
        state
            .folders
            .retain(|path| !path.starts_with(&below) && path != from);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.enter(Call::Remove)?;
        state.files.remove(path).map(drop).ok_or_else(missing)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.state().folders.remove(path);
        Ok(())
    }

    fn create_folder(&self, path: &str) -> io::Result<bool> {
        let mut state = self.enter(Call::CreateFolder)?;
        Ok(state.folders.insert(path.to_owned()))
    }

    fn sync_folder(&self, _path: &str) -> io::Result<()> {
        self.enter(Call::SyncFolder).map(drop)
    }

    fn lock(&self, _path: &str) -> io::Result<Box<dyn Lock>> {
        let mut state = self.state();
        if state.locked {
            return Err(ErrorKind::WouldBlock.into());
        }
        state.locked = true;
        Ok(Box::new(Held(self.clone())))
    }
}

#[derive(Debug)]
struct Held(MemoryDisk);

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

#[derive(Debug)]
struct MemoryFile(MemoryDisk, String);

impl DiskFile for MemoryFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.enter(Call::Write)?;
        let room = state.room.unwrap_or(usize::MAX);
        let written = bytes.len().min(room);
        if written == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        if let Some(room) = &mut state.room {
            *room -= written;
        }
        let file = state.files.get_mut(&self.1).ok_or_else(missing)?;
        let from = usize::try_from(offset).unwrap();
        let to = from + written;
        if file.len() < to {
            file.resize(to, 0);
        }
        file[from..to].copy_from_slice(&bytes[..written]);
        Ok(written)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.0.enter(Call::Truncate)?;
        let file = state.files.get_mut(&self.1).ok_or_else(missing)?;
        file.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.enter(Call::Sync).map(drop)
    }
}
