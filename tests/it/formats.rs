//! NDJSON, JSON text sequences, CSV and TSV through whole policies: written cases, public and recorded
//! tables, and generated ones against an independent reading.

mod cases;
mod lines;
mod recorded;
mod tables;

use bytes::Bytes;
use postern_config::{FormatKind, Policy, Revision};
use postern_filters::{
    BodyError, CompiledPolicy, EngineLimits, ExchangePlan, Identity, PseudonymKeys,
};

/// What a route of a test says; the rest of its policy is the same everywhere.
#[derive(Default)]
pub(super) struct Route {
    /// The route's keys but `match`, as YAML in block style without indentation.
    pub(super) keys: String,
    /// The `detect` section's value, if there is one.
    pub(super) detect: Option<String>,
    /// Label and action, one each.
    pub(super) sees: Vec<(String, String)>,
}

impl Route {
    /// The route's plan for a reader.
    pub(super) fn plan(&self) -> ExchangePlan {
        let mut text = String::from(
            "policy: v1\nname: formats\nidentity: { from: header, subject: X-S, roles: X-R, \
             trusted: [unix], without_a_role: deny }\nlabels:\n  none: Nothing\n",
        );
        for (label, _) in &self.sees {
            text.push_str(&format!("  {label}: A label\n"));
        }
        text.push_str("routes:\n  read:\n    match: GET /rows\n");
        for line in self.keys.lines() {
            text.push_str(&format!("    {line}\n"));
        }
        text.push_str("  everything_else: { match: 'ANY /{path...}', deny: true }\n");
        if let Some(detect) = &self.detect {
            text.push_str(&format!("detect: {detect}\n"));
        }
        text.push_str("roles:\n  reader:\n    sees:\n      none: show\n");
        for (label, action) in &self.sees {
            text.push_str(&format!("      {label}: {action}\n"));
        }
        let policy = match Policy::parse("policy.yaml", &text) {
            Ok(policy) => policy,
            Err(errors) => panic!("{}", errors.render(false)),
        };
        let limits = EngineLimits {
            json_depth: 128,
            held_bytes: 1 << 20,
            expand_ratio: 100,
        };
        let keys = PseudonymKeys::for_offline_use();
        let compiled = CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys);
        let identity = Identity {
            groups: vec!["reader".to_owned()],
            ..Identity::default()
        };
        compiled.unwrap().plan("read", &identity).unwrap()
    }
}

/// What leaves of a body that comes in these pieces.
pub(super) fn run(
    plan: &ExchangePlan,
    kind: FormatKind,
    pieces: &[&[u8]],
) -> Result<Vec<u8>, BodyError> {
    let mut pipeline = plan.pipeline(kind).expect("the route declares the format");
    let mut out = Vec::new();
    for piece in pieces {
        let ready = pipeline.push(Bytes::copy_from_slice(piece))?;
        out.extend_from_slice(&ready.into_bytes());
    }
    out.extend_from_slice(&pipeline.finish()?.into_bytes());
    Ok(out)
}

/// The same whole, byte by byte, in pieces of some length, and at every split of a short body: all must
/// agree.
pub(super) fn run_every_way(
    plan: &ExchangePlan,
    kind: FormatKind,
    body: &[u8],
) -> Result<Vec<u8>, BodyError> {
    let whole = run(plan, kind, &[body]);
    for length in [1, 7, 4096] {
        let pieces: Vec<&[u8]> = body.chunks(length).collect();
        let same = run(plan, kind, &pieces).ok() == whole.as_ref().ok().cloned();
        assert!(same, "in pieces of {length}");
    }
    for at in 0..=body.len().min(400) {
        let (a, b) = body.split_at(at);
        let same = run(plan, kind, &[a, b]).ok() == whole.as_ref().ok().cloned();
        assert!(same, "split at {at}");
    }
    whole
}
