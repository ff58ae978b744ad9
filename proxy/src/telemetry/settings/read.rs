//! Reads single variables and keeps what is wrong with them.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::super::sampler::Sampler;
use super::super::signal::Signal;
use super::Batches;

/// More records than these never wait, whatever is asked for.
const QUEUED_MAX: usize = 1 << 20;

/// The variables, and what is wrong with those that were read.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            wrong: Vec::new(),
        }
    }

    pub(super) fn into_wrong(self) -> Vec<String> {
        self.wrong
    }

    /// A variable that is set to something.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The variable of a signal that ends like this, or else the one for all signals.
    pub(super) fn of_signal(&self, signal: Signal, suffix: &str) -> Option<(String, String)> {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{suffix}", signal.variable());
        let all = format!("OTEL_EXPORTER_OTLP_{suffix}");
        [own, all]
            .into_iter()
            .find_map(|name| self.text(&name).map(|value| (name, value)))
    }

    /// Notes what is wrong. SECURITY: the value of a variable that may hold a credential is not quoted.
    pub(super) fn wrong(&mut self, name: &str, message: &str) {
        let line = format!("`{name}`: {message}");
        if !self.wrong.contains(&line) {
            self.wrong.push(line);
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        let Some(value) = self.text(name) else {
            return false;
        };
        match value.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => {
                self.wrong(name, "expected `true` or `false`");
                false
            }
        }
    }

    /// Whether a signal is exported: its exporter says so, or there is an endpoint to export it to.
    pub(super) fn exports(&mut self, signal: Signal) -> bool {
        let name = format!("OTEL_{}_EXPORTER", signal.variable());
        match self.text(&name).as_deref() {
            None => self.of_signal(signal, "ENDPOINT").is_some(),
            Some("otlp") => true,
            Some("none") => false,
            Some(_) => {
                self.wrong(&name, "expected `otlp` or `none`");
                false
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, usual: u64) -> u64 {
        let Some(value) = self.text(name) else {
            return usual;
        };
        value.parse().unwrap_or_else(|_error| {
            self.wrong(name, "expected a whole number");
            usual
        })
    }

    /// A time in milliseconds, of which there must be one.
    pub(super) fn millis(&mut self, name: &str, usual: u64) -> Duration {
        let millis = self.number(name, usual);
        if millis == 0 {
            self.wrong(name, "expected at least 1 millisecond");
        }
        Duration::from_millis(millis.max(1))
    }

    fn count(&mut self, name: &str, usual: usize) -> usize {
        let count = self.number(name, u64::try_from(usual).unwrap_or(u64::MAX));
        match usize::try_from(count) {
            Ok(count) if (1..=QUEUED_MAX).contains(&count) => count,
            Ok(_) | Err(_) => {
                self.wrong(name, "expected a number from 1 to 1048576");
                usual
            }
        }
    }

    /// The batches that the variables with this prefix describe.
    pub(super) fn batches(&mut self, prefix: &str, delay: u64) -> Batches {
        let queued_max = self.count(&format!("{prefix}_MAX_QUEUE_SIZE"), 2_048);
        let batch = format!("{prefix}_MAX_EXPORT_BATCH_SIZE");
        let batch_max = match self.text(&batch) {
            None => queued_max.min(512),
            Some(_) => self.count(&batch, 512),
        };
        if batch_max > queued_max {
            self.wrong(
                &batch,
                &format!("expected no more than `{prefix}_MAX_QUEUE_SIZE`"),
            );
        }
        Batches {
            queued_max,
            batch_max,
            delay: self.millis(&format!("{prefix}_SCHEDULE_DELAY"), delay),
            time_max: self.millis(&format!("{prefix}_EXPORT_TIMEOUT"), 30_000),
        }
    }

    pub(super) fn sampler(&mut self) -> Sampler {
        let (name, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        let ratio = |reader: &mut Self| match reader.text(argument) {
            None => 1.0,
            Some(text) => match text.parse::<f64>() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
                Ok(_) | Err(_) => {
                    reader.wrong(argument, "expected a number from 0 to 1");
                    1.0
                }
            },
        };
        let wanted = self.text(name);
        match wanted.as_deref() {
            None | Some("parentbased_always_on") => Sampler::always().by_parent(),
            Some("always_on") => Sampler::always(),
            Some("always_off") => Sampler::never(),
            Some("parentbased_always_off") => Sampler::never().by_parent(),
            Some("traceidratio") => Sampler::ratio(ratio(self)),
            Some("parentbased_traceidratio") => Sampler::ratio(ratio(self)).by_parent(),
            Some(_) => {
                self.wrong(
                    name,
                    "expected `always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`",
                );
                Sampler::never()
            }
        }
    }

    /// Context is continued as W3C headers; other propagators would be ignored silently.
    pub(super) fn refuse_other_propagators(&mut self) {
        let name = "OTEL_PROPAGATORS";
        let wanted = self.text(name).unwrap_or_default();
        let known = |part: &str| ["", "tracecontext", "baggage"].contains(&part.trim());
        if !wanted.split(',').all(known) {
            self.wrong(name, "expected `tracecontext` and `baggage` only");
        }
    }

    /// What is counted here is counted from the start on.
    pub(super) fn refuse_other_temporality(&mut self) {
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let wanted = self.text(name).unwrap_or_default();
        if !wanted.is_empty() && !wanted.eq_ignore_ascii_case("cumulative") {
            self.wrong(name, "expected `cumulative`");
        }
    }

    /// The resource: who exports. `OTEL_SERVICE_NAME` goes before `OTEL_RESOURCE_ATTRIBUTES`.
    pub(super) fn resource(&mut self) -> Vec<(String, String)> {
        let attributes = "OTEL_RESOURCE_ATTRIBUTES";
        let mut resource = match self.text(attributes) {
            None => Vec::new(),
            Some(text) => self.pairs(attributes, &text),
        };
        let named = self.text("OTEL_SERVICE_NAME");
        let has_name = resource.iter().any(|(key, _)| key == "service.name");
        if let Some(name) = named.or_else(|| (!has_name).then(|| "postern".to_owned())) {
            resource.retain(|(key, _)| key != "service.name");
            resource.insert(0, ("service.name".to_owned(), name));
        }
        let ours = [
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.name", "postern"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        for (key, value) in ours {
            if !resource.iter().any(|(known, _)| known == key) {
                resource.push((key.to_owned(), value.to_owned()));
            }
        }
        resource
    }

    /// A list `key=value,key=value` whose values are percent-encoded. A later pair replaces an earlier one.
    pub(super) fn pairs(&mut self, name: &str, text: &str) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let decoded = pair.split_once('=').and_then(|(key, value)| {
                let decode = |part: &str| {
                    let part = percent_decode_str(part.trim()).decode_utf8();
                    part.ok().map(std::borrow::Cow::into_owned)
                };
                let key = decode(key).filter(|key| !key.is_empty())?;
                Some((key, decode(value)?))
            });
            match decoded {
                Some((key, value)) => {
                    pairs.retain(|(known, _)| *known != key);
                    pairs.push((key, value));
                }
                None => self.wrong(name, "expected `key=value,key=value`, percent-encoded"),
            }
        }
        pairs
    }
}
