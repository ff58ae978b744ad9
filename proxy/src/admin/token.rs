//! The admin token: made at the first start, kept in the state folder for the command line to read.
//!
//! It is 256 random bits in hex, in a file that only its owner may read. A file that others can read is
//! refused, not repaired: the token in it is no secret any more.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use subtle::ConstantTimeEq;

use super::AdminError;
use crate::private_file;

/// The token's file in the state folder.
pub const TOKEN_FILE: &str = "admin.token";
/// How many hex digits a token has.
const TOKEN_DIGITS: usize = 64;

/// Who shows it may use the admin listener. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct AdminToken {
    digits: String,
}

impl AdminToken {
    /// Reads the token of a state folder, or makes the folder and the token at the first start.
    ///
    /// # Errors
    /// [`AdminError::Token`] when it cannot be read or made, is malformed, or others may read it.
    pub fn read_or_make(state: &Path) -> Result<Self, AdminError> {
        match Self::read(state) {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Self::make(state),
            Err(error) => Err(error),
        }
    }

    /// Reads the token of a state folder; none when there is none yet.
    ///
    /// # Errors
    /// [`AdminError::Token`] when it cannot be read, is malformed, or others may read it.
    pub fn read(state: &Path) -> Result<Option<Self>, AdminError> {
        let path = state.join(TOKEN_FILE);
        let wrong = |message: String| AdminError::Token {
            path: path.clone(),
            message,
        };
        let file = match OpenOptions::new().read(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let metadata = file.metadata().map_err(|error| wrong(error.to_string()))?;
        if !private_file::is_private(&metadata) {
            let message = "others may read it; delete it and start again to get a new one";
            return Err(wrong(message.to_owned()));
        }
        let mut text = String::new();
        file.take(1 << 10)
            .read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        let digits = text.trim_end();
        if digits.len() != TOKEN_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong(
                "not a token; delete it and start again to get a new one".to_owned(),
            ));
        }
        Ok(Some(Self {
            digits: digits.to_owned(),
        }))
    }

    fn make(state: &Path) -> Result<Self, AdminError> {
        let path = state.join(TOKEN_FILE);
        let wrong = |message: String| AdminError::Token {
            path: path.clone(),
            message,
        };
        let mut bytes = [0_u8; TOKEN_DIGITS / 2];
        rustls::crypto::ring::default_provider()
            .secure_random
            .fill(&mut bytes)
            .map_err(|_empty| wrong("the system has no randomness to make it".to_owned()))?;
        let digits = hex::encode(bytes);
        let written = make_folder(state)
            .and_then(|()| private_file::create(&path))
            .and_then(|mut file| {
                file.write_all(digits.as_bytes())?;
                file.write_all(b"\n")?;
                file.sync_all()
            });
        match written {
            Ok(()) => Ok(Self { digits }),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// The token as a client sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.digits
    }

    /// Whether this is the token, in a time that does not depend on how much of it is right.
    pub(super) fn is(&self, presented: &str) -> bool {
        self.digits.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken").finish_non_exhaustive()
    }
}

fn make_folder(state: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(state)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn makes_a_private_token_once_and_reads_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("new/state");
        assert!(AdminToken::read(&state).unwrap().is_none());
        let made = AdminToken::read_or_make(&state).unwrap();
        let mode = std::fs::metadata(state.join(TOKEN_FILE)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        let read = AdminToken::read_or_make(&state).unwrap();
        assert!(read.is(made.reveal()));
        let other = AdminToken::read_or_make(&folder.path().join("other")).unwrap();
        assert!(!read.is(other.reveal()));
        assert!(!read.is("") && !read.is(made.reveal().get(..63).unwrap()));
        assert!(!format!("{made:?}").contains(made.reveal()));
    }

    #[test]
    fn refuses_a_token_that_others_may_read_or_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        AdminToken::read_or_make(folder.path()).unwrap();
        let path = folder.path().join(TOKEN_FILE);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let error = AdminToken::read_or_make(folder.path()).unwrap_err();
        assert!(error.to_string().contains("others may read it"), "{error}");

        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&path, "").unwrap();
        let error = AdminToken::read_or_make(folder.path()).unwrap_err();
        assert!(error.to_string().contains("not a token"), "{error}");
    }
}
