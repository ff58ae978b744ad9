//! How export quotas are written for people and for programs.

use postern_config::{Policy, Quota};
use serde_json::{Map, Value, json};

use super::table;

/// A line for each quota, with the limit of each role, as aligned text under a heading; nothing when
/// the policy has none.
pub(in crate::cli) fn quota_table(policy: &Policy) -> String {
    if policy.quotas.is_empty() {
        return String::new();
    }
    let words = ["quota", "unit", "per", "window", "on_exceed"].map(str::to_owned);
    let heading = words.into_iter().chain(policy.roles.keys().cloned());
    let mut rows: Vec<Vec<String>> = vec![heading.collect()];
    for quota in &policy.quotas {
        let about = [
            quota.name.clone(),
            quota.unit.word().to_owned(),
            quota.per.word().to_owned(),
            quota.window_text(),
            quota.on_exceed.word().to_owned(),
        ];
        let limits = quota.limit.iter().map(|(_, limit)| limit.to_string());
        rows.push(about.into_iter().chain(limits).collect());
    }
    table(&rows)
}

/// The quotas by name.
pub(in crate::cli) fn quotas_json(policy: &Policy) -> Value {
    let quotas = policy.quotas.iter();
    let entry = |quota: &Quota| (quota.name.clone(), quota_json(quota));
    Value::Object(quotas.map(entry).collect())
}

fn quota_json(quota: &Quota) -> Value {
    let limits = quota.limit.iter();
    json!({
        "unit": quota.unit.word(),
        "per": quota.per.word(),
        "window_seconds": quota.window.as_secs(),
        "limit": limits
            .map(|(role, limit)| (role.to_owned(), limit.into()))
            .collect::<Map<String, Value>>(),
        "warn_at_percent": quota.warn_at,
        "on_exceed": quota.on_exceed.word(),
        "if_store_is_down": quota.if_store_is_down.word(),
    })
}

/// A line for each limit: quota, role, and how much of what. No label is called like a quota here.
pub(in crate::cli) fn quota_lines(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    for quota in &policy.quotas {
        let (unit, per, window) = (quota.unit.word(), quota.per.word(), quota.window_text());
        let (past, down) = (quota.on_exceed.word(), quota.if_store_is_down.word());
        for (role, limit) in quota.limit.iter() {
            let name = &quota.name;
            lines.push(format!(
                "(quota:{name}) {role} {limit} {unit} per {per} in {window}, {past}, store down: {down}"
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: mtls, subject: cn, roles: { "*": agent }, without_a_role: deny }
labels: { pii: Anything about a person }
routes:
  read: { match: "GET /{id}", label: { $.name: pii }, subjects: $.id }
  rest: { match: "ANY /{path...}", deny: true }
roles: { agent: { sees: { pii: mask } }, lead: { extends: agent } }
"#;
    const QUOTAS: &str = r#"quotas:
  people: { unit: subjects, per: identity, window: 24h, limit: { agent: 20, lead: 400 }, warn_at: 80% }
  burst: { unit: bytes, per: session, window: 90s, limit: { "*": 1KiB }, on_exceed: alert }
"#;

    fn policy(quotas: &str) -> Policy {
        Policy::parse("policy.yaml", &format!("{POLICY}{quotas}")).unwrap()
    }

    #[test]
    fn each_quota_is_a_row_with_the_limit_of_each_role() {
        let expected = "\
quota   unit      per       window  on_exceed  agent  lead
people  subjects  identity  1d      deny       20     400
burst   bytes     session   90s     alert      1024   1024
";
        assert_eq!(quota_table(&policy(QUOTAS)), expected);
        assert_eq!(quota_table(&policy("")), "");
    }

    #[test]
    fn the_same_is_told_to_programs_and_in_the_lock() {
        let policy = policy(QUOTAS);
        let people = &quotas_json(&policy)["people"];
        assert_eq!(people["limit"], json!({ "agent": 20, "lead": 400 }));
        assert_eq!(people["window_seconds"], 86_400);
        assert_eq!(people["warn_at_percent"], 80);
        let lines = quota_lines(&policy);
        let lead = "(quota:people) lead 400 subjects per identity in 1d, deny, store down: deny";
        assert_eq!((lines.len(), lines[1].as_str()), (4, lead));
    }
}
