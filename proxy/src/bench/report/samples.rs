//! A report of measurements that were never made, for tests.

use std::time::Duration;

use super::super::figures::samples;
use super::super::plan::Plan;
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
        threads: 1,
        deployment: None,
    };
    Report::new(&plan, &[samples::measured(2)])
}
