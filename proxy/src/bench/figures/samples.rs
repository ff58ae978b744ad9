//! Measurements that were never made, for tests.

use std::time::Duration;

use super::super::latencies::Latencies;
use super::super::load::Load;
use super::super::measure::{Measured, Sample, Samples};
use super::super::place::Part;
use super::super::plan::Size;

/// So many rounds of an upstream that takes 100 microseconds, a bare proxy that takes 200 and a row that takes
/// 400. The proxy answers half as often as the upstream, the row half as often as the proxy; the row works three
/// times as long as the proxy.
pub(in crate::bench) fn measured(rounds: usize) -> Measured {
    let places = [
        ("upstream", Part::Upstream, 4.0, 10, 100),
        ("passthrough", Part::Passthrough, 2.0, 20, 200),
        ("ten-rules", Part::Measured, 1.0, 60, 400),
    ];
    let places = places.map(|(name, part, speed, work, time)| Samples {
        name: name.to_owned(),
        part,
        is_redacted: part == Part::Measured,
        answer_bytes: 1024,
        rounds: (0..rounds).map(|_| sample(speed, work, time)).collect(),
    });
    Measured {
        size: Size(1024),
        rate: 500.0,
        places: places.into(),
        left_out: Vec::new(),
    }
}

/// Two peers beside them: one like the bare proxy, and one that redacts in twice the time of the row, with twice the
/// work, half as often.
pub(in crate::bench) fn peers(rounds: usize) -> [Samples; 2] {
    let peers = [
        ("plain-peer", false, 2.0, 20, 200),
        ("redacting-peer", true, 0.5, 120, 800),
    ];
    peers.map(|(name, is_redacted, speed, work, time)| Samples {
        name: name.to_owned(),
        part: Part::Peer,
        is_redacted,
        answer_bytes: 1024,
        rounds: (0..rounds).map(|_| sample(speed, work, time)).collect(),
    })
}

/// 60 answers, for each of which somebody worked so many microseconds.
fn sample(speed: f64, work: u64, time: u64) -> Sample {
    let load = |elapsed| {
        let mut latencies = Latencies::new();
        for _ in 0..60 {
            latencies.record(Duration::from_micros(time));
        }
        Load {
            latencies,
            elapsed,
            given_up: 0,
        }
    };
    Sample {
        full: load(Duration::from_secs_f64(1.0 / speed)),
        worked: Some(Duration::from_micros(60 * work)),
        at_rate: load(Duration::from_secs(1)),
        alone: load(Duration::from_secs(1)),
    }
}
