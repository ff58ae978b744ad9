//! Lines through samples: whether something grows for as long as it is watched.

use std::fmt;
use std::time::Duration;

/// Samples of memory and open files.
#[derive(Debug, Default)]
pub(super) struct Slopes(Vec<Sample>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    memory_kib: f64,
    files: f64,
}

impl Slopes {
    pub(super) fn note(&mut self, at: Duration, memory_kib: u64, files: u64) {
        self.0.push(Sample {
            seconds: at.as_secs_f64(),
            memory_kib: memory_kib as f64,
            files: files as f64,
        });
    }

    /// What the memory has grown by since the warm-up, by the line through it.
    pub(super) fn grown_kib(&self) -> f64 {
        let samples = self.warm();
        let time = match samples {
            [first, .., last] => last.seconds - first.seconds,
            _ => 0.0,
        };
        slope(samples, |sample| sample.memory_kib) * time
    }

    /// The samples after the first third, in which caches and pools fill.
    fn warm(&self) -> &[Sample] {
        &self.0[self.0.len() / 3..]
    }
}

impl fmt::Display for Slopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let samples = self.warm();
        let most = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
        write!(
            f,
            "after the warm-up: memory {:+.1} KiB/s (at most {} KiB), open files {:+.3}/s (at most {}) in {} samples",
            slope(samples, |sample| sample.memory_kib),
            most(|sample| sample.memory_kib),
            slope(samples, |sample| sample.files),
            most(|sample| sample.files),
            samples.len()
        )
    }
}

/// The slope of the line with the least squares, per second; 0 for fewer than two samples.
fn slope(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|sample| sample.seconds), mean(&|sample| of(sample)));
    let (mut over, mut under) = (0.0, 0.0);
    for sample in samples {
        over += (sample.seconds - x) * (of(sample) - y);
        under += (sample.seconds - x).powi(2);
    }
    if under > 0.0 { over / under } else { 0.0 }
}

#[test]
fn a_line_through_points_of_a_line_is_that_line() {
    let mut slopes = Slopes::default();
    for second in 0..30_u64 {
        slopes.note(Duration::from_secs(second), 1_000 + 7 * second, 12);
    }
    let samples = slopes.warm();
    assert!((slope(samples, |sample| sample.memory_kib) - 7.0).abs() < 1e-9);
    assert!(slope(samples, |sample| sample.files).abs() < 1e-9);
    assert!((slopes.grown_kib() - 7.0 * 19.0).abs() < 1e-6);
    assert!(slope(&[], |sample| sample.files).abs() < 1e-9);
}
