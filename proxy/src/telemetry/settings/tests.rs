//! What variables mean, and which values are refused.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<TelemetrySettings, SettingsError> {
    let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    TelemetrySettings::read(|name| pairs.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn exports_nothing_unless_a_variable_asks_for_it() {
    assert!(!read(&[]).unwrap().exports());
    let service = [
        ("OTEL_SERVICE_NAME", "desk"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ];
    assert!(!read(&service).unwrap().exports());
    let off = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
        ("OTEL_SDK_DISABLED", "TRUE"),
    ];
    assert!(!read(&off).unwrap().exports());
    let some = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]);
    let some = some.unwrap();
    assert!(some.traces.is_some() && some.metrics.is_none() && some.logs.is_some());
    let one = read(&[("OTEL_LOGS_EXPORTER", "otlp")]).unwrap();
    assert!(one.traces.is_none() && one.metrics.is_none() && one.logs.is_some());
}

#[test]
fn adds_the_path_of_a_signal_to_the_common_url_only() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/base/"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://l.example/own"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
    ]);
    let settings = settings.unwrap();
    let traces = settings.traces.unwrap().endpoint;
    assert_eq!(traces.uri.to_string(), "http://c:4318/base/v1/traces");
    assert_eq!(traces.protocol, Protocol::Http);
    let logs = settings.logs.unwrap().endpoint;
    assert_eq!(logs.uri.to_string(), "https://l.example/own");
    let metrics = settings.metrics.unwrap().endpoint;
    assert_eq!(metrics.uri.to_string(), "http://c:4318/base/");
    assert_eq!(metrics.protocol, Protocol::Grpc);
}

#[test]
fn speaks_to_the_usual_ports_when_only_an_exporter_is_named() {
    let http = read(&[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap();
    let uri = http.traces.unwrap().endpoint.uri;
    assert_eq!(uri.to_string(), "http://localhost:4318/v1/traces");
    let grpc = read(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ]);
    let uri = grpc.unwrap().traces.unwrap().endpoint.uri;
    assert_eq!(uri.to_string(), "http://localhost:4317/");
}

#[test]
fn reads_times_sizes_headers_and_the_resource() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, X-Scope=1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=a,deployment.environment.name=b%2Cc",
        ),
        ("OTEL_SERVICE_NAME", "desk"),
    ]);
    let settings = settings.unwrap();
    let traces = settings.traces.unwrap();
    assert_eq!(traces.endpoint.uri.to_string(), "http://c:4317/");
    assert_eq!(traces.endpoint.time_max, Duration::from_millis(250));
    let (name, value) = traces.endpoint.headers.first().unwrap();
    assert_eq!((name.as_str(), value.to_str().unwrap()), ("api-key", "a b"));
    assert_eq!(
        (traces.batches.queued_max, traces.batches.batch_max),
        (10, 5)
    );
    assert_eq!(settings.metrics.unwrap().every, Duration::from_secs(1));
    let of = |wanted: &str| {
        settings
            .resource
            .iter()
            .find(|(key, _)| key == wanted)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(of("service.name"), "desk");
    assert_eq!(of("deployment.environment.name"), "b,c");
    assert!(!format!("{:?}", traces.endpoint).contains("a b"));
}

#[test]
fn refuses_values_that_it_would_otherwise_ignore() {
    let on = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:pass@c"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "nothing"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "-1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a"),
        ("OTEL_SDK_DISABLED", "1"),
    ] {
        let told = read(&[on, (name, value)]).unwrap_err().to_string();
        assert!(told.starts_with(&format!("`{name}`: ")), "{told}");
        assert!(!told.contains("user:pass"), "{told}");
    }
    for ratio in ["-0.1", "1.1", "NaN", "half"] {
        let pairs = [
            on,
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ];
        assert!(read(&pairs).is_err(), "{ratio}");
    }
}

#[test]
fn tells_everything_that_is_wrong_at_once() {
    let told = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://c"),
        ("OTEL_TRACES_SAMPLER", "some"),
    ]);
    let told = told.unwrap_err().to_string();
    assert!(told.contains("`OTEL_EXPORTER_OTLP_ENDPOINT`"), "{told}");
    assert!(told.contains("`OTEL_TRACES_SAMPLER`"), "{told}");
}
