//! Runs one entry: every variant, every credential of a sweep, every split, and judges each run.

use std::time::Duration;

use super::bodies;
use super::catalogue::{Delivery, Entry, Part};
use super::client::Sending;
use super::h2;
use super::judge::{self, Case};
use super::lists::SpecWins;
use super::logs::Logs;
use super::messages::{self, Fill};
use super::observed::Observed;
use super::records;
use super::stage::Stage;
use super::tokens::{Fate, Malformed, Tokens};
use super::upstream::{Pace, Script};
use super::visitors::{self, Handles};

/// What stays the same over the runs of a suite.
pub(super) struct Suite {
    pub(super) tokens: Tokens,
    pub(super) wins: Vec<SpecWins>,
    /// What a corpus generator stands for: whole JSON documents.
    pub(super) corpus: Vec<Vec<u8>>,
    /// What is logged meanwhile.
    pub(super) logs: Logs,
}

/// One run of an entry.
pub(super) struct Run<'a> {
    pub(super) entry: &'a Entry,
    pub(super) variant: Option<String>,
    pub(super) credential: Option<&'a Malformed>,
    /// The upstream's message, when the entry has many.
    pub(super) body: Option<&'a [u8]>,
}

impl Run<'_> {
    /// What tells this run from the entry's others.
    pub(super) fn label(&self) -> String {
        let credential = self.credential.map(|credential| credential.what.clone());
        let shown = self.variant.clone().or(credential).unwrap_or_default();
        shown
            .chars()
            .take(60)
            .collect::<String>()
            .escape_debug()
            .to_string()
    }
}

/// Runs an entry on a stage of its policy; what each run came to.
pub(super) async fn run(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    entry: &Entry,
) -> Vec<(String, Result<&'static str, String>)> {
    let identity = entry.request.identity.as_deref().unwrap_or_default();
    let sweep = identity
        .strip_prefix("jwt:")
        .map(|name| suite.tokens.malformed(name));
    let mut outcomes = Vec::new();
    for variant in entry.runs() {
        let mut runs = Vec::new();
        let bodies: Vec<Option<&[u8]>> = if is_corpus(entry) {
            suite.corpus.iter().map(|body| Some(&body[..])).collect()
        } else {
            vec![None]
        };
        match &sweep {
            Some(list) => runs.extend(list.iter().map(|credential| Run {
                entry,
                variant: variant.clone(),
                credential: Some(credential),
                body: None,
            })),
            None => runs.extend(bodies.into_iter().map(|body| Run {
                entry,
                variant: variant.clone(),
                credential: None,
                body,
            })),
        }
        for run in runs {
            let mut outcome = run_splits(suite, stage, policy, &run).await;
            if outcome.is_ok() {
                // What was refused was refused for what it was, and not because nobody had a session.
                outcome = visitors::all_are_still_in(suite, stage).await.and(outcome);
            }
            if outcome.is_ok() {
                outcome = stage.still_serves(&suite.tokens).await.and(outcome);
            }
            outcomes.push((run.label(), outcome));
        }
    }
    outcomes
}

fn is_corpus(entry: &Entry) -> bool {
    entry
        .upstream_response
        .generator
        .as_ref()
        .is_some_and(|made| made.kind == "corpus")
}

/// Once, or once for every offset at which the upstream's message can be cut in two.
async fn run_splits(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    run: &Run<'_>,
) -> Result<&'static str, String> {
    let host = stage.host();
    let handles = Handles::of_entry(suite, stage, run.entry).await?;
    let fill = Fill {
        handles: handles.as_ref(),
        ..fill(suite, run, &host)
    };
    let script = script(run, &fill);
    let mode = run
        .entry
        .upstream_response
        .delivery
        .as_ref()
        .map(|d| d.mode.as_str());
    if mode != Some("split_every_offset") {
        return once(suite, stage, policy, (run, &fill), script).await;
    }
    let mut outcome = Err("no offset".to_owned());
    for at in 1..script.bytes.len() {
        let split = Script {
            pace: Pace::SplitAt(at),
            ..script.clone()
        };
        outcome = once(suite, stage, policy, (run, &fill), split).await;
        if let Err(reason) = outcome {
            return Err(format!("split at {at}: {reason}"));
        }
    }
    outcome
}

/// What placeholders stand for in a run.
pub(super) fn fill<'a>(suite: &'a Suite, run: &'a Run<'_>, host: &'a str) -> Fill<'a> {
    Fill {
        host,
        variant: run.variant.as_deref(),
        tokens: &suite.tokens,
        minted: run.credential.map(|credential| credential.token.as_str()),
        as_admin: false,
        handles: None,
    }
}

async fn once(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    ran: (&Run<'_>, &Fill<'_>),
    script: Script,
) -> Result<&'static str, String> {
    judged(suite, stage, policy, ran, script).await.1
}

/// Sends a run's request, and judges what was observed.
pub(super) async fn judged(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    (run, fill): (&Run<'_>, &Fill<'_>),
    script: Script,
) -> (Observed, Result<&'static str, String>) {
    let message = script.bytes.clone();
    let observed = send(stage, run.entry, fill, script).await;
    let outcome = outcome_of(suite, stage, policy, (run, fill), (&message, &observed)).await;
    (observed, outcome)
}

async fn outcome_of(
    suite: &Suite,
    stage: &Stage,
    policy: &str,
    (run, fill): (&Run<'_>, &Fill<'_>),
    (message, observed): (&[u8], &Observed),
) -> Result<&'static str, String> {
    let hidden: Vec<String> = run
        .entry
        .must_not_contain
        .iter()
        .map(|text| fill.text(text))
        .collect();
    let case = Case {
        entry: run.entry,
        variant: run.variant.as_deref(),
        hidden: &hidden,
        wins: suite.wins.iter().find(|wins| wins.id == run.entry.id),
        policy,
        upstream: message,
    };
    if run
        .entry
        .upstream_response
        .delivery
        .as_ref()
        .is_some_and(|d| d.mode == "send_before_request")
    {
        // The unsolicited copy is on its way: the next exchange must find it on an idle connection.
        stage.upstream.said_all().await;
    }
    if run.entry.scans_audit_log() {
        records::holds_none_of(&records::folder(stage.folder.path()), &hidden)?;
        suite.logs.hold_none_of(&hidden)?;
    }
    match run.credential.map(|credential| credential.fate) {
        Some(Fate::Accepted) => accepted(observed),
        Some(Fate::Refused) => judge::judge(&case, observed).and_then(refused),
        Some(Fate::AsAllowed) | None => judge::judge(&case, observed),
    }
}

fn accepted(observed: &Observed) -> Result<&'static str, String> {
    let status = observed.answer.status();
    if status == 200 {
        Ok("accepted")
    } else {
        Err(format!("a good credential got {status}"))
    }
}

fn refused(outcome: &'static str) -> Result<&'static str, String> {
    if outcome.starts_with("blocked") {
        Ok(outcome)
    } else {
        Err(format!("a bad credential was {outcome}"))
    }
}

/// Plays the script, sends the entry's request, and says what was observed.
pub(super) async fn send(
    stage: &Stage,
    entry: &Entry,
    fill: &Fill<'_>,
    script: Script,
) -> Observed {
    stage.upstream.play(script);
    if entry.request.proto == "h2" {
        let fields: Vec<(String, String)> = entry
            .request
            .headers
            .iter()
            .map(|(name, value)| (fill.text(name), fill.text(value)))
            .collect();
        let body = messages::body(&entry.request.data_parts, fill);
        let stream = h2::exchange(stage.connect_h2().await, &fields, &body).await;
        stage.heard(&stream.answer.body);
        return Observed::h2(stream, stage.upstream.seen());
    }
    let closes = entry
        .expected_client_sees
        .allowed_outcomes
        .iter()
        .any(|allowed| allowed.connection == "close");
    let sending = Sending {
        bytes: messages::message(&entry.request.parts, fill),
        pause_after_head: entry
            .request
            .delivery
            .as_ref()
            .map(|pause| scaled(pause.ms)),
        expects_close: closes,
    };
    let admin = entry.request.listener.as_deref() == Some("admin");
    let capture = stage.send(&sending, admin).await;
    Observed::h1(capture, &sending.method(), stage.upstream.seen())
}

/// The catalogue's waits, scaled as the stage's time-outs are (a head's 2 s and a read's 4 s
/// stand for 10 s and more).
fn scaled(ms: u64) -> Duration {
    Duration::from_millis(ms.min(5000))
}

/// What the upstream answers in a run.
pub(super) fn script(run: &Run<'_>, fill: &Fill<'_>) -> Script {
    let upstream = &run.entry.upstream_response;
    let mut bytes = match (&upstream.generator, run.body) {
        (_, Some(body)) => body.to_vec(),
        (Some(made), None) => bodies::response(made).unwrap_or_default(),
        (None, None) => messages::message(&upstream.parts, fill),
    };
    if upstream.proto == "h2" {
        bytes = h2_message(
            &upstream.headers,
            &upstream.data_parts,
            &upstream.trailers,
            fill,
        );
    }
    Script {
        bytes,
        pace: pace(upstream.delivery.as_ref()),
        close: upstream.close_after,
        reset: upstream.reset,
        beside: None,
    }
}

/// The frames an HTTP/2 upstream would send, sent to a proxy that asked over HTTP/1.1.
fn h2_message(
    headers: &[(String, String)],
    data: &[Part],
    trailers: &[(String, String)],
    fill: &Fill<'_>,
) -> Vec<u8> {
    let block = |fields: &[(String, String)]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        h2::block(&fields)
    };
    let mut bytes = h2::frames::settings(&[]);
    bytes.extend(h2::frames::headers(1, &block(headers), false));
    bytes.extend(h2::frames::data(
        1,
        &messages::body(data, fill),
        trailers.is_empty(),
    ));
    if !trailers.is_empty() {
        bytes.extend(h2::frames::headers(1, &block(trailers), true));
    }
    bytes
}

fn pace(delivery: Option<&Delivery>) -> Pace {
    let Some(delivery) = delivery else {
        return Pace::Whole;
    };
    match delivery.mode.as_str() {
        "split_every_offset" => Pace::Whole,
        "one_byte" => Pace::Drip(1, Duration::from_millis(delivery.gap_ms)),
        "drip" => Pace::Drip(delivery.bytes, scaled(delivery.gap_ms)),
        "pause_before_body" => Pace::BeforeBody(scaled(delivery.ms)),
        "pause_mid_body" => Pace::MidBody(scaled(delivery.ms)),
        "early" => Pace::Early,
        "stall" => Pace::Stall,
        "send_before_request" => Pace::Unsolicited,
        other => panic!("delivery mode {other} is not known"),
    }
}
