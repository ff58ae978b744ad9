//! The figures of a bench as tables for people: two for each size, and another where there are peers.

mod peers;

use crate::bench::{AtSize, Comparison, Figures, QUANTILES, Quantiles, Report, Spread};

use super::super::wording;

/// What stands where nothing is known.
const NONE: &str = "-";

/// All figures.
pub(super) fn text(report: &Report) -> String {
    let mut text = format!("{}\n", report.machine());
    for size in &report.sizes {
        text.push_str(&format!("\n{}, as fast as it answers\n", size.size));
        text.push_str(&wording::table(&throughput(size)));
        text.push_str(&format!(
            "\n{}, at {}: {}\n",
            size.size,
            size.requests(),
            QUANTILES.map(|quantile| quantile.name).join(" / ")
        ));
        text.push_str(&wording::table(&latency(size)));
        text.push_str(&peers::against(size));
    }
    text.push_str(&peers::hard_documents(report));
    text.push_str(&peers::left_out(report));
    text
}

fn throughput(size: &AtSize) -> Vec<Vec<String>> {
    let head = [
        "row",
        "requests/s",
        "of upstream",
        "of passthrough",
        "CPU/request",
        "to upstream",
        "to passthrough",
    ];
    let row = |figures: &Figures| {
        let ratio = |of: &Option<Comparison>, which: fn(&Comparison) -> Option<Spread>| {
            or_none(of.as_ref().and_then(which), ratio)
        };
        vec![
            figures.name.clone(),
            or_none(figures.throughput, |spread| format!("{:.0}", spread.median)),
            ratio(&figures.over_upstream, |of| of.throughput),
            ratio(&figures.over_passthrough, |of| of.throughput),
            figures
                .work
                .map_or_else(|| "not available".to_owned(), |spread| time(spread.median)),
            ratio(&figures.over_upstream, |of| of.work),
            ratio(&figures.over_passthrough, |of| of.work),
        ]
    };
    let rows = size.places.iter().map(row);
    [head.map(str::to_owned).to_vec()]
        .into_iter()
        .chain(rows)
        .collect()
}

fn latency(size: &AtSize) -> Vec<Vec<String>> {
    let head = [
        "row",
        "latency",
        "added to upstream",
        "added to passthrough",
        "alone p50",
        "added to upstream",
        "added to passthrough",
    ];
    let row = |figures: &Figures| {
        let over = |of: &Option<Comparison>| match of {
            None => NONE.to_owned(),
            Some(of) => together(&of.at_rate, |spread| added(spread.median)),
        };
        let alone = |of: &Option<Comparison>| {
            or_none(of.as_ref().and_then(|of| of.alone), |spread| {
                added(spread.median)
            })
        };
        let late = match figures.given_up {
            0 => String::new(),
            given_up => format!(" ({given_up} of {} given up)", figures.requests),
        };
        vec![
            figures.name.clone(),
            together(&figures.at_rate, |figure| time(*figure)) + &late,
            over(&figures.over_upstream),
            over(&figures.over_passthrough),
            or_none(figures.alone, |spread| time(spread.median)),
            alone(&figures.over_upstream),
            alone(&figures.over_passthrough),
        ]
    };
    let rows = size.places.iter().map(row);
    [head.map(str::to_owned).to_vec()]
        .into_iter()
        .chain(rows)
        .collect()
}

fn or_none<T>(figure: Option<T>, write: impl Fn(T) -> String) -> String {
    figure.map_or_else(|| NONE.to_owned(), write)
}

fn together<T>(figures: &Quantiles<T>, write: impl Fn(&T) -> String) -> String {
    let figures = figures
        .each_ref()
        .map(|figure| or_none(figure.as_ref(), &write));
    figures.join(" / ")
}

/// A ratio, with the smallest and the largest where there are several rounds.
fn ratio(spread: Spread) -> String {
    let Spread {
        median,
        least,
        most,
        rounds,
    } = spread;
    match rounds {
        0 | 1 => format!("{median:.2}"),
        _ => format!("{median:.2} ({least:.2} to {most:.2})"),
    }
}

/// A difference, with its sign.
fn added(microseconds: f64) -> String {
    match microseconds < 0.0 {
        true => format!("-{}", time(-microseconds)),
        false => format!("+{}", time(microseconds)),
    }
}

fn time(microseconds: f64) -> String {
    match microseconds {
        ..100.0 => format!("{microseconds:.1} us"),
        100.0..1e3 => format!("{microseconds:.0} us"),
        1e3..1e6 => format!("{:.2} ms", microseconds / 1e3),
        _ => format!("{:.2} s", microseconds / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample_report;

    #[test]
    fn a_table_has_ratios_with_their_spread_and_differences_with_their_sign() {
        let text = text(&sample_report());
        let (_machine, tables) = text.split_once('\n').unwrap();
        assert_eq!(
            tables,
            "
1k, as fast as it answers
row          requests/s  of upstream          of passthrough       CPU/request  to upstream          to passthrough
upstream     240         -                    -                    10.0 us      -                    -
passthrough  120         0.50 (0.50 to 0.50)  -                    20.0 us      2.00 (2.00 to 2.00)  -
ten-rules    60          0.25 (0.25 to 0.25)  0.50 (0.50 to 0.50)  60.0 us      6.00 (6.00 to 6.00)  3.00 (3.00 to 3.00)

1k, at 500 requests a second: p50 / p99 / p99.9
row          latency              added to upstream      added to passthrough   alone p50  added to upstream  added to passthrough
upstream     100 us / 100 us / -  -                      -                      100 us     -                  -
passthrough  200 us / 200 us / -  +100 us / +100 us / -  -                      200 us     +100 us            -
ten-rules    400 us / 400 us / -  +300 us / +300 us / -  +200 us / +200 us / -  400 us     +300 us            +200 us
"
        );
    }

    #[test]
    fn a_time_has_the_unit_that_suits_it() {
        let cases = [
            (9.96, "10.0 us"),
            (999.4, "999 us"),
            (1234.0, "1.23 ms"),
            (2e6, "2.00 s"),
        ];
        for (given, expected) in cases {
            assert_eq!(time(given), expected);
        }
        assert_eq!(added(-12.0), "-12.0 us");
    }
}
