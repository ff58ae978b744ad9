//! What a stage leaves: its log and its ledger, each read when nothing runs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::POLICY;
use crate::origin::Origin;
use crate::postern::{Setting, Stage, start_there};
use crate::proxy_audit::entries;

/// What is left when a stage has stopped.
#[derive(Debug)]
pub(super) struct Left {
    /// Records and requests as the ledger has them.
    pub(super) used: BTreeMap<String, u64>,
    /// Records as the audit log has them.
    pub(super) charged: u64,
    pub(super) outcomes: BTreeMap<String, usize>,
}

/// Stops a stage, and reads its log and its ledger: the ledger from another one that begins where it ended, since what
/// was leased and not used is given back then.
pub(super) async fn settled(stage: Stage, origin: &Origin) -> Left {
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let (charged, outcomes) = on_record(folder.path());
    let plain = Setting {
        policy: POLICY.to_owned(),
        ..Setting::default()
    };
    let stage = start_there(folder, &plain, origin.address()).await;
    let listing = stage.administer("GET /quotas").await;
    let listing: Value = serde_json::from_str(&listing).unwrap();
    let counts = listing["quotas"].as_array().unwrap().iter();
    let used = counts.map(|count| {
        let name = count["quota"].as_str().unwrap().to_owned();
        (name, count["used"].as_u64().unwrap())
    });
    Left {
        used: used.collect(),
        charged,
        outcomes,
    }
}

/// Each exchange that was announced ended once, and says what was charged.
fn on_record(folder: &Path) -> (u64, BTreeMap<String, usize>) {
    let (mut charged, mut outcomes) = (0, BTreeMap::<String, usize>::new());
    let (mut intents, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries(folder) {
        if ![6003, 4002].contains(&entry["class_uid"].as_u64().unwrap()) {
            continue;
        }
        let id = entry["metadata"]["correlation_uid"]
            .as_str()
            .unwrap()
            .to_owned();
        let details = &entry["unmapped"]["postern"];
        if details["phase"] == "intent" {
            assert!(intents.insert(id), "two intents");
            continue;
        }
        assert!(ends.insert(id), "two ends");
        charged += details["charged"]["records"].as_u64().unwrap_or(0);
        let outcome = details["outcome"].as_str().unwrap().to_owned();
        *outcomes.entry(outcome).or_default() += 1;
    }
    assert!(
        intents.is_subset(&ends),
        "an exchange never ended on record"
    );
    (charged, outcomes)
}
