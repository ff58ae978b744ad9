//! What operators are told of counts, what they reset, and what of that is on record.

use serde_json::{Value, json};

use super::{HOUR, Stage, desk, json_of, policy, start};
use crate::proxy_audit::entries;

async fn ask(stage: &Stage, line: &str) -> Value {
    serde_json::from_str(&stage.administer(line).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_of_one_identity_and_on_record_with_what_it_changed() {
    let origin = desk().await;
    let records = format!("unit: records, {HOUR}9 }}");
    let stage = start(&policy(&[&records]), origin.address()).await;
    for who in ["ann", "bob"] {
        let reply = json_of(&stage, who, "/cases?from=0&count=3").await;
        assert_eq!(reply.status, 200);
    }
    let listing = ask(&stage, "GET /quotas").await;
    let issuer = listing["quotas"][0]["who"][0].as_str().unwrap();
    let whole = issuer.replace(':', "%3A").replace('/', "%2F");
    for name in [whole.as_str(), "carol"] {
        let line = format!("POST /quotas/reset?quota=q0&who={name}&reason=x");
        assert_eq!(ask(&stage, &line).await, json!({ "reset": 0 }), "{name}");
    }
    let line = "POST /quotas/reset?quota=q0&who=ANN&reason=agreed";
    assert_eq!(ask(&stage, line).await, json!({ "reset": 1 }));
    let listing = ask(&stage, "GET /quotas").await;
    assert_eq!(listing["quotas"].as_array().unwrap().len(), 1);
    assert_eq!(listing["quotas"][0]["who"][1], "bob");

    let known = "`nope` is no quota of this policy; there are: q0";
    for line in [
        "GET /quotas?quota=nope",
        "POST /quotas/reset?quota=nope&who=bob&reason=x",
    ] {
        assert_eq!(ask(&stage, line).await, json!({ "error": known }), "{line}");
    }
    let nobody = ask(&stage, "GET /quotas?quota=q0&who=carol").await;
    assert_eq!(nobody, json!({ "quotas": [] }));

    let Stage { running, folder } = stage;
    running.shutdown().await;
    let told: Vec<Value> = entries(folder.path())
        .iter()
        .filter(|entry| entry["unmapped"]["postern"]["admin"]["reason"] == "agreed")
        .map(|entry| {
            let postern = &entry["unmapped"]["postern"];
            let count = &postern["admin"]["count"];
            json!([postern["phase"], entry["status_id"], count])
        })
        .collect();
    assert_eq!(told, [json!(["intent", 0, 0]), json!(["outcome", 1, 1])]);
    let admin = entries(folder.path());
    let admin = admin
        .iter()
        .filter(|entry| entry["unmapped"]["postern"]["admin"]["action"] == "quota-reset");
    assert_eq!(admin.count(), 6, "three resets, and none of `nope`");
}
