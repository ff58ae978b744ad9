//! References to secrets: where a secret is, never what it is.

/// Where a secret or a key file is read from. A literal secret is an error at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`.
    Env(String),
    /// `file:PATH`; a relative path is relative to the file that names it.
    File(String),
}

impl Reference {
    /// Reads `env:NAME` or `file:PATH`.
    ///
    /// # Errors
    /// Returns `None`'s equivalent as an explanation when the text is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            _ => {
                Err("expected `env:NAME` or `file:PATH`; a secret is never written out".to_owned())
            }
        }
    }
}
