//! How a log is opened.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::disk::{Disk, SystemDisk};

/// A segment of the write-ahead log is followed by another when it is this long.
const SEGMENT_BYTES: u64 = 64 << 20;
/// How many entries may wait.
const QUEUE_ENTRIES_MAX: usize = 65_536;
/// How often what is new is published.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// What is done about a log that is damaged or was rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// It is not opened.
    Refuse,
    /// It is set aside whole, and a log with another origin begins, whose first entry holds the last
    /// checkpoint of the old one.
    BeginAnother,
}

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// The log's folder.
    pub disk: Arc<dyn Disk>,
    /// The folder of the private key; it need not be the log's.
    pub seed_disk: Arc<dyn Disk>,
    /// The file of the private key in its folder: 32 bytes, mode 0600. Made when there is no log yet.
    pub seed_name: String,
    /// What origins of new logs begin with, such as `audit.example.org`; the rest is unique.
    pub domain: String,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// A segment of the write-ahead log is followed by another when it is this long.
    pub segment_bytes: u64,
    /// How many entries may wait before appending waits too.
    pub queue_entries_max: usize,
    /// How often what is new is published; never, unless asked, when absent.
    pub publish_every: Option<Duration>,
    /// The largest size that somebody elsewhere, such as a witness, knows this log to have had.
    pub witnessed_size: Option<u64>,
    /// The size at which somebody elsewhere, such as a witness, knows this log to have had another tree.
    pub forked_size: Option<u64>,
    /// What is done about damage.
    pub on_damage: OnDamage,
}

impl LogSettings {
    /// The log in a folder, which has to be there, with its private key in a file.
    #[must_use]
    pub fn new(folder: &Path, seed_file: &Path, domain: &str) -> Self {
        let seed_folder = seed_file
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        let seed_folder = seed_folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        let seed_name = seed_file
            .file_name()
            .unwrap_or_else(|| OsStr::new("audit.seed"));
        Self {
            disk: Arc::new(SystemDisk::new(folder.to_path_buf())),
            seed_disk: Arc::new(SystemDisk::new(seed_folder)),
            seed_name: seed_name.to_string_lossy().into_owned(),
            domain: domain.to_owned(),
            clock: Arc::new(SystemClock),
            segment_bytes: SEGMENT_BYTES,
            queue_entries_max: QUEUE_ENTRIES_MAX,
            publish_every: Some(PUBLISH_EVERY),
            witnessed_size: None,
            forked_size: None,
            on_damage: OnDamage::Refuse,
        }
    }
}
