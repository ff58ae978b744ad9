//! What is on record of policies that were refused.

use postern_audit::{OnDamage, PublishedEntries, SystemDisk};
use postern_config::Server;
use postern_config::secret::Reference;
use serde_json::Value;

use super::*;
use crate::load;

const SERVER: &str = "listen: \"127.0.0.1:0\"\nupstream: \"http://127.0.0.1:1\"\npolicy: p.yaml\n";

/// What the log in a folder says of each policy that was refused: the revision that stays, and the other.
fn refusals(log: &Path) -> Vec<(String, Option<String>)> {
    let disk = SystemDisk::new(log.to_owned());
    let entries = PublishedEntries::open(&disk, 0).unwrap();
    let entries = entries.map(|read| serde_json::from_slice::<Value>(&read.unwrap().1).unwrap());
    let refused =
        entries.filter(|entry| entry["entity"]["type"] == "policy" && entry["status_id"] == 2);
    let details = refused.map(|entry| entry["unmapped"]["postern"].clone());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    details
        .map(|details| {
            (
                text(&details["revision"]).unwrap(),
                text(&details["refused"]),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_revision_of_a_refused_policy_is_on_record_beside_the_one_that_stays() {
    let running = Running::new();
    let folder = running.folder.path();
    let audit = Server::parse("postern.yaml", SERVER)
        .unwrap()
        .audit
        .unwrap();
    let state = folder.join("state");
    std::fs::create_dir(&state).unwrap();
    let places = (folder, state.as_path());
    let evidence = Evidence::open(&audit, OnDamage::Refuse, places, Arc::new(SystemClock)).unwrap();
    let options = ReloadOptions {
        evidence: evidence.clone(),
        ..running.options()
    };
    let mut cycle = Cycle::new(options, Arc::clone(&running.store));
    std::fs::write(folder.join("jwks.json"), key_set()).unwrap();
    let short =
        |path: &Path, keys: Option<&Reference>| load::revision_on_disk(path, keys).unwrap().short();

    let path = running.write("nonsense");
    let first = short(&path, None);
    cycle.refused_at_start("error: no");
    running.write(&policy("one", KEY_FILE));
    let in_force = cycle.load().unwrap().short();
    running.write("nonsense: true\n");
    let second = short(&path, None);
    assert!(is_refused(&cycle.turn()));
    std::fs::remove_file(&path).unwrap();
    assert!(is_refused(&cycle.turn()));
    running.write(&policy("one", KEY_FILE));
    std::fs::write(folder.join("jwks.json"), "{}").unwrap();
    assert!(is_refused(&cycle.turn()));
    let third = short(&path, Some(&Reference::File("jwks.json".into())));

    drop(cycle);
    evidence.close().await;
    let expected = [
        (String::new(), Some(first)),
        (in_force.clone(), Some(second)),
        (in_force.clone(), None),
        (in_force, Some(third)),
    ];
    assert_eq!(refusals(&folder.join(&audit.dir)), expected);
}
