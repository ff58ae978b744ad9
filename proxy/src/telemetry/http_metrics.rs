//! The metrics of the HTTP semantic conventions, in the registry that `/metrics` shows too.
//!
//! Their names and labels are those of OpenTelemetry's Prometheus compatibility; `registry` gives them
//! their own names back. A label that is empty stands for an attribute that is not there.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The bounds that the conventions ask for, in seconds.
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How long exchanges and upstream calls take, and how many exchanges run.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    server: HistogramVec,
    client: HistogramVec,
    active: IntGaugeVec,
}

/// What is said about an exchange that has ended.
#[derive(Debug)]
pub(crate) struct ServerFacts<'a> {
    pub(crate) method: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) version: &'static str,
    pub(crate) status: u16,
    pub(crate) route: &'a str,
    pub(crate) error: &'a str,
}

/// What is said about an upstream call that has ended.
#[derive(Debug)]
pub(crate) struct ClientFacts<'a> {
    pub(crate) method: &'static str,
    pub(crate) address: &'a str,
    pub(crate) port: u16,
    pub(crate) status: u16,
    pub(crate) error: &'a str,
}

/// An exchange that runs, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Active(IntGauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    /// # Errors
    /// Another metric has one of the names: a fault of ours.
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(BOUNDS.to_vec());
            let vec = HistogramVec::new(options, labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let active = IntGaugeVec::new(
            Opts::new("http_server_active_requests", "Exchanges that run"),
            &["http_request_method", "url_scheme"],
        )?;
        registry.register(Box::new(active.clone()))?;
        Ok(Self {
            server: histogram(
                "http_server_request_duration_seconds",
                "How long exchanges take, from head to end",
                &[
                    "http_request_method",
                    "url_scheme",
                    "network_protocol_version",
                    "http_response_status_code",
                    "http_route",
                    "error_type",
                ],
            )?,
            client: histogram(
                "http_client_request_duration_seconds",
                "How long the upstream takes, from a connection to the end of its answer",
                &[
                    "http_request_method",
                    "server_address",
                    "server_port",
                    "http_response_status_code",
                    "error_type",
                    "network_protocol_version",
                ],
            )?,
            active,
        })
    }

    /// An exchange begins.
    pub(crate) fn begin(&self, method: &'static str, scheme: &'static str) -> Active {
        let gauge = self.active.with_label_values(&[method, scheme]);
        gauge.inc();
        Active(gauge)
    }

    /// An exchange has ended.
    pub(crate) fn served(&self, facts: &ServerFacts<'_>, time: Duration) {
        let status = Digits::of(facts.status);
        self.server
            .with_label_values(&[
                facts.method,
                facts.scheme,
                facts.version,
                status.as_str(),
                facts.route,
                facts.error,
            ])
            .observe(time.as_secs_f64());
    }

    /// An upstream call has ended.
    pub(crate) fn called(&self, facts: &ClientFacts<'_>, time: Duration) {
        let (status, port) = (Digits::of(facts.status), Digits::of(facts.port));
        self.client
            .with_label_values(&[
                facts.method,
                facts.address,
                port.as_str(),
                status.as_str(),
                facts.error,
                "1.1",
            ])
            .observe(time.as_secs_f64());
    }
}

/// A number as text, without an allocation; nothing for 0.
pub(crate) struct Digits {
    text: [u8; 5],
    from: usize,
}

impl Digits {
    pub(crate) fn of(mut number: u16) -> Self {
        let mut text = [b'0'; 5];
        let mut from = text.len();
        for digit in text.iter_mut().rev() {
            if number == 0 {
                break;
            }
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
            from = from.saturating_sub(1);
        }
        Self { text, from }
    }

    pub(crate) fn as_str(&self) -> &str {
        let digits = self.text.get(self.from..).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        for (number, text) in [
            (0, ""),
            (7, "7"),
            (80, "80"),
            (404, "404"),
            (65535, "65535"),
        ] {
            assert_eq!(Digits::of(number).as_str(), text);
        }
    }
}
