//! Findings as SARIF 2.1.0 (OASIS), which code scanning services read.

use std::collections::BTreeSet;

use postern_config::policy::error::explanation;
use serde_json::{Value, json};

use super::Finding;

/// One SARIF log with one run.
pub(crate) fn sarif(findings: &[Finding]) -> Value {
    let codes: BTreeSet<&str> = findings.iter().map(|found| found.code.as_str()).collect();
    let rules: Vec<Value> = codes.into_iter().map(rule).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "postern",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &str) -> Value {
    match explanation(code) {
        Some(known) => json!({
            "id": code,
            "shortDescription": { "text": known.title },
            "fullDescription": { "text": known.explanation },
        }),
        None => json!({ "id": code }),
    }
}

fn result(finding: &Finding) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": finding.file } });
    // SARIF counts from 1, so a finding about a whole file has no region.
    if let (Some(fields), true) = (place.as_object_mut(), finding.line > 0) {
        let region = json!({
            "startLine": finding.line,
            "startColumn": finding.column.max(1),
            "endColumn": finding.column.max(1) + finding.width,
        });
        fields.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": finding.code,
        "level": finding.level.word(),
        "message": { "text": finding.full_message() },
        "locations": [{ "physicalLocation": place }],
    })
}
