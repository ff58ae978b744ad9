//! Watches the folders that files lie in: Kubernetes replaces a mounted file by swapping a symbolic
//! link beside it, editors by renaming, and neither touches the file that is open.
//!
//! A watch only announces; what changed is found by reading. Without one (some file systems have none)
//! the reloading task still looks every few seconds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::load::base_of;

/// A watch on a changing set of folders.
pub(super) struct FolderWatch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    changes: mpsc::Receiver<()>,
}

impl FolderWatch {
    pub(super) fn new() -> Self {
        // One slot: a change that is announced and not yet seen stands for all that follow it.
        let (announce, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = event.is_ok_and(|event| is_change(&event.kind));
            if matters {
                // A full slot announces this change too. Nothing is logged here: a log that lies in a
                // watched folder would wake us by its own lines for ever.
                announce.try_send(()).unwrap_or_default();
            }
        });
        Self {
            watcher: watcher.map_err(|error| unwatched(&error)).ok(),
            folders: BTreeSet::new(),
            changes,
        }
    }

    /// Watches the folders of these files, and of what symbolic links there lead to, and no others.
    pub(super) fn aim(&mut self, files: &[PathBuf]) {
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

fn folders_of(file: &Path) -> BTreeSet<PathBuf> {
    let target = file.canonicalize().ok();
    std::iter::once(file)
        .chain(target.as_deref())
        .map(|file| base_of(file).to_owned())
        .collect()
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
