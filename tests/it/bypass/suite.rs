//! Runs the whole catalogue: stages in groups by policy, a few groups at a time, controls beside them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::also;
use super::bodies;
use super::catalogue::{Catalogue, Entry};
use super::controls::{self, Visible};
use super::exchange::{self, Suite};
use super::lists::{self, Choices};
use super::logs::Logs;
use super::panics::{Panics, THREADS};
use super::report::Outcome;
use super::scan::Views;
use super::special;
use super::stage::{Setting, Stage};
use super::tokens::Tokens;
use super::visitors;

/// Entries per stage, and stages at once.
const GROUP: usize = 12;
const AT_ONCE: usize = 6;

/// Runs every entry that is not left out; the outcomes, and a line about the controls.
pub(super) fn run(catalogue: &Catalogue) -> (Vec<Outcome>, String) {
    let logs = Logs::default();
    let panics = Panics::watch();
    crate::heard::by_some_threads();
    let dispatch = logs.dispatch();
    let _here = tracing::dispatcher::set_default(&dispatch);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(4)
        .thread_name(THREADS)
        .on_thread_start(move || {
            // The guard would restore the default on drop; the thread belongs to this runtime alone.
            std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        })
        .build()
        .expect("a runtime");
    let suite = Arc::new(Suite {
        tokens: Tokens::load(),
        wins: lists::spec_wins(),
        corpus: corpus(),
        logs: logs.clone(),
    });
    let (mut outcomes, visible) = runtime.block_on(whole(catalogue, &suite));
    outcomes.push(quiet_log(catalogue, &suite, &logs));
    outcomes.push(panics.outcome());
    (outcomes, visible)
}

async fn whole(catalogue: &Catalogue, suite: &Arc<Suite>) -> (Vec<Outcome>, String) {
    let out: Vec<String> = lists::excluded().into_iter().map(|line| line.id).collect();
    let wanted = |entry: &&Entry| !out.contains(&entry.id) && chosen(&entry.id);
    let entries: Vec<Entry> = catalogue.entries.iter().filter(wanted).cloned().collect();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (setting, group) in groups(&entries) {
        let (suite, slots) = (Arc::clone(suite), Arc::clone(&slots));
        tasks.spawn(async move {
            let _slot = slots.acquire_owned().await.expect("open");
            run_group(&suite, &setting, group).await
        });
    }
    let alone = |entry: &&Entry| special::MEASURE_MEMORY.contains(&entry.id.as_str());
    for entry in entries
        .iter()
        .filter(|entry| is_special(entry) && !alone(entry))
    {
        let (suite, slots, entry) = (Arc::clone(suite), Arc::clone(&slots), entry.clone());
        tasks.spawn(async move {
            let _slot = slots.acquire_owned().await.expect("open");
            let result = special::run(&suite, &entry).await;
            vec![outcome(&entry, vec![(String::new(), result)])]
        });
    }
    let controlled: Vec<Entry> = entries
        .iter()
        .filter(|entry| entry.control.is_some())
        .cloned()
        .collect();
    let shared = Arc::clone(suite);
    let controls = tokio::spawn(async move { run_controls(&shared, controlled).await });
    let mut outcomes = collected(tasks).await;
    let (visible, vacuous) = controls.await.expect("controls");
    outcomes.extend(vacuous);
    let mut outcomes = gathered(outcomes);
    for entry in entries.iter().filter(alone) {
        let result = special::run(suite, entry).await;
        outcomes.push(outcome(entry, vec![(String::new(), result)]));
    }
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    let lines = [
        visible,
        exchanges_on_record(&outcomes),
        conditions(&entries),
    ];
    (outcomes, lines.join("\n"))
}

/// Every outcome; a driver that panicked is one of them.
async fn collected(mut tasks: JoinSet<Vec<Outcome>>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        outcomes.extend(ended.unwrap_or_else(|error| {
            let title = "A driver of the suite panicked".to_owned();
            let (id, class) = ("panic".to_owned(), "~invariants".to_owned());
            let runs = vec![(String::new(), Err(error.to_string()))];
            vec![Outcome {
                id,
                class,
                title,
                runs,
            }]
        }));
    }
    outcomes
}

/// `POSTERN_BYPASS=B-001,B-002` narrows a run down while one works on an entry.
fn chosen(id: &str) -> bool {
    std::env::var("POSTERN_BYPASS").map_or(true, |ids| ids.split(',').any(|own| own == id))
}

fn is_special(entry: &Entry) -> bool {
    special::IDS.contains(&entry.id.as_str())
}

fn outcome(entry: &Entry, runs: Vec<(String, special::Result)>) -> Outcome {
    let (id, class, title) = (entry.id.clone(), entry.class.clone(), entry.title.clone());
    Outcome {
        id,
        class,
        title,
        runs,
    }
}

/// Entries that share a policy and a protocol, a dozen per stage.
fn groups(entries: &[Entry]) -> Vec<(Setting, Vec<Entry>)> {
    let choices = Choices::load();
    let mut by_setting: BTreeMap<(String, bool), Vec<Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !is_special(entry)) {
        let key = (
            choices.policy(entry).to_owned(),
            entry.request.proto == "h2",
        );
        by_setting.entry(key).or_default().push(entry.clone());
    }
    let mut list = Vec::new();
    for ((policy, tls), entries) in by_setting {
        for group in entries.chunks(GROUP) {
            list.push((
                Setting {
                    tls,
                    ..Setting::policy(&policy)
                },
                group.to_vec(),
            ));
        }
    }
    list
}

async fn run_group(suite: &Suite, setting: &Setting, entries: Vec<Entry>) -> Vec<Outcome> {
    let mut stage = Stage::start(setting).await;
    let mut outcomes = Vec::new();
    for entry in &entries {
        let runs = exchange::run(suite, &stage, &setting.policy, entry).await;
        outcomes.push(outcome(entry, runs));
    }
    // I9: whatever was asked and answered, the metrics name none of it.
    let metrics = stage.metrics().await;
    if let (Some(last), Err(reason)) = (
        outcomes.last_mut(),
        visitors::are_secret(suite, &stage).await,
    ) {
        last.runs.push(("sessions".to_owned(), Err(reason)));
    }
    if let (Some(last), Some(secret)) = (outcomes.last_mut(), secret_in(suite, &entries, &metrics))
    {
        last.runs.push((
            "metrics".to_owned(),
            Err(format!("I9: the metrics of its stage hold {secret}")),
        ));
    }
    outcomes.push(on_record(&setting.policy, stage.stopped().await));
    outcomes
}

/// I4 for the exchanges of a stage.
fn on_record(policy: &str, exchanges: Result<usize, String>) -> Outcome {
    let (id, class) = ("I4".to_owned(), "~invariants".to_owned());
    let title = "Each exchange is on record once".to_owned();
    let label = match &exchanges {
        Ok(count) => format!("{count} exchanges of {policy}"),
        Err(_) => policy.to_owned(),
    };
    Outcome {
        id,
        class,
        title,
        runs: vec![(label, exchanges.map(|_| "on record"))],
    }
}

/// How many exchanges I4 was checked for.
fn exchanges_on_record(outcomes: &[Outcome]) -> String {
    let stages = outcomes.iter().filter(|outcome| outcome.id == "I4");
    let labels = stages.flat_map(|outcome| &outcome.runs);
    let counts = labels.filter_map(|(label, _)| label.split(' ').next()?.parse::<usize>().ok());
    format!("exchanges on record: {}", counts.sum::<usize>())
}

/// The outcomes of one id as one, where each stage has its own.
fn gathered(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut gathered: Vec<Outcome> = Vec::new();
    for outcome in outcomes {
        match gathered
            .iter_mut()
            .find(|own| own.id == outcome.id && own.id == "I4")
        {
            Some(own) => own.runs.extend(outcome.runs),
            None => gathered.push(outcome),
        }
    }
    gathered
}

/// The first canary or credential that some bytes hold, in words that do not repeat it.
fn secret_in(suite: &Suite, entries: &[Entry], bytes: &[u8]) -> Option<String> {
    let views = Views::of(bytes, bytes);
    for entry in entries.iter().filter(|entry| !entry.scans_upstream()) {
        // Short canaries and words of the wire occur in any log.
        let long = entry
            .must_not_contain
            .iter()
            .filter(|canary| canary.len() >= 8);
        if let Some(canary) = long.into_iter().find(|canary| views.find(canary).is_some()) {
            return Some(format!("{canary:?} of {}", entry.id));
        }
    }
    let mut secrets = suite.tokens.secrets();
    secrets
        .any(|secret| views.find(secret).is_some())
        .then(|| "a credential".to_owned())
}

/// I9 for the log.
fn quiet_log(catalogue: &Catalogue, suite: &Suite, logs: &Logs) -> Outcome {
    let log = logs.bytes();
    let canaries = catalogue.meta.canaries.values().map(String::as_str);
    let leaked = canaries
        .chain(suite.tokens.secrets())
        .find(|secret| super::messages::find(&log, secret.as_bytes()).is_some());
    let result = match leaked {
        None if log.is_empty() => Err("nothing was logged: the check is vacuous".to_owned()),
        None => Ok("quiet"),
        Some(secret) => Err(format!("I9: the log holds {secret:?}")),
    };
    let (id, class) = ("I9".to_owned(), "~invariants".to_owned());
    let title = "No credential and no canary in the log".to_owned();
    Outcome {
        id,
        class,
        title,
        runs: vec![(format!("{} bytes", log.len()), result)],
    }
}

async fn run_controls(suite: &Suite, entries: Vec<Entry>) -> (String, Vec<Outcome>) {
    let mut open = Stage::start(&Setting::policy("open")).await;
    let (mut counts, mut vacuous) = ([0, 0], Vec::new());
    for entry in &entries {
        match controls::run(suite, &open, entry).await {
            Ok(Visible::ThroughPostern) => counts[0] += 1,
            Ok(Visible::AtTheUpstream) => counts[1] += 1,
            Err(reason) => vacuous.push(outcome(entry, vec![("control".to_owned(), Err(reason))])),
        }
    }
    vacuous.push(on_record("open", open.stopped().await));
    let [through, direct] = counts;
    let line = format!(
        "controls: {} of {} show their canary ({through} through Postern with nothing hidden, {direct} at the upstream)",
        through + direct,
        entries.len()
    );
    (line, vacuous)
}

/// How many of the conditions in words are checked beyond the invariants.
fn conditions(entries: &[Entry]) -> String {
    let all: Vec<&String> = entries
        .iter()
        .flat_map(|entry| &entry.expected_client_sees.allowed_outcomes)
        .flat_map(|allowed| allowed.also.iter().flatten())
        .collect();
    let checked = all
        .iter()
        .filter(|sentence| also::is_checked(sentence))
        .count();
    let mut line = String::new();
    write!(
        line,
        "conditions in words: {checked} of {} are checked, by name or by an invariant",
        all.len()
    )
    .expect("text");
    line
}

/// Where the corpora are: `POSTERN_CORPUS`, or beside the repository.
pub(super) fn corpus_root() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    std::env::var_os("POSTERN_CORPUS").map_or_else(beside, PathBuf::from)
}

/// What the corpus generator stands for: the documents every JSON parser must accept.
fn corpus() -> Vec<Vec<u8>> {
    let root = corpus_root();
    let mut list = Vec::new();
    for folder in ["json-parsing", "json-parsing/test_parsing"] {
        for file in std::fs::read_dir(root.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let own = file.file_name().to_string_lossy().starts_with("y_");
            let Ok(body) = std::fs::read(file.path()) else {
                continue;
            };
            if own {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
                let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
                list.push([head.as_bytes(), &body].concat());
            }
        }
    }
    let required = std::env::var("POSTERN_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
    assert!(
        !(required && list.is_empty()),
        "the corpus is required and not there"
    );
    if list.is_empty() {
        println!("the corpus is not there: its one entry runs on a document of our own");
        list.push(bodies::json(r#"{"a":[1.10,"\u00e9",{}],"id":1e400}"#));
    }
    list
}
