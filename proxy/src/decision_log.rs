//! One structured line per exchange: who asked by which route, what was decided, what was withheld.
//! Never a value, a query, a header or a token (D15).
//!
//! The line is an event of the `tracing` target [`TARGET`]; its field `entry` is the JSON of a
//! [`postern_audit::AuditEntry`]. The tamper-evident log is another thing and comes with its own issue.

use postern_audit::AuditEntry;

/// The target of decision lines.
pub const TARGET: &str = "postern::decision";

/// Filter directives that silence libraries whose log lines hold what clients and upstreams sent: at
/// level `error` pingora writes request lines and, for a malformed upstream head, its raw bytes.
/// SECURITY: whoever installs a subscriber applies these after every other directive.
pub const SILENCED: &str = "pingora=off,pingora_core=off,pingora_proxy=off,pingora_pool=off,\
                            pingora_http=off,pingora_error=off,pingora_runtime=off,pingora_timeout=off,h2=off,\
                            hyper=off,rustls=off";

/// Writes the line of an exchange that has ended.
pub(crate) fn write(entry: &AuditEntry) {
    match serde_json::to_string(entry) {
        Ok(line) => tracing::info!(target: TARGET, entry = %line),
        Err(_error) => {
            tracing::error!(target: TARGET, id = %entry.exchange_id, "the decision line could not be written")
        }
    }
}
