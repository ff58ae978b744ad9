//! A report of measurements that were never made, for tests.

use std::time::Duration;

use super::super::figures::samples;
use super::super::measure::LeftOut;
use super::super::plan::Plan;
use super::super::traps::{self, Judged, Verdict};
use super::Report;

/// Two rounds at one size.
pub(crate) fn report() -> Report {
    let plan = Plan {
        rounds: 2,
        time: Duration::from_secs(1),
        connections: 4,
        rate: None,
        sizes: Vec::new(),
        rows: Vec::new(),
        peers: Vec::new(),
        threads: 1,
        deployment: None,
    };
    Report::new(&plan, &[samples::measured(2)], (Vec::new(), Vec::new()))
}

/// The same with two peers, and a third that did not start.
pub(crate) fn report_with_peers() -> Report {
    let mut measured = samples::measured(2);
    measured.places.extend(samples::peers(2));
    let left_out = LeftOut {
        name: "absent-peer".to_owned(),
        reason: "nobody has it".to_owned(),
    };
    let judged = |name: &str, changed: Option<Verdict>| Judged {
        name: name.to_owned(),
        verdicts: traps::names()
            .map(|trap| match trap {
                "decimals" => changed.clone().unwrap_or(Verdict::Exact),
                _ => Verdict::Exact,
            })
            .collect(),
    };
    let judged = vec![
        judged("ten-rules", None),
        judged("redacting-peer", Some(Verdict::Loses("12.50"))),
    ];
    Report::new(&report().plan, &[measured], (vec![left_out], judged))
}
