//! Latency by percentile as an SVG picture: one panel for each size, one line for each place.
//!
//! Both axes are logarithmic: to the right every step has ten times fewer answers beyond it, so that the slowest
//! of a thousand are as wide as half of all.

use std::fmt::Write as _;

use super::figures::Figures;
use super::place::Part;
use super::report::{AtSize, Report};

/// Panels stand side by side, two in a row.
const PANEL: (f64, f64) = (560.0, 340.0);
const COLUMNS: usize = 2;
/// What is above all panels: the title and the legend.
const HEAD: f64 = 112.0;
/// Around the lines of a panel: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (64.0, 32.0, 24.0, 44.0);
/// Points of one line.
const STEPS: u32 = 96;
/// What is written below a panel, and how many tens of answers that is.
const SHARES: [(&str, f64); 5] = [
    ("0 %", 0.0),
    ("90 %", 1.0),
    ("99 %", 2.0),
    ("99.9 %", 3.0),
    ("99.99 %", 4.0),
];
/// Colours that people who see fewer of them still tell apart, for what is measured.
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6a51a3",
];

/// The picture.
pub(crate) fn svg(report: &Report) -> String {
    let rows = report.sizes.len().div_ceil(COLUMNS);
    let columns = report.sizes.len().clamp(1, COLUMNS);
    let (width, height) = (PANEL.0 * columns as f64, HEAD + PANEL.1 * rows as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"600\">Latency by percentile, at a fixed rate</text>\n\
         <text x=\"16\" y=\"44\" font-size=\"11\" fill=\"#666\">{}</text>\n",
        escaped(&report.machine())
    );
    if let Some(first) = report.sizes.first() {
        legend(&mut out, first, width);
    }
    for (index, size) in report.sizes.iter().enumerate() {
        let (column, row) = (index % COLUMNS, index / COLUMNS);
        let corner = (PANEL.0 * column as f64, HEAD + PANEL.1 * row as f64);
        panel(&mut out, size, corner);
    }
    out.push_str("</svg>\n");
    out
}

/// A name beside a piece of its line for each place.
fn legend(out: &mut String, size: &AtSize, width: f64) {
    let (mut x, mut y) = (16.0, 66.0);
    for (index, figures) in size.places.iter().enumerate() {
        let needed = 34.0 + 7.2 * figures.name.len() as f64;
        if x + needed > width {
            (x, y) = (16.0, y + 17.0);
        }
        let (look, name) = (look(figures, index), escaped(&figures.name));
        let (end, middle, text) = (x + 20.0, y - 4.0, x + 25.0);
        put(
            out,
            format_args!("<path d=\"M{x:.1} {middle:.1}H{end:.1}\" {look}/>"),
        );
        put(
            out,
            format_args!("<text x=\"{text:.1}\" y=\"{y:.1}\">{name}</text>"),
        );
        x += needed;
    }
}

fn panel(out: &mut String, size: &AtSize, (left, top): (f64, f64)) {
    let scale = Scale::of(size);
    put(
        out,
        format_args!("<g transform=\"translate({left:.0} {top:.0})\">"),
    );
    let title = format!("{}, {}", size.size, size.requests());
    let middle = MARGIN.0;
    put(
        out,
        format_args!("<text x=\"{middle}\" y=\"20\" font-weight=\"600\">{title}</text>"),
    );
    let (right, bottom) = (PANEL.0 - MARGIN.2, PANEL.1 - MARGIN.3);
    for tick in ticks().filter(|tick| (scale.low..=scale.high).contains(tick)) {
        let (y, label) = (scale.y(tick), time(tick));
        let (x, below) = (MARGIN.0 - 6.0, y + 4.0);
        put(
            out,
            format_args!(
                "<path d=\"M{} {y:.1}H{right}\" stroke=\"#e4e4e4\"/>",
                MARGIN.0
            ),
        );
        put(
            out,
            format_args!("<text x=\"{x}\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>"),
        );
    }
    for (label, tens) in SHARES.iter().filter(|(_, tens)| *tens <= scale.tens) {
        let (x, y) = (scale.x(*tens), bottom + 18.0);
        put(
            out,
            format_args!(
                "<path d=\"M{x:.1} {}V{bottom}\" stroke=\"#e4e4e4\"/>",
                MARGIN.1
            ),
        );
        put(
            out,
            format_args!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>"),
        );
    }
    for (index, figures) in size.places.iter().enumerate() {
        let (line, look) = (line(figures, &scale), look(figures, index));
        put(
            out,
            format_args!("<path d=\"{line}\" fill=\"none\" stroke-linejoin=\"round\" {look}/>"),
        );
    }
    out.push_str("</g>\n");
}

/// From latency and percentile to places in a panel.
struct Scale {
    low: f64,
    high: f64,
    /// The longest line ends where one of so many powers of ten is left.
    tens: f64,
}

impl Scale {
    fn of(size: &AtSize) -> Self {
        let places = || size.places.iter();
        let fastest = places().map(|figures| figures.latencies.at_share(0.0));
        let slowest = places().map(|figures| figures.latencies.at_share(1.0));
        let (fastest, slowest) = (
            fastest.fold(f64::INFINITY, f64::min),
            slowest.fold(1.0, f64::max),
        );
        Self {
            low: ticks().filter(|tick| *tick <= fastest).fold(1.0, f64::max),
            high: ticks()
                .filter(|tick| *tick >= slowest)
                .fold(f64::INFINITY, f64::min)
                .min(1e9),
            tens: places().map(tens).fold(1.0, f64::max),
        }
    }

    fn x(&self, tens: f64) -> f64 {
        MARGIN.0 + (PANEL.0 - MARGIN.0 - MARGIN.2) * (tens / self.tens)
    }

    fn y(&self, microseconds: f64) -> f64 {
        let part = (microseconds.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        PANEL.1 - MARGIN.3 - (PANEL.1 - MARGIN.1 - MARGIN.3) * part.min(1.0)
    }
}

/// How far a line goes: until one answer is left.
fn tens(figures: &Figures) -> f64 {
    (figures.requests.max(1) as f64).log10().min(4.0)
}

fn line(figures: &Figures, scale: &Scale) -> String {
    let mut path = String::new();
    for step in 0..=STEPS {
        let tens = tens(figures) * f64::from(step) / f64::from(STEPS);
        let latency = figures.latencies.at_share(1.0 - 10_f64.powf(-tens));
        let (letter, x, y) = (
            if step == 0 { 'M' } else { 'L' },
            scale.x(tens),
            scale.y(latency),
        );
        write!(path, "{letter}{x:.1} {y:.1}").unwrap_or_default();
    }
    path
}

/// What is compared with is grey.
fn look(figures: &Figures, index: usize) -> String {
    let colour = || {
        let mut colours = COLOURS.iter().cycle();
        *colours.nth(index).unwrap_or(&"#000000")
    };
    let (colour, dashes) = match figures.part {
        Part::Upstream => ("#999999", " stroke-dasharray=\"2 3\""),
        Part::Passthrough => ("#444444", " stroke-dasharray=\"6 3\""),
        Part::Measured => (colour(), ""),
        Part::Peer => (colour(), " stroke-dasharray=\"9 2 2 2\""),
    };
    format!("stroke=\"{colour}\" stroke-width=\"1.8\"{dashes}")
}

/// 1, 2 and 5 of each power of ten, in microseconds, up to a thousand seconds.
fn ticks() -> impl Iterator<Item = f64> {
    (0..9).flat_map(|ten| [1.0, 2.0, 5.0].map(|first| first * 10_f64.powi(ten)))
}

fn time(microseconds: f64) -> String {
    match microseconds {
        ..1e3 => format!("{microseconds:.0} µs"),
        1e3..1e6 => format!("{:.0} ms", microseconds / 1e3),
        _ => format!("{:.0} s", microseconds / 1e6),
    }
}

fn put(out: &mut String, element: std::fmt::Arguments<'_>) {
    // A string takes everything.
    writeln!(out, "{element}").unwrap_or_default();
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::report::samples;
    use super::*;

    #[test]
    fn a_picture_has_a_panel_for_each_size_and_a_line_for_each_place() {
        let mut report = samples::report();
        report.sizes.extend(samples::report().sizes);
        let picture = svg(&report);
        assert_eq!(picture.matches("<g ").count(), 2);
        assert_eq!(picture.matches("stroke-linejoin").count(), 6);
        for name in ["upstream", "passthrough", "ten-rules"] {
            assert_eq!(picture.matches(&format!(">{name}<")).count(), 1, "{name}");
        }
        assert!(
            !picture.contains("NaN") && !picture.contains("inf"),
            "{picture}"
        );
    }

    #[test]
    fn a_slower_line_is_higher_and_a_later_share_further_to_the_right() {
        let report = samples::report();
        let scale = Scale::of(&report.sizes[0]);
        assert!(scale.y(400.0) < scale.y(100.0));
        assert!(scale.x(2.0) > scale.x(1.0));
        assert_eq!((scale.low, scale.high), (50.0, 500.0));
    }

    #[test]
    fn text_of_others_is_no_markup() {
        assert_eq!(escaped("<a & b>"), "&lt;a &amp; b&gt;");
    }
}
