//! One structured line per exchange: who asked by which route, what was decided, what was withheld.
//! Never a value, a query, a header or a token (D15).
//!
//! The line is an event of the `tracing` target [`TARGET`]; its field `entry` is the JSON of a
//! [`postern_audit::AuditEntry`]. The tamper-evident log (`evidence`) is another
//! thing: exchanges wait for that one, and nobody waits for this line.
//!
//! SECURITY: the records that libraries write through the `log` crate hold what clients and upstreams
//! sent: at level `error` pingora writes request lines and, for a malformed upstream head, its raw
//! bytes. Nothing here turns them into `tracing` events, and no subscriber may install a bridge.

use postern_audit::{AdminEntry, AuditEntry};

use crate::one_line::one_line;

/// The target of decision lines.
pub const TARGET: &str = "postern::decision";
/// Room for most lines, in bytes.
const LINE_BYTES: usize = 1024;

/// Writes the line of an exchange that has ended.
pub(crate) fn write(entry: &AuditEntry) {
    let id = &entry.exchange_id;
    if !tracing::event_enabled!(target: TARGET, tracing::Level::INFO, entry) {
        return;
    }
    let mut line = Vec::with_capacity(LINE_BYTES);
    let written = serde_json::to_writer(&mut line, entry).map(|()| String::from_utf8(line));
    match written {
        Ok(Ok(line)) => tracing::info!(target: TARGET, entry = %one_line(line)),
        Ok(Err(_)) | Err(_) => {
            tracing::error!(target: TARGET, %id, "the decision line has no JSON");
        }
    }
}

/// Writes the line of what somebody with the admin token changed.
pub(crate) fn write_admin(entry: &AdminEntry) {
    match serde_json::to_string(entry) {
        Ok(line) => tracing::info!(target: TARGET, admin = %one_line(line)),
        Err(_error) => tracing::error!(target: TARGET, "the admin line has no JSON"),
    }
}
