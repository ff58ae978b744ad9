//! The report that people read, in the manner of rustc: what, where, the line with a mark, help.

use std::fmt::Write;

use super::blot::shown_lines;
use super::{PolicyError, PolicyErrors, Severity};

/// The longest part of a line that a snippet shows, in characters.
const SNIPPET_WIDTH_MAX: usize = 140;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const BLUE: &str = "\u{1b}[1;34m";
const RESET: &str = "\u{1b}[0m";

/// Writes text with or without colour.
#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color {
            format!("{code}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

pub(super) fn report(errors: &PolicyErrors, color: bool) -> String {
    let paint = Paint { color };
    let lines = shown_lines(errors);
    let mut report = String::new();
    for error in &errors.errors {
        let line = error.line.checked_sub(1).and_then(|n| lines.get(n));
        report.push_str(&one(&errors.file, error, line.map(String::as_str), paint));
        report.push('\n');
    }
    report.push_str(&summary(errors, paint));
    report
}

fn one(file: &str, error: &PolicyError, line: Option<&str>, paint: Paint) -> String {
    let (word, tone) = match error.severity() {
        Severity::Error => ("error", RED),
        Severity::Lint => ("lint", YELLOW),
    };
    let head = paint.paint(tone, &format!("{word}[{}]", error.code));
    let message = paint.paint(BOLD, &format!(": {}", printable(&error.message)));
    let mut text = format!("{head}{message}\n");
    let gutter = " ".repeat(error.line.to_string().len());
    let bar = paint.paint(BLUE, "|");
    let file = printable(file);
    let mut put = |line: String| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    let arrow = paint.paint(BLUE, "-->");
    match line {
        None => put(format!("{gutter}{arrow} {file}")),
        Some(line) => {
            put(format!(
                "{gutter}{arrow} {file}:{}:{}",
                error.line, error.column
            ));
            let (shown, marks) = snippet(line, error);
            let number = paint.paint(BLUE, &error.line.to_string());
            put(format!("{gutter} {bar}"));
            put(format!("{number} {bar} {shown}"));
            put(format!("{gutter} {bar} {}", paint.paint(tone, &marks)));
        }
    }
    let equals = paint.paint(BLUE, "=");
    if let Some(meant) = &error.did_you_mean {
        let meant = printable(meant);
        put(format!("{gutter} {equals} did you mean `{meant}`?"));
    }
    if let Some(help) = &error.help {
        put(format!("{gutter} {equals} help: {}", printable(help)));
    }
    text
}

/// The line, cropped around the mark, and the mark itself.
fn snippet(line: &str, error: &PolicyError) -> (String, String) {
    let characters: Vec<char> = line.chars().collect();
    let at = error.column.saturating_sub(1).min(characters.len());
    let rest = characters.len() - at;
    let width = error.width.clamp(1, rest.max(1));
    let from = if at + width <= SNIPPET_WIDTH_MAX {
        0
    } else {
        at.saturating_sub(SNIPPET_WIDTH_MAX / 4)
    };
    let shown: String = characters
        .iter()
        .skip(from)
        .take(SNIPPET_WIDTH_MAX)
        .collect();
    let width = width.min(SNIPPET_WIDTH_MAX.saturating_sub(at - from).max(1));
    let marks = format!("{}{}", " ".repeat(at - from), "^".repeat(width));
    (printable(&shown), marks)
}

/// SECURITY: a file cannot move the cursor or colour the terminal of whoever reads its report.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

fn summary(errors: &PolicyErrors, paint: Paint) -> String {
    let lints = errors
        .errors
        .iter()
        .filter(|error| error.severity() == Severity::Lint)
        .count();
    let found = errors.errors.len() - lints;
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let counts = match (found, lints) {
        (0, lints) => plural(lints, "lint finding"),
        (found, 0) => plural(found, "error"),
        (found, lints) => format!(
            "{}, {}",
            plural(found, "error"),
            plural(lints, "lint finding")
        ),
    };
    let first = errors.errors.first().map(|error| error.code);
    let mut text = paint.paint(BOLD, &format!("{counts} in {}", printable(&errors.file)));
    if let Some(code) = first {
        // Writing to a string cannot fail.
        write!(text, "; `postern explain {code}` says more").unwrap_or_default();
    }
    text.push('\n');
    text
}
