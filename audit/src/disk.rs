//! Files as the log uses them: a small trait, so that tests can make every call fail, and the one
//! implementation that talks to the system. Paths are relative to the folder that the disk stands for.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only the owner: mode 0600.
    Private,
    /// Whoever may read the folder: mode 0644, less the process's mask.
    Public,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// A file that is being written.
pub trait DiskFile: Send + Debug {
    /// Writes at an offset and says how much was written, which may be less than was given.
    ///
    /// # Errors
    /// As the system says.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file to a length.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Returns when what was written is durable (`fdatasync`).
    ///
    /// # Errors
    /// As the system says. What was written since the last success is then lost or not; nobody knows.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder.
pub trait Disk: Send + Sync + Debug {
    /// Reads a whole file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Reads at most this many bytes from an offset; fewer at the end of the file.
    ///
    /// # Errors
    /// As the system says.
    fn read_from(&self, path: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>>;

    /// What is in a folder, in any order; a folder that is not there is empty.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, folder: &str) -> io::Result<Vec<Listed>>;

    /// Makes a new file (`O_EXCL`).
    ///
    /// # Errors
    /// As the system says, and when the file is there.
    fn create(&self, path: &str, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file that is there, for writing.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, in place of whatever has it.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// As the system says.
    fn remove_folder(&self, path: &str) -> io::Result<()>;

    /// Makes one folder, and says whether it was not there before.
    ///
    /// # Errors
    /// As the system says.
    fn create_folder(&self, path: &str) -> io::Result<bool>;

    /// Returns when the names in a folder are durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_folder(&self, path: &str) -> io::Result<()>;

    /// Takes a lock that lasts as long as what is returned, and as the process.
    ///
    /// # Errors
    /// `WouldBlock` when somebody else holds it, and as the system says.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>>;
}

/// A lock that is held.
pub trait Lock: Send + Sync + Debug {}

impl Lock for File {}

impl DiskFile for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A file that is read whole is no longer than this: a full bundle has less than 17 MiB.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// A folder of the system's.
#[derive(Debug, Clone)]
pub struct SystemDisk {
    folder: PathBuf,
}

impl SystemDisk {
    /// The folder at a path, which has to be there.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

impl Disk for SystemDisk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.at(path))?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        // SECURITY: a folder that somebody hands over may hold a file that no memory can.
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    fn read_from(&self, path: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.at(path))?;
        let mut bytes = vec![0; bytes_max];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(&file, rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let listing = match fs::read_dir(self.at(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing?,
        };
        let mut found = Vec::new();
        for item in listing {
            let item = item?;
            found.push(Listed {
                name: item.file_name().to_string_lossy().into_owned(),
                is_folder: item.file_type()?.is_dir(),
            });
        }
        Ok(found)
    }

    fn create(&self, path: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mode = match access {
            Access::Private => 0o600,
            Access::Public => 0o644,
        };
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(self.at(path))?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(
            OpenOptions::new().write(true).open(self.at(path))?,
        ))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.at(path))
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        fs::remove_dir(self.at(path))
    }

    fn create_folder(&self, path: &str) -> io::Result<bool> {
        match fs::create_dir(self.at(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        File::open(self.at(path))?.sync_all()
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Lock>> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.at(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
