//! Watches the folders that files lie in: Kubernetes replaces a mounted file by swapping a symbolic
//! link beside it, editors by renaming, and neither touches the file that is open.
//!
//! A watch only announces; what changed is found by reading. Without one (some file systems have none)
//! the reloading task still looks every few seconds.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::load::base_of;

/// A watch on a changing set of folders.
pub(super) struct FolderWatch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    names: Arc<Names>,
    announce: mpsc::Sender<()>,
    changes: mpsc::Receiver<()>,
}

impl FolderWatch {
    pub(super) fn new() -> Self {
        // One slot: a change that is announced and not yet seen stands for all that follow it.
        let (announce, changes) = mpsc::channel(1);
        let names = Arc::new(Names::default());
        let (ours, noticed) = (Arc::clone(&names), announce.clone());
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = event.is_ok_and(|event| ours.matters(&event));
            if matters {
                // A full slot announces this change too. Nothing is logged here: a log that lies in a
                // watched folder would wake us by its own lines for ever.
                noticed.try_send(()).unwrap_or_default();
            }
        });
        Self {
            watcher: watcher.map_err(|error| unwatched(&error)).ok(),
            folders: BTreeSet::new(),
            names,
            announce,
            changes,
        }
    }

    /// Watches the folders of these files, and of what symbolic links there lead to, and no others. `are_all`: no other
    /// file can matter, since these are in force.
    pub(super) fn aim(&mut self, files: &[PathBuf], are_all: bool) {
        if self.names.are_of(files, are_all) {
            // What was written there before its name was known went by unseen.
            self.announce.try_send(()).unwrap_or_default();
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let wanted: BTreeSet<PathBuf> = files.iter().flat_map(|file| folders_of(file)).collect();
        for gone in self.folders.difference(&wanted) {
            if watcher.unwatch(gone).is_err() {
                tracing::trace!("a folder that was watched is gone");
            }
        }
        // Those already watched are named again: a folder of the same name may be another one by now.
        let mut watched = BTreeSet::new();
        for folder in wanted {
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder);
                }
                Err(error) => unwatched(&error),
            }
        }
        self.folders = watched;
    }

    /// Waits for a change. Never returns when nothing can be watched.
    pub(super) async fn changed(&mut self) {
        if self.watcher.is_none() || self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Forgets a change that was announced meanwhile: the files are about to be read.
    pub(super) fn forget(&mut self) {
        while self.changes.try_recv().is_ok() {}
    }
}

/// What the files are called, and what symbolic links in their place lead to. None: any name could be that of one.
#[derive(Debug, Default)]
struct Names(Mutex<Option<BTreeSet<OsString>>>);

impl Names {
    /// The names are those of these files, or of any when they are not all. Says whether one is new.
    fn are_of(&self, files: &[PathBuf], are_all: bool) -> bool {
        let places = files.iter().flat_map(|file| places_of(file));
        let names = places.filter_map(|place| place.file_name().map(OsString::from));
        let names: Option<BTreeSet<OsString>> = are_all.then(|| names.collect());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, names);
        match (before, &*known) {
            (Some(before), Some(now)) => !now.is_subset(&before),
            (None, _) | (_, None) => false,
        }
    }

    /// Whether an event can have changed one of the files. What is written under another name cannot, but for a hard
    /// link, which is found by looking every few seconds; and a log that lies beside the policy is written all the
    /// time. Whatever else happens in the folder can.
    fn matters(&self, event: &Event) -> bool {
        if !is_writing(&event.kind) {
            return is_change(&event.kind);
        }
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(names) = &*names else {
            return true;
        };
        let is_ours = |path: &PathBuf| path.file_name().is_none_or(|name| names.contains(name));
        event.paths.is_empty() || event.paths.iter().any(is_ours)
    }
}

/// The file, and where symbolic links in its place lead to.
fn places_of(file: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(file.to_owned()).chain(file.canonicalize())
}

fn folders_of(file: &Path) -> BTreeSet<PathBuf> {
    let places = places_of(file);
    places.map(|file| base_of(&file).to_owned()).collect()
}

/// Whether something was written into a file that stays the same one.
fn is_writing(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Modify(ModifyKind::Data(_))
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
    )
}

/// Reading is not a change: our own reads would wake us for ever.
fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

fn unwatched(error: &notify::Error) {
    tracing::warn!(
        target: "postern::policy",
        %error,
        "the policy's folder cannot be watched; it is looked at every few seconds instead"
    );
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, RenameMode};

    use super::*;

    #[test]
    fn what_is_written_into_other_files_is_no_change() {
        let written = [
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
        ];
        let swapped = [
            EventKind::Create(CreateKind::File),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)),
        ];
        let names = Names::default();
        let of = |kind: &EventKind, path: &str| Event::new(*kind).add_path(PathBuf::from(path));
        for kind in &written {
            assert!(names.matters(&of(kind, "/p/a.log")), "no file is known");
        }
        let policy = [PathBuf::from("/p/policy.yaml")];
        assert!(
            !names.are_of(&policy, true),
            "nothing went by unseen before"
        );
        for kind in &written {
            assert!(names.matters(&of(kind, "/p/policy.yaml")));
            assert!(!names.matters(&of(kind, "/p/a.log")));
            assert!(
                names.matters(&Event::new(*kind)),
                "of what, it does not say"
            );
        }
        for kind in &swapped {
            assert!(names.matters(&of(kind, "/p/..data")));
        }
        names.are_of(&policy, false);
        for kind in &written {
            assert!(
                names.matters(&of(kind, "/p/keys.json")),
                "it may be the one that is broken"
            );
        }
    }

    #[test]
    fn a_name_that_is_new_is_told() {
        let (one, other) = (PathBuf::from("/p/one"), PathBuf::from("/p/other"));
        let names = Names::default();
        assert!(!names.are_of(&[one.clone(), other.clone()], true));
        assert!(!names.are_of(std::slice::from_ref(&one), true), "one less");
        assert!(names.are_of(&[one, other], true));
    }

    #[test]
    fn what_a_link_leads_to_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("v2.yaml");
        let link = folder.path().join("policy.yaml");
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let names = Names::default();
        names.are_of(&[link], true);
        let kind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert!(names.matters(&Event::new(kind).add_path(target)));
    }
}
