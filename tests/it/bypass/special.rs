//! Entries that are no single exchange: crowds, floods, reloads, sessions, the admin listener. Each is a function
//! that makes its own stage and says what it saw.

mod admin;
mod audit;
mod browsers;
mod caps;
mod crowds;
mod deployed;
mod deployment;
mod floods;
mod oracle;
mod origins;
mod panicking;
mod policies;
mod proofs;
mod server;
mod sessions;
mod signed;
mod swaps;
mod together;

use super::catalogue::Entry;
use super::exchange::Suite;

/// What an entry came to.
pub(super) type Result = std::result::Result<&'static str, String>;

/// The entries this module knows.
pub(super) const IDS: &[&str] = &[
    "B-194", "B-210", "B-225", "B-235", "B-314", "B-318", "B-319", "B-320", "B-325", "B-327",
    "B-330", "B-331", "B-332", "B-334", "B-336", "B-338", "B-340", "B-341", "B-342", "B-343",
    "B-344", "B-346", "B-347", "B-348", "B-349", "B-350", "B-353", "B-356", "B-358", "B-364",
    "B-365", "B-367", "B-368", "B-369", "B-371", "B-374", "B-375", "B-376", "B-377", "B-378",
    "B-379", "B-380", "B-381", "B-383", "B-385", "B-386", "B-387", "B-388", "B-391", "B-393",
    "B-394", "B-395", "B-396", "B-397", "B-398", "B-399", "B-400", "B-403", "B-404", "B-405",
    "B-406", "B-407", "B-409", "B-410", "B-411", "B-415", "B-416", "B-427",
];

/// The entries that measure the memory of the process: each runs when nothing else does.
pub(super) const MEASURE_MEMORY: &[&str] = &["B-396", "B-397", "B-406"];

/// Runs one entry.
pub(super) async fn run(suite: &Suite, entry: &Entry) -> Result {
    match entry.id.as_str() {
        "B-194" => panicking::inside_a_filter(suite, entry).await,
        "B-210" => oracle::a_search_in_other_places(suite, entry).await,
        "B-225" => oracle::takes_as_long_without_the_field(suite, entry).await,
        "B-235" => together::two_identities_at_once(suite, entry).await,
        "B-314" | "B-318" | "B-319" | "B-320" | "B-325" | "B-327" => {
            sessions::run(suite, entry).await
        }
        "B-330" | "B-331" | "B-332" | "B-334" | "B-336" => proofs::run(suite, entry).await,
        "B-338" => browsers::other_origins(suite, entry).await,
        "B-340" => browsers::no_frames(suite, entry).await,
        "B-341" | "B-342" | "B-343" | "B-344" | "B-346" | "B-347" | "B-348" | "B-349" | "B-350"
        | "B-353" | "B-356" | "B-358" | "B-427" => caps::run(suite, entry).await,
        "B-364" => admin::stays_on_loopback_and_answers_under_load(suite).await,
        "B-365" => policies::half_written(suite).await,
        "B-367" => signed::never_goes_back(suite).await,
        "B-368" => policies::empty_or_blank(suite).await,
        "B-369" => policies::too_large(suite).await,
        "B-371" => policies::invalid_selectors(suite).await,
        "B-374" => policies::not_ours_to_trust(suite).await,
        "B-375" => policies::gone_at_restart().await,
        "B-376" => policies::a_rule_taken_out(suite).await,
        "B-377" => swaps::an_exchange_keeps_its_policy(suite).await,
        "B-378" => swaps::a_connection_does_not(suite).await,
        "B-379" => swaps::a_storm(suite).await,
        "B-380" => policies::refused_and_restarted(suite).await,
        "B-381" | "B-383" | "B-385" | "B-386" | "B-387" | "B-388" | "B-391" | "B-393" => {
            audit::run(suite, entry).await
        }
        "B-394" => crowds::slow_heads(suite).await,
        "B-395" => crowds::slow_bodies(suite).await,
        "B-396" => crowds::slow_readers(suite).await,
        "B-397" => crowds::idle_connections(suite).await,
        "B-398" => crowds::big_heads(suite).await,
        "B-399" => floods::rapid_reset(suite).await,
        "B-400" => floods::made_to_reset(suite).await,
        "B-403" => floods::control_frames(suite).await,
        "B-404" => floods::header_bomb(suite).await,
        "B-405" => crowds::half_handshakes(suite).await,
        "B-406" => crowds::big_uploads(suite).await,
        "B-407" => crowds::a_stalled_upstream(suite).await,
        "B-409" => deployment::one_way_in(suite).await,
        "B-410" => origins::who_is_not_the_upstream().await,
        "B-411" => origins::an_address_that_changes_hands().await,
        "B-415" => deployed::leaves_no_image_of_its_memory().await,
        "B-416" => deployed::tells_nothing_however_it_is_asked().await,
        other => Err(format!("{other} has no driver")),
    }
}

/// An entry as its control runs it: with an upstream that does what the entry is about.
pub(super) fn for_control(entry: &Entry) -> Entry {
    match entry.id.as_str() {
        "B-338" => browsers::reflecting(entry),
        _ => entry.clone(),
    }
}

/// An outcome that holds when `fine` does.
fn ensure(fine: bool, reason: impl Into<String>) -> std::result::Result<(), String> {
    if fine { Ok(()) } else { Err(reason.into()) }
}
