//! What is said of one place: its figures, and how they compare with those of the bare upstream and of the bare
//! proxy in the same rounds.

use super::latencies::{Latencies, P50, QUANTILES, Quantile};
use super::measure::{Measured, Sample, Samples};
use super::place::Part;
use super::spread::Spread;

/// A figure for each of the quantiles that are reported.
pub(crate) type Quantiles<T> = [Option<T>; QUANTILES.len()];

/// The figures of one place at one size. Times are in microseconds.
#[derive(Debug)]
pub(crate) struct Figures {
    /// What tables call it.
    pub(crate) name: String,
    /// What it is to the comparison.
    pub(crate) part: Part,
    /// How many bytes of a body it answers.
    pub(crate) answer_bytes: usize,
    /// Answers a second, as fast as it can.
    pub(crate) throughput: Option<Spread>,
    /// How long its process works for one request.
    pub(crate) work: Option<Spread>,
    /// On one connection, one request after another: half of the answers took no longer.
    pub(crate) alone: Option<Spread>,
    /// At the fixed rate, over all rounds.
    pub(crate) at_rate: Quantiles<f64>,
    /// How many requests the fixed rate was over.
    pub(crate) requests: u64,
    /// How many of them were given up.
    pub(crate) given_up: u64,
    /// Every latency at the fixed rate.
    pub(crate) latencies: Latencies,
    /// Against the application, asked directly.
    pub(crate) over_upstream: Option<Comparison>,
    /// Against a bare pingora proxy.
    pub(crate) over_passthrough: Option<Comparison>,
    /// Against each proxy of somebody else that does no more than this one, by its name; none for those themselves.
    pub(crate) over_peers: Vec<(String, Comparison)>,
}

/// How one place compares with another.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// Its throughput divided by the other's.
    pub(crate) throughput: Option<Spread>,
    /// Its work for a request divided by the other's.
    pub(crate) work: Option<Spread>,
    /// What it adds on one connection.
    pub(crate) alone: Option<Spread>,
    /// Its time on one connection divided by the other's.
    pub(crate) alone_ratio: Option<Spread>,
    /// What it adds at the fixed rate.
    pub(crate) at_rate: Quantiles<Spread>,
}

impl Figures {
    /// The figures of all places at one size.
    pub(super) fn of(measured: &Measured) -> Vec<Self> {
        let other = |part| measured.places.iter().find(|samples| samples.part == part);
        let (upstream, bare) = (other(Part::Upstream), other(Part::Passthrough));
        let places = measured.places.iter();
        places
            .map(|samples| Self {
                over_peers: over_peers(samples, &measured.places),
                ..Self::compared(samples, upstream, bare)
            })
            .collect()
    }

    fn compared(samples: &Samples, upstream: Option<&Samples>, bare: Option<&Samples>) -> Self {
        let latencies = together(samples);
        let over = |other: Option<&Samples>| {
            let other = other.filter(|other| other.part != samples.part)?;
            Some(Comparison::of(samples, other))
        };
        let is_upstream = samples.part == Part::Upstream;
        Self {
            name: samples.name.clone(),
            part: samples.part,
            answer_bytes: samples.answer_bytes,
            throughput: Spread::of(samples.rounds.iter().map(|round| round.full.throughput())),
            work: Spread::of_all(samples.rounds.iter().map(work)),
            alone: Spread::of_all(samples.rounds.iter().map(alone)),
            at_rate: QUANTILES.map(|quantile| latencies.at(quantile)),
            requests: latencies.count(),
            given_up: samples
                .rounds
                .iter()
                .map(|round| round.at_rate.given_up)
                .sum(),
            latencies,
            over_upstream: over(upstream),
            over_passthrough: over(bare).filter(|_| !is_upstream),
            over_peers: Vec::new(),
        }
    }
}

impl Comparison {
    fn of(mine: &Samples, other: &Samples) -> Self {
        let ratio = |figure: fn(&Sample) -> Option<f64>| {
            pairs(mine, other, |mine, other| {
                Some(figure(mine)? / figure(other)?)
            })
        };
        Self {
            throughput: ratio(|round| Some(round.full.throughput())),
            work: ratio(work),
            alone: pairs(mine, other, |mine, other| {
                Some(alone(mine)? - alone(other)?)
            }),
            alone_ratio: ratio(alone),
            at_rate: QUANTILES.map(|quantile| added(quantile, mine, other)),
        }
    }
}

/// A place of ours against each peer. Who withholds nothing is not compared with a peer that does: it would do less.
fn over_peers(mine: &Samples, places: &[Samples]) -> Vec<(String, Comparison)> {
    let is_ours = matches!(mine.part, Part::Passthrough | Part::Measured);
    let peers = places.iter().filter(|other| other.part == Part::Peer);
    let peers = peers.filter(|peer| is_ours && (mine.is_redacted || !peer.is_redacted));
    peers
        .map(|peer| (peer.name.clone(), Comparison::of(mine, peer)))
        .collect()
}

/// A figure of each round of two places.
fn pairs(
    mine: &Samples,
    other: &Samples,
    figure: impl Fn(&Sample, &Sample) -> Option<f64>,
) -> Option<Spread> {
    let rounds = mine.rounds.iter().zip(&other.rounds);
    Spread::of_all(rounds.map(|(mine, other)| figure(mine, other)))
}

/// What one adds to the other at the fixed rate: by round, or, where a round has too few answers to tell, over all
/// rounds together.
fn added(quantile: Quantile, mine: &Samples, other: &Samples) -> Option<Spread> {
    let difference =
        |mine: &Latencies, other: &Latencies| Some(mine.at(quantile)? - other.at(quantile)?);
    pairs(mine, other, |mine, other| {
        difference(&mine.at_rate.latencies, &other.at_rate.latencies)
    })
    .or_else(|| Spread::of_all([difference(&together(mine), &together(other))]))
}

fn together(samples: &Samples) -> Latencies {
    let mut all = Latencies::new();
    for round in &samples.rounds {
        all.add(&round.at_rate.latencies);
    }
    all
}

fn work(round: &Sample) -> Option<f64> {
    let requests = round.full.latencies.count();
    Some(round.worked?.as_secs_f64() * 1e6 / requests as f64)
}

fn alone(round: &Sample) -> Option<f64> {
    round.alone.latencies.at(P50)
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_compared_with_the_upstream_and_the_bare_proxy_round_by_round() {
        let figures = Figures::of(&samples::measured(2));
        let [upstream, bare, row] = &figures[..] else {
            panic!("{figures:?}")
        };
        assert!(upstream.over_upstream.is_none() && upstream.over_passthrough.is_none());
        assert!(bare.over_upstream.is_some() && bare.over_passthrough.is_none());
        let over = row.over_passthrough.as_ref().unwrap();
        assert_eq!(over.throughput.unwrap().median, 0.5);
        let work = over.work.unwrap();
        assert!(
            (work.median - 3.0).abs() < 0.01 && work.rounds == 2,
            "{work:?}"
        );
        let alone = row.over_upstream.as_ref().unwrap().alone.unwrap();
        assert!((alone.median - 300.0).abs() < 2.0, "{alone:?}");
    }

    #[test]
    fn ours_are_compared_with_peers_that_do_no_more() {
        let mut measured = samples::measured(2);
        measured.places.extend(samples::peers(2));
        let figures = Figures::of(&measured);
        let named: Vec<Vec<&str>> = figures
            .iter()
            .map(|place| place.over_peers.iter().map(|(name, _)| &**name).collect())
            .collect();
        let both = vec!["plain-peer", "redacting-peer"];
        let (none, plain) = (Vec::new(), vec!["plain-peer"]);
        assert_eq!(named, [none.clone(), plain, both, none.clone(), none]);
        let (_, over) = &figures[2].over_peers[1];
        assert!((over.work.unwrap().median - 0.5).abs() < 0.01);
        assert!((over.alone_ratio.unwrap().median - 0.5).abs() < 0.01);
        assert_eq!(over.throughput.unwrap().median, 2.0);
    }

    #[test]
    fn a_quantile_that_one_round_is_too_short_for_is_told_over_all_of_them() {
        let figures = Figures::of(&samples::measured(2));
        let row = figures.last().unwrap();
        let [p50, p99, p999] = row.over_upstream.as_ref().unwrap().at_rate;
        assert_eq!(p50.unwrap().rounds, 2);
        assert_eq!(p99.unwrap().rounds, 1, "60 answers in each of two rounds");
        assert_eq!(p999, None);
    }
}
