//! The audit log: nothing was answered that is not on record, nothing on record is data, and whoever
//! changes the record is found out.
//!
//! What a crash, a power loss and an intruder leave is made by changing the log's folder between two
//! starts, and a disk that fails by a disk of our own under the log.

mod damage;
mod endings;
mod floods;
mod sync_disk;
mod syncs;
mod torn;

use serde_json::json;

use crate::bypass::bodies;
use crate::bypass::catalogue::Entry;
use crate::bypass::client::Sending;
use crate::bypass::exchange::Suite;
use crate::bypass::messages::find;
use crate::bypass::stage::Stage;
use crate::bypass::upstream::Script;

use super::{Result, ensure};

/// Runs one entry.
pub(super) async fn run(suite: &Suite, entry: &Entry) -> Result {
    match entry.id.as_str() {
        "B-381" => endings::names_that_break_lines(suite, entry).await,
        "B-383" => endings::every_way_to_end(suite, entry).await,
        "B-385" => floods::refused_requests(suite, entry).await,
        "B-386" => torn::killed_in_a_record(suite).await,
        "B-387" => torn::power_loss(suite).await,
        "B-388" => syncs::fails_once(),
        "B-391" => damage::an_old_backup(suite).await,
        "B-393" => damage::a_flipped_bit(suite).await,
        other => Err(format!("{other} has no driver")),
    }
}

/// What somebody sends to see a case.
fn asks(suite: &Suite, stage: &Stage, subject: &str) -> Sending {
    let (host, token) = (stage.host(), suite.tokens.of(subject, &json!({})));
    let head = format!(
        "GET /api/cases/1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    Sending {
        bytes: head.into_bytes(),
        ..Sending::default()
    }
}

/// Each of these sees a case.
async fn see_a_case(
    suite: &Suite,
    stage: &Stage,
    subjects: &[&str],
) -> std::result::Result<(), String> {
    stage.upstream.play(a_case());
    for subject in subjects {
        let capture = stage.send(&asks(suite, stage, subject), false).await;
        let served = capture.bytes.starts_with(b"HTTP/1.1 200 ");
        ensure(served, format!("{subject} was not served"))?;
    }
    Ok(())
}

/// What the upstream says of a case.
fn a_case() -> Script {
    Script {
        bytes: bodies::json(r#"{"id":1}"#),
        ..Script::default()
    }
}

/// Both records of each of these who saw a case are among some bytes.
fn are_on_record(bytes: &[u8], subjects: &[&str]) -> std::result::Result<(), String> {
    for subject in subjects {
        let name = format!("\"uid\":\"{subject}\"");
        let (mut rest, mut found) = (bytes, 0);
        while let Some(at) = find(rest, name.as_bytes()) {
            rest = &rest[at + name.len()..];
            found += 1;
        }
        ensure(
            found == 2,
            format!("{subject} was served and has {found} records"),
        )?;
    }
    Ok(())
}
