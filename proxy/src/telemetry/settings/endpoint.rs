//! Where a signal is exported to, and how.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use super::super::signal::Signal;
use super::read::Reader;

/// Where a signal goes. `Debug` shows no header: they hold credentials.
#[derive(Clone)]
pub(in crate::telemetry) struct Endpoint {
    /// With a scheme and an authority; for HTTP with the whole path.
    pub(in crate::telemetry) uri: Uri,
    pub(in crate::telemetry) protocol: Protocol,
    pub(in crate::telemetry) headers: Vec<(HeaderName, HeaderValue)>,
    /// How long one attempt may take.
    pub(in crate::telemetry) time_max: Duration,
    pub(in crate::telemetry) gzip: bool,
    /// Who is trusted, as PEM; the system's roots if nothing.
    pub(in crate::telemetry) roots: Option<PathBuf>,
    /// A client certificate and its key, as PEM.
    pub(in crate::telemetry) identity: Option<(PathBuf, PathBuf)>,
}

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum Protocol {
    Grpc,
    Http,
}

#[cfg(test)]
impl Endpoint {
    /// An endpoint without anything special.
    pub(in crate::telemetry) fn plain(url: &str, protocol: Protocol) -> Self {
        Self {
            uri: url.parse().unwrap(),
            protocol,
            headers: Vec::new(),
            time_max: Duration::from_secs(30),
            gzip: false,
            roots: None,
            identity: None,
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("authority", &self.uri.authority())
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl Reader<'_> {
    /// Where a signal goes.
    pub(super) fn endpoint(&mut self, signal: Signal) -> Endpoint {
        let protocol = self.protocol(signal);
        let time_max = match self.of_signal(signal, "TIMEOUT") {
            None => Duration::from_secs(10),
            Some((name, _)) => self.millis(&name, 10_000),
        };
        let gzip = match self.of_signal(signal, "COMPRESSION") {
            None => false,
            Some((name, value)) => match value.as_str() {
                "gzip" => true,
                "none" => false,
                _ => {
                    self.wrong(&name, "expected `gzip` or `none`");
                    false
                }
            },
        };
        Endpoint {
            uri: self.uri(signal, protocol),
            protocol,
            headers: self.headers(signal),
            time_max,
            gzip,
            roots: self.path(signal, "CERTIFICATE"),
            identity: self.identity(signal),
        }
    }

    fn path(&self, signal: Signal, suffix: &str) -> Option<PathBuf> {
        let (_, path) = self.of_signal(signal, suffix)?;
        Some(PathBuf::from(path))
    }

    fn identity(&mut self, signal: Signal) -> Option<(PathBuf, PathBuf)> {
        let certificate = self.of_signal(signal, "CLIENT_CERTIFICATE");
        let key = self.of_signal(signal, "CLIENT_KEY");
        match (certificate, key) {
            (Some((_, certificate)), Some((_, key))) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some((name, _)), None) => {
                self.wrong(
                    &name,
                    "a client's certificate needs its key, `..._CLIENT_KEY`",
                );
                None
            }
            (None, Some((name, _))) => {
                self.wrong(
                    &name,
                    "a client's key needs its certificate, `..._CLIENT_CERTIFICATE`",
                );
                None
            }
        }
    }

    fn protocol(&mut self, signal: Signal) -> Protocol {
        let Some((name, value)) = self.of_signal(signal, "PROTOCOL") else {
            return Protocol::Http;
        };
        match value.as_str() {
            "grpc" => Protocol::Grpc,
            "http/protobuf" => Protocol::Http,
            _ => {
                self.wrong(&name, "expected `grpc` or `http/protobuf`");
                Protocol::Http
            }
        }
    }

    /// A signal's own URL is taken as it is; over HTTP, the one for all signals gets the signal's path.
    fn uri(&mut self, signal: Signal, protocol: Protocol) -> Uri {
        let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.variable());
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned();
        let (name, text, is_own) = match (self.text(&own), self.text(&all)) {
            (Some(text), _) => (own, text, true),
            (None, Some(text)) => (all, text, false),
            (None, None) => (all, usual(protocol).to_owned(), false),
        };
        let mut url = match (text.contains("://"), protocol) {
            (false, Protocol::Grpc) => format!("{}://{text}", self.grpc_scheme(signal)),
            (true, _) | (false, Protocol::Http) => text,
        };
        if protocol == Protocol::Http && !is_own {
            url = format!("{}{}", url.trim_end_matches('/'), signal.http_path());
        }
        // SECURITY: a URL may hold a password, so it is never quoted.
        let parsed = url.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri
                    .authority()
                    .is_some_and(|authority| !authority.as_str().contains('@'))
        });
        parsed.unwrap_or_else(|| {
            self.wrong(
                &name,
                "expected `http://host:port` or `https://host:port`; credentials go into `OTEL_EXPORTER_OTLP_HEADERS`",
            );
            Uri::from_static("http://localhost:4318/")
        })
    }

    fn grpc_scheme(&mut self, signal: Signal) -> &'static str {
        match self.of_signal(signal, "INSECURE") {
            Some((name, _)) if self.flag(&name) => "http",
            Some(_) | None => "https",
        }
    }

    fn headers(&mut self, signal: Signal) -> Vec<(HeaderName, HeaderValue)> {
        let Some((variable, text)) = self.of_signal(signal, "HEADERS") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, value) in self.pairs(&variable, &text) {
            match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    headers.push((name, value));
                }
                (Err(_), _) | (_, Err(_)) => {
                    self.wrong(&variable, "a pair is no header field");
                }
            }
        }
        headers
    }
}

const fn usual(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Grpc => "http://localhost:4317",
        Protocol::Http => "http://localhost:4318",
    }
}
