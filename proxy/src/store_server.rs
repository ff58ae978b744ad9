//! The connection to a Valkey or Redis server that replicas share.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};

/// The longest pause before the server is tried again after the connection broke.
const RECONNECT_DELAY_MAX: Duration = Duration::from_millis(500);

/// Connects. A connection that breaks is made again; the answer to a call may take `deadline`, and no call is
/// ever sent twice. One that comes while the connection is being made waits for that first, several times
/// as long: its caller has to give up.
pub(crate) async fn connect(
    url: &str,
    deadline: Duration,
) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(deadline))
        .set_connection_timeout(Some(deadline))
        .set_max_delay(RECONNECT_DELAY_MAX);
    ConnectionManager::new_with_config(Client::open(url)?, config).await
}
