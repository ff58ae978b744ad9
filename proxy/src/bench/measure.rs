//! One run: every place is asked in turns, in another order each round.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};

use crate::clock::Clock;

use super::BenchError;
use super::connection::{Connection, Question};
use super::load::{Load, Schedule, as_fast_as_possible, at_rate};
use super::place::{Part, Place};
use super::plan::{Plan, Size};
use super::report::requests;
use super::stage::Stage;

/// Load goes on for this part of a measurement before it begins.
const WARMING: u32 = 5;
/// The rate is this part of what the slowest place of ours can do.
const PART_OF_SLOWEST: f64 = 0.5;

/// What was measured at one size.
#[derive(Debug)]
pub(super) struct Measured {
    /// The size.
    pub(super) size: Size,
    /// Requests a second at the fixed rate.
    pub(super) rate: f64,
    /// The places.
    pub(super) places: Vec<Samples>,
    /// Peers whose answers are not what they must be, and why: what they do is not what is measured.
    pub(super) left_out: Vec<LeftOut>,
}

/// A peer that has no figures.
#[derive(Debug, Clone)]
pub(crate) struct LeftOut {
    /// What tables would call it.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

/// What was measured of one place.
#[derive(Debug)]
pub(super) struct Samples {
    /// What tables call it.
    pub(super) name: String,
    /// What it is to the comparison.
    pub(super) part: Part,
    /// Whether it withholds something.
    pub(super) is_redacted: bool,
    /// How many bytes of a body it answers.
    pub(super) answer_bytes: usize,
    /// One for each round.
    pub(super) rounds: Vec<Sample>,
}

/// What was measured of one place in one round.
#[derive(Debug)]
pub(super) struct Sample {
    /// As fast as it answers.
    pub(super) full: Load,
    /// How long its processes worked for that.
    pub(super) worked: Option<Duration>,
    /// At the fixed rate.
    pub(super) at_rate: Load,
    /// On one connection, one request after another.
    pub(super) alone: Load,
}

/// Measures everything.
pub(super) async fn all(
    plan: &Plan,
    stage: &Stage,
    clock: &Arc<dyn Clock>,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Vec<Measured>, BenchError> {
    let mut all = Vec::new();
    for size in &stage.sizes {
        tell(format!("{size}: checking answers"));
        let (asked, left_out) = checked(&stage.places, *size).await?;
        let bench = Bench { plan, clock };
        let rate = match plan.rate {
            Some(rate) => rate,
            None => bench.slowest(&asked).await? * PART_OF_SLOWEST,
        };
        let places = bench.rounds(*size, rate, &asked, tell).await?;
        all.push(Measured {
            size: *size,
            rate,
            places,
            left_out,
        });
    }
    Ok(all)
}

/// What each place is asked. A wrong answer of ours ends the run; a peer that gives one is left out.
async fn checked(
    places: &[Place],
    size: Size,
) -> Result<(Vec<Asked<'_>>, Vec<LeftOut>), BenchError> {
    let checked = join_all(places.iter().map(|place| place.checked(size))).await;
    let (mut asked, mut left_out) = (Vec::new(), Vec::new());
    for (place, checked) in places.iter().zip(checked) {
        match checked {
            Ok(question) => asked.push((place, question)),
            Err(error) if place.part == Part::Peer => left_out.push(LeftOut {
                name: place.name.clone(),
                reason: error.to_string(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok((asked, left_out))
}

/// What every measurement needs.
struct Bench<'a> {
    plan: &'a Plan,
    clock: &'a Arc<dyn Clock>,
}

/// A place and what it is asked.
type Asked<'a> = (&'a Place, Question);

impl Bench<'_> {
    /// What the slowest place of ours answers a second: a peer that cannot keep up with that is to be seen. That warms
    /// everything up too.
    async fn slowest(&self, asked: &[Asked<'_>]) -> Result<f64, BenchError> {
        let mut slowest = f64::INFINITY;
        for (place, question) in asked {
            let connections = self.connect(place, question, self.plan.connections).await?;
            let (_, load) = self.full(place, connections, self.plan.time).await?;
            if place.part != Part::Peer {
                slowest = slowest.min(load.throughput());
            }
        }
        Ok(slowest)
    }

    async fn rounds(
        &self,
        size: Size,
        rate: f64,
        asked: &[Asked<'_>],
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<Vec<Samples>, BenchError> {
        let samples = |(place, question): &Asked<'_>| Samples {
            name: place.name.clone(),
            part: place.part,
            is_redacted: place.expected.is_redacted(),
            answer_bytes: question.length.unwrap_or_default(),
            rounds: Vec::new(),
        };
        let mut places: Vec<Samples> = asked.iter().map(samples).collect();
        for round in 0..self.plan.rounds {
            let of = self.plan.rounds;
            tell(format!(
                "{size}: round {} of {of}, at {}",
                round + 1,
                requests(rate)
            ));
            for index in order(asked.len(), round) {
                let (Some(asked), Some(samples)) = (asked.get(index), places.get_mut(index)) else {
                    continue;
                };
                samples.rounds.push(self.sample(asked, rate).await?);
            }
        }
        Ok(places)
    }

    async fn sample(&self, (place, question): &Asked<'_>, rate: f64) -> Result<Sample, BenchError> {
        let time = self.plan.time;
        let connections = self.connect(place, question, self.plan.connections).await?;
        let (connections, _) = self.full(place, connections, time / WARMING).await?;
        let before = place.worked();
        let (connections, full) = self.full(place, connections, time).await?;
        let worked = place.worked().zip(before);
        let worked = worked.map(|(after, before)| after.saturating_sub(before));
        let schedule = Schedule::new(self.clock.monotonic(), rate, time);
        let at_rate = at_rate(connections, schedule, self.clock).await;
        let (mut connections, at_rate) = at_rate.map_err(|error| place.silent(error))?;
        connections.truncate(1);
        let (_, alone) = self.full(place, connections, time / 2).await?;
        Ok(Sample {
            full,
            worked,
            at_rate,
            alone,
        })
    }

    async fn connect(
        &self,
        place: &Place,
        question: &Question,
        count: usize,
    ) -> Result<Vec<Connection>, BenchError> {
        let open = (0..count).map(|_| Connection::open(question.clone()));
        let opened = try_join_all(open).await;
        opened.map_err(|error| place.silent(error))
    }

    async fn full(
        &self,
        place: &Place,
        connections: Vec<Connection>,
        time: Duration,
    ) -> Result<(Vec<Connection>, Load), BenchError> {
        let loaded = as_fast_as_possible(connections, time, self.clock).await;
        loaded.map_err(|error| place.silent(error))
    }
}

/// Who comes when in a round: shifted by one each time, and every other round backwards, so that nobody always
/// follows the same neighbour.
fn order(places: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..places).collect();
    if places > 0 {
        order.rotate_left(round % places);
    }
    if !round.is_multiple_of(2) {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_comes_once_in_each_round_and_in_another_order() {
        let orders: Vec<Vec<usize>> = (0..4).map(|round| order(4, round)).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        assert_eq!(orders[0], [0, 1, 2, 3]);
        assert_eq!(orders[1], [0, 3, 2, 1]);
        assert_eq!(orders[2], [2, 3, 0, 1]);
        assert!(order(0, 3).is_empty());
    }
}
