//! Reads one file of a closure, bounded, and only if not just anybody may change it.
//!
//! The checks are made on the opened file, so that what was checked is what is read. It does not judge
//! the owner: a file mounted into a container keeps the number of a user that does not exist there.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{LoadError, base_of};

/// Reads a regular file of at most `bytes_max` bytes.
pub(super) fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, LoadError> {
    let refuse = |message: String| LoadError::Read {
        path: path.display().to_string(),
        message,
    };
    // Looked at before it is opened too: opening a pipe would wait for its writer.
    let before = std::fs::metadata(path).map_err(|error| refuse(plain(&error)))?;
    regular(&before).map_err(refuse)?;
    let file = File::open(path).map_err(|error| refuse(plain(&error)))?;
    let opened = file.metadata().map_err(|error| refuse(plain(&error)))?;
    regular(&opened).map_err(refuse)?;
    not_anybodys(path, &opened).map_err(refuse)?;

    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(plain(&error)))?;
    if bytes.len() > bytes_max {
        return Err(refuse(format!("larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// The error of the operating system without its number.
fn plain(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else if error.kind() == ErrorKind::PermissionDenied {
        "permission denied".to_owned()
    } else {
        error.to_string().to_lowercase()
    }
}

fn regular(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err("not a regular file".to_owned())
    }
}

/// Refuses a file that every user of the machine may change, directly or by replacing it.
#[cfg(unix)]
fn not_anybodys(path: &Path, opened: &Metadata) -> Result<(), String> {
    let target = path.canonicalize().map_err(|error| plain(&error))?;
    if is_anybodys(opened) && !is_read_only(&target) {
        return Err("anybody may write it; take that away with `chmod o-w`".to_owned());
    }
    // Where the name is, and where a symbolic link leads: either folder decides what is read.
    for folder in [base_of(path), base_of(&target)] {
        let metadata = std::fs::metadata(folder).map_err(|error| plain(&error))?;
        if is_anybodys(&metadata) && !is_read_only(folder) {
            return Err(format!(
                "anybody may replace it, as its folder `{}` is writable by all; take that away with `chmod o-w`",
                folder.display()
            ));
        }
    }
    Ok(())
}

/// Whether others may write a file, or replace what lies in a folder: in a sticky one they may not.
#[cfg(unix)]
fn is_anybodys(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;

    let mode = metadata.permissions().mode();
    mode & OTHERS_WRITE != 0 && !(metadata.is_dir() && mode & STICKY != 0)
}

/// Whether nobody can write here whatever the permissions say: Kubernetes mounts a ConfigMap as a folder
/// that is writable by all, read-only.
#[cfg(unix)]
fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path)
        .is_ok_and(|mount| mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(not(unix))]
fn not_anybodys(_path: &Path, _opened: &Metadata) -> Result<(), String> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// `statvfs` and the kernel's own table agree about the mounts that most machines have; in a
    /// container some of them are read-only.
    #[test]
    fn agrees_with_the_kernel_about_read_only_mounts() {
        let table = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let mut compared = 0;
        for place in ["/", "/proc", "/dev", "/sys", "/sys/fs/cgroup"] {
            // A later line hides an earlier one of the same place.
            let line = table
                .lines()
                .rfind(|line| line.split(' ').nth(1) == Some(place));
            let Some(options) = line.and_then(|line| line.split(' ').nth(3)) else {
                continue;
            };
            let read_only = options.split(',').any(|option| option == "ro");
            assert_eq!(is_read_only(Path::new(place)), read_only, "{place}");
            compared += 1;
        }
        assert!(compared > 0);
    }
}
