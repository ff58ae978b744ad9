//! Key sets (RFC 7517): where the keys that verify tokens come from, and how fresh they are.
//!
//! A set from a file or a variable belongs to the policy's closure and changes with it. A set from a
//! URL is fetched beside the traffic, kept while it is fresh enough, and looked for again when a token
//! names a key that is not in it, at most once in a while.

mod fetch;
mod key_set;
mod remote;
#[cfg(test)]
pub(super) mod scripted;

use std::sync::Arc;

use crate::clock::Clock;

use super::{AuthenticatorError, IdentityError};

use fetch::KeyUrl;
pub use fetch::KeyUrlError;
pub(crate) use key_set::KeySet;
pub use key_set::KeySetError;
pub(super) use remote::RemoteKeys;

/// Where a verifier's keys come from.
pub(super) enum Keys {
    Fixed(Arc<KeySet>),
    Remote(Arc<RemoteKeys>),
}

/// Fetches the set behind a URL once, as it is fetched beside the traffic, and keeps nothing of it.
///
/// # Errors
/// Why there is none, or that it holds no usable key.
pub(crate) async fn try_out(url: &str) -> Result<(), String> {
    let url = KeyUrl::parse(url).map_err(|error| error.to_string())?;
    let set = url.fetch().await.map_err(|error| error.to_string())?;
    let parsed = KeySet::parse(&set).map(drop);
    parsed.map_err(|error| error.to_string())
}

impl Keys {
    pub(super) fn fixed(bytes: &[u8]) -> Result<Self, AuthenticatorError> {
        Ok(Self::Fixed(Arc::new(KeySet::parse(bytes)?)))
    }

    pub(super) fn remote(
        url: &str,
        clock: Arc<dyn Clock>,
        kept: Option<&Arc<RemoteKeys>>,
    ) -> Result<Self, AuthenticatorError> {
        if let Some(kept) = kept.filter(|kept| kept.is_for(url)) {
            return Ok(Self::Remote(Arc::clone(kept)));
        }
        Ok(Self::Remote(RemoteKeys::start(url, clock)?))
    }

    pub(super) fn as_remote(&self) -> Option<&Arc<RemoteKeys>> {
        match self {
            Self::Fixed(_) => None,
            Self::Remote(remote) => Some(remote),
        }
    }

    /// The set to look a key up in, made as fresh as it needs to be for that key.
    pub(super) async fn holding(&self, kid: Option<&str>) -> Result<Arc<KeySet>, IdentityError> {
        match self {
            Self::Fixed(set) => Ok(Arc::clone(set)),
            Self::Remote(remote) => remote.holding(kid).await,
        }
    }
}
