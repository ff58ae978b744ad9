//! The Prometheus text format, for numbers that somebody else counts.

use std::fmt::Display;

/// A page of metrics.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

/// One metric of a page, to which values are added.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Page {
    /// Begins a number that only grows; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Begins a number that goes up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// The whole page.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        self.text
            .push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family {
            text: &mut self.text,
            name,
        }
    }
}

impl Family<'_> {
    /// The only value.
    pub(super) fn value(self, value: impl Display) {
        self.text.push_str(&format!("{} {value}\n", self.name));
    }

    /// A value under a label. Label values here are words of ours, versions and revisions: nothing in them
    /// needs an escape.
    pub(super) fn labelled(self, label: &str, of: &str, value: impl Display) -> Self {
        let line = format!("{}{{{label}=\"{of}\"}} {value}\n", self.name);
        self.text.push_str(&line);
        self
    }
}
