//! Pseudonyms: tokens that are the same for the same value within a scope. (Being written.)

use std::fmt;

/// The keys of pseudonyms, newest first. `Debug` shows only the key ids.
#[derive(Clone, Default)]
pub struct PseudonymKeys {
    keys: Vec<(String, Vec<u8>)>,
}

impl PseudonymKeys {
    /// Keys by id, newest first; the newest makes tokens.
    #[must_use]
    pub fn new(keys: Vec<(String, Vec<u8>)>) -> Self {
        Self { keys }
    }

    /// The fixed key of offline commands: its tokens mean nothing outside them.
    #[must_use]
    pub fn for_offline_use() -> Self {
        Self::new(vec![(
            "test".to_owned(),
            b"postern offline test key".to_vec(),
        )])
    }
}

impl fmt::Debug for PseudonymKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}
