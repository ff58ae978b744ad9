//! What the HTTP/2 listener owes its peers: a case for each duty of RFC 9113 and RFC 7541 that a raw client
//! can see, and after each case a fresh connection is still served.
//!
//! A case is a row: what is sent, octet for octet, and what has to come back. No row waits for time to pass:
//! what has to be ignored is followed by a PING, and its answer is the proof.

mod case;
mod compression;
mod connection;
mod continuation;
mod frames;
mod given;
mod headers;
mod malformed;
mod messages;
mod settings;
mod streams;
mod windows;

use std::collections::BTreeSet;

use case::Case;
use given::Given;

/// The rows of one part of the standards.
type Table = fn(&Given) -> Vec<Case>;

const TABLES: [Table; 9] = [
    frames::cases,
    streams::cases,
    headers::cases,
    settings::cases,
    windows::cases,
    continuation::cases,
    messages::cases,
    malformed::cases,
    compression::cases,
];

async fn keeps(table: Table) {
    let given = Given::start().await;
    let mut broken = Vec::new();
    for case in table(&given) {
        if let Err(reason) = case.check(&given).await {
            broken.push(format!("{case}: {reason}"));
        }
        if let Err(reason) = given.still_serves().await {
            broken.push(format!("{case}: afterwards {reason}"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_the_preface_and_the_frame_format() {
    keeps(frames::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_the_states_of_a_stream() {
    keeps(streams::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_data_headers_priority_and_resets() {
    keeps(headers::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_settings_pings_and_going_away() {
    keeps(settings::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_flow_control() {
    keeps(windows::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_continuations() {
    keeps(continuation::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_the_exchange_of_messages() {
    keeps(messages::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_malformed_requests() {
    keeps(malformed::cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_to_header_compression() {
    keeps(compression::cases).await;
}

/// A row that is written twice proves nothing twice, and a table that is lost would not be missed.
#[tokio::test(flavor = "multi_thread")]
async fn every_duty_has_a_row_of_its_own() {
    let given = Given::start().await;
    let rows = TABLES.iter().flat_map(|table| table(&given));
    let names: Vec<_> = rows.map(|case| case.to_string()).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:#?}");
    println!("http2_conformance: {} rows", names.len());
    assert!(names.len() >= 150, "{} rows", names.len());
}
