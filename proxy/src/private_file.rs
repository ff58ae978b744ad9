//! Files that only their owner may read, and secrets that are made once and kept in one.
//!
//! A file that others can read is refused, not repaired: what is in it is no secret any more.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use ring::rand::{SecureRandom as _, SystemRandom};

/// What is wrong with a file that others can read, and what to do.
const NOT_PRIVATE: &str = "others can read it: `chmod 600` it; where a Kubernetes volume with `fsGroup` did that, set \
                           `fsGroupChangePolicy: OnRootMismatch` as well";

/// Makes a file, which must not be there, for its owner only.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a file for its owner only when there is none; one that is there stays as it is.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Whether nobody but its owner may read it.
#[cfg(unix)]
pub(crate) fn is_private(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
pub(crate) fn is_private(_metadata: &Metadata) -> bool {
    true
}

/// Refuses a file that others can read. One that is not there is for whoever reads it to tell.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub(crate) fn refuse_shared(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(metadata) if !is_private(&metadata) => Err(NOT_PRIVATE.to_owned()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The secret in a file, which is made of random bytes when there is none.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub(crate) fn secret<const N: usize>(path: &Path) -> Result<[u8; N], String> {
    if !path.exists() {
        let mut made = [0_u8; N];
        SystemRandom::new()
            .fill(&mut made)
            .map_err(|_unspecified| "no random bytes can be had".to_owned())?;
        create(path)
            .and_then(|mut file| file.write_all(&made).and_then(|()| file.sync_all()))
            .map_err(|error| format!("cannot be made: {error}"))?;
    }
    let (metadata, bytes) = fs::metadata(path)
        .and_then(|metadata| Ok((metadata, fs::read(path)?)))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if !is_private(&metadata) {
        return Err(NOT_PRIVATE.to_owned());
    }
    let wrong_size = |_bytes| {
        format!("it is not {N} bytes long: restore it, or remove it to begin with another")
    };
    bytes.try_into().map_err(wrong_size)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed");
        let made: [u8; 32] = secret(&path).unwrap();
        assert_eq!(secret::<32>(&path).unwrap(), made);
        assert!(is_private(&fs::metadata(&path).unwrap()));
        assert!(secret::<16>(&path).unwrap_err().contains("16 bytes"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            secret::<32>(&path)
                .unwrap_err()
                .contains("others can read it")
        );
    }
}
