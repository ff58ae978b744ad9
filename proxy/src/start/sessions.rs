//! What a start makes of the sessions' part of the server file.

use std::path::Path;
use std::sync::Arc;

use postern_config::Server;

use super::quota_store;
use crate::clock::Clock;
use crate::load::{self, LoadError};
use crate::policy_store::PolicyStore;
use crate::quota::StoreAddress;
use crate::session::{KeepError, ServerKeys, SessionKeeper, SessionPlace};

/// The file in the state folder that holds the key of sessions, where the server file names none.
const KEY_FILE: &str = "session.key";
/// The shortest secret that may keep sessions, in bytes.
const SECRET_BYTES_MIN: usize = 32;

/// The keeper of the sessions that the server file describes.
///
/// # Errors
/// A password or a key cannot be read, or is too short.
pub(super) fn keeper(
    server: &Server,
    base: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<SessionKeeper>, LoadError> {
    let place = SessionPlace {
        store: match quota_store(server, base)? {
            StoreAddress::Embedded(path) => StoreAddress::Embedded(beside(&path)),
            shared @ StoreAddress::Shared(_) => shared,
        },
        keys: match keys(server, base)? {
            Some(keys) => Ok(keys),
            None => Err(base.join(&server.state).join(KEY_FILE)),
        },
    };
    Ok(Arc::new(SessionKeeper::new(place, Arc::clone(clock))))
}

/// Opens the sessions' store when the policy has sessions.
pub(super) async fn open_if_needed(
    sessions: &SessionKeeper,
    store: &PolicyStore,
) -> Result<(), KeepError> {
    if let Some(terms) = &store.snapshot().sessions {
        sessions.open(&terms.sessions).await?;
    }
    Ok(())
}

/// The file beside the quotas' own: `postern.redb` has `postern-sessions.redb` beside it.
fn beside(quotas: &Path) -> std::path::PathBuf {
    let stem = quotas.file_stem().unwrap_or_default().to_string_lossy();
    quotas.with_file_name(format!("{stem}-sessions.redb"))
}

/// The keys that the server file names, the newest first.
fn keys(server: &Server, base: &Path) -> Result<Option<ServerKeys>, LoadError> {
    let mut keys: Option<ServerKeys> = None;
    for key in &server.session_keys {
        let bytes = load::resolve(&key.secret, base)?;
        let secret = load::without_line_break(&bytes);
        if secret.len() < SECRET_BYTES_MIN {
            return Err(LoadError::Secret {
                id: key.id.clone(),
                message: format!("shorter than {SECRET_BYTES_MIN} bytes; make a new one"),
            });
        }
        keys = Some(match keys {
            None => ServerKeys::of_secret(secret),
            Some(keys) => keys.and_older_secret(secret),
        });
    }
    Ok(keys)
}
