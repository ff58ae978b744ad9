//! OpenTelemetry, seen from a collector: what arrives, what it is called, and what never arrives.

mod canaries;
mod checks;
mod collector;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use postern_proxy::clock::SystemClock;
use postern_proxy::{Telemetry, TelemetrySettings};
use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::heard;
use crate::origin::{Answer, Origin};
use crate::postern::{POLICY, Setting, Stage, get, request, start_with};
use crate::secure::Authority;
use checks::{check_logs, check_metrics, check_spans, header, only};
use collector::{Collector, Manners, Received, Speaks};
use reading::{attribute, body};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A stage whose telemetry goes to a collector; what this thread logs goes there too.
async fn observed(
    collector: &Collector,
    further: &[(&str, &str)],
    origin: &Origin,
) -> (Stage, DefaultGuard) {
    let mut variables = collector.variables();
    let further = further
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    variables.extend(further);
    let telemetry = telemetry(&variables);
    let layer = telemetry.log_layer();
    heard::by_some_threads();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let setting = Setting {
        policy: POLICY.to_owned(),
        telemetry: Some(telemetry),
        ..Setting::default()
    };
    (start_with(&setting, origin.address()).await, guard)
}

fn telemetry(variables: &[(String, String)]) -> Telemetry {
    let lookup = |name: &str| {
        let mut found = variables.iter().rev().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.clone())
    };
    let settings = TelemetrySettings::read(lookup).unwrap();
    // A slow machine must not lose what is looked for.
    let settings = settings.flushing_within(Duration::from_secs(60));
    Telemetry::new(settings, Arc::new(SystemClock)).unwrap()
}

/// An origin whose answers hold canaries, in what is hidden and in what is not.
async fn desk_of_canaries() -> Origin {
    Origin::answering(|request| {
        let request = String::from_utf8_lossy(request).into_owned();
        let at = |path: &str| request.split(' ').nth(1) == Some(path);
        if at("/cases/error") {
            let text = r#"{"error":"canaryerror at row 7"}"#;
            let length = text.len();
            Answer::raw(format!(
                "HTTP/1.1 500 Oops canaryerror\r\nContent-Type: application/json\r\n\
                 X-Error: canaryerror\r\nContent-Length: {length}\r\n\r\n{text}"
            ))
        } else if at("/cases/malformed") {
            Answer::raw("HTTP/1.1 200 OK\r\ncanarymalformed\r\n\r\n").then_close()
        } else if at("/cases/unreadable") {
            Answer::json(r#"{"ssn":"canaryunreadable""#)
        } else {
            Answer::json(r#"{"ssn":"canaryhidden","note":"canaryvisible"}"#)
        }
    })
    .await
}

async fn desk() -> Origin {
    Origin::answering(|_request| Answer::json(r#"{"id":7,"ssn":"912-04-7731"}"#)).await
}

/// A read within somebody's trace.
fn traced(target: &str, flags: &str) -> String {
    let lines = format!("traceparent: 00-{TRACE}-{CALLER}-{flags}\r\ntracestate: a=b,c=d\r\n");
    request("GET", target, "agent", &lines, "")
}

/// One read, observed.
async fn one_read(speaks: Speaks, further: &[(&str, &str)]) -> (Received, String, Stopped) {
    let collector = Collector::start(speaks, Manners::Takes).await;
    read_before(&collector, further).await
}

/// One read before the eyes of a collector, and what the collector has when Postern has stopped.
async fn read_before(
    collector: &Collector,
    further: &[(&str, &str)],
) -> (Received, String, Stopped) {
    let origin = desk().await;
    let (stage, _logs) = observed(collector, further, &origin).await;
    let reply = stage.send(&traced("/cases/7", "01")).await;
    assert_eq!(reply.status, 200);
    stage.idle().await;
    stage.running.shutdown().await;
    let upstream = origin.requests().remove(0);
    (collector.received(), upstream, Stopped(stage.folder))
}

/// The folder of a stage that has stopped.
struct Stopped(tempfile::TempDir);

async fn check_one_read(speaks: Speaks, further: &[(&str, &str)]) -> Received {
    let (received, upstream, stopped) = one_read(speaks, further).await;
    check_spans(&received, &upstream);
    check_metrics(&received);
    check_logs(&received, &stopped);
    let resources = received.resources();
    assert_eq!(resources.len(), 3);
    for resource in resources {
        let name = attribute(resource, "service.name");
        assert_eq!(name.as_deref(), Some("postern"));
    }
    received
}

#[tokio::test]
async fn a_collector_receives_everything_over_grpc() {
    let received = check_one_read(Speaks::Grpc, &[]).await;
    assert!(received.heads[0].contains("OTel-OTLP-Exporter-Postern/"));
}

#[tokio::test]
async fn a_collector_receives_everything_over_http() {
    check_one_read(Speaks::Http, &[]).await;
}

#[tokio::test]
async fn compresses_and_authenticates_as_it_is_told_to() {
    for speaks in [Speaks::Grpc, Speaks::Http] {
        let further = [
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-scope=desk%20a"),
        ];
        let received = check_one_read(speaks, &further).await;
        for head in received.heads {
            assert!(head.contains("desk a"), "{head}");
        }
    }
}

#[tokio::test]
async fn speaks_tls_to_a_collector_that_knows_it_and_to_no_other() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = authority.sign("postern");
    let (certificate, key) = (file("client.pem", &certificate), file("client.key", &key));
    for (roots, arrives) in [(&authority, true), (&other, false)] {
        let roots = file("roots.pem", &roots.pem);
        // What never arrives is not tried for long; what does has the time that a slow machine takes.
        let time = if arrives { "60000" } else { "200" };
        let further = [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", roots.as_str()),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
            ("OTEL_BSP_EXPORT_TIMEOUT", time),
            ("OTEL_BLRP_EXPORT_TIMEOUT", time),
            ("OTEL_METRIC_EXPORT_TIMEOUT", time),
        ];
        for (speaks, alpn) in [(Speaks::Grpc, "h2"), (Speaks::Http, "http/1.1")] {
            let tls = TlsAcceptor::from(Arc::new(authority.server(alpn.as_bytes())));
            let collector = Collector::start_with(speaks, Manners::Takes, Some(tls)).await;
            let received = read_before(&collector, &further).await.0;
            assert_eq!(received.traces.len(), usize::from(arrives), "{speaks:?}");
            assert_eq!(!received.bytes().is_empty(), arrives, "{speaks:?}");
        }
    }
}

#[tokio::test]
async fn exports_the_signals_that_are_asked_for_and_no_other() {
    let off = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let (received, upstream, _) = one_read(Speaks::Http, &off).await;
    assert!(received.traces.is_empty() && received.metrics.is_empty());
    assert_eq!(received.events("postern.decision").len(), 1);
    // Without spans of our own, the caller's decision goes on.
    assert!(
        header(&upstream, "traceparent")
            .unwrap()
            .starts_with(&format!("00-{TRACE}-"))
    );
    let (received, _, _) = one_read(Speaks::Grpc, &[("OTEL_SDK_DISABLED", "true")]).await;
    assert!(received.bytes().is_empty());
}

/// Whether a read is recorded and what the upstream is told, by sampler and by what the caller decided.
async fn sampled(sampler: &str, caller: &str) -> (usize, String) {
    let collector = Collector::start(Speaks::Http, Manners::Takes).await;
    let origin = desk().await;
    let (stage, _logs) = observed(&collector, &[("OTEL_TRACES_SAMPLER", sampler)], &origin).await;
    assert_eq!(stage.send(&traced("/cases/7", caller)).await.status, 200);
    stage.idle().await;
    stage.running.shutdown().await;
    let received = collector.received();
    let spans = received.spans(SpanKind::Server).len() + received.spans(SpanKind::Client).len();
    let told = header(&origin.requests()[0], "traceparent")
        .unwrap()
        .to_owned();
    let decision = body(received.events("postern.decision")[0]).to_owned();
    assert!(decision.contains(TRACE), "{decision}");
    (spans, told.rsplit('-').next().unwrap().to_owned())
}

#[tokio::test]
async fn records_what_the_sampler_says() {
    for (sampler, caller, spans, told) in [
        ("always_off", "01", 0, "00"),
        ("always_on", "00", 2, "01"),
        ("parentbased_always_on", "00", 0, "00"),
        ("parentbased_always_off", "01", 2, "01"),
    ] {
        let wanted = (spans, told.to_owned());
        assert_eq!(sampled(sampler, caller).await, wanted, "{sampler} {caller}");
    }
}

#[tokio::test]
async fn a_failure_is_on_both_spans_and_the_client_is_told_its_trace() {
    let collector = Collector::start(Speaks::Grpc, Manners::Takes).await;
    let origin =
        Origin::answering(|_request| Answer::raw("HTTP/1.1 200 OK\r\n\r\n").then_close()).await;
    let (stage, _logs) = observed(&collector, &[], &origin).await;
    let reply = stage.send(&traced("/cases/7", "01")).await;
    assert_eq!(reply.slug(), "unreadable-body");
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(problem["trace_id"], TRACE);
    let refused = stage.send(&get("/elsewhere", "agent")).await;
    assert_eq!(refused.slug(), "route-denied");
    stage.idle().await;
    stage.running.shutdown().await;
    let received = collector.received();
    let client = only(&received.spans(SpanKind::Client));
    assert_eq!(
        attribute(&client.attributes, "error.type").as_deref(),
        Some("unreadable")
    );
    assert_eq!(client.status.as_ref().unwrap().code(), StatusCode::Error);
    let servers = received.spans(SpanKind::Server);
    assert_eq!(servers.len(), 2);
    let failed = &servers[0];
    assert_eq!(
        attribute(&failed.attributes, "error.type").as_deref(),
        Some("unreadable-body")
    );
    assert_eq!(failed.status.as_ref().unwrap().code(), StatusCode::Error);
    // A refusal is no failure of a server (HTTP conventions), and its trace is another one.
    assert!(servers[1].status.is_none());
    assert_eq!(
        attribute(&servers[1].attributes, "postern.problem").as_deref(),
        Some("route-denied")
    );
    assert_ne!(servers[1].trace_id, failed.trace_id);
    assert!(servers[1].parent_span_id.is_empty());
}

#[tokio::test]
async fn tries_again_while_a_collector_is_not_available() {
    for speaks in [Speaks::Grpc, Speaks::Http] {
        let collector = Collector::start(speaks, Manners::Unavailable(1)).await;
        let origin = desk().await;
        let only_traces = [
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ];
        let (stage, _logs) = observed(&collector, &only_traces, &origin).await;
        assert_eq!(stage.send(&traced("/cases/7", "01")).await.status, 200);
        stage.idle().await;
        stage.running.shutdown().await;
        collector.asked(2).await;
        assert_eq!(collector.received().spans(SpanKind::Server).len(), 1);
    }
}

/// Reads while a collector is of no use: every answer is whole, and what is lost is counted.
async fn check_useless(variables: &[(&str, String)], collector: Option<&Collector>) {
    let origin = desk().await;
    let owned = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let setting = Setting {
        policy: POLICY.to_owned(),
        telemetry: Some(telemetry(&owned.collect::<Vec<_>>())),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    assert_eq!(stage.get("/cases/7", "agent").await.status, 200);
    if let Some(collector) = collector {
        collector.asked(1).await;
    }
    for _ in 0..5 {
        let reply = stage.get("/cases/7", "agent").await;
        assert_eq!((reply.status, reply.complete), (200, true));
    }
    stage.idle().await;
    let metrics = stage.metrics().await;
    let lost = metrics.lines().filter(|line| {
        let count = line.starts_with("postern_telemetry_records_total{");
        count && !line.contains("exported") && !line.ends_with(" 0")
    });
    assert!(lost.count() > 0, "{metrics}");
    stage.running.shutdown().await;
}

#[tokio::test]
async fn a_collector_that_hangs_or_is_down_leaves_exchanges_as_they_are() {
    let variables = |address: std::net::SocketAddr, protocol: &str| {
        [
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                format!("http://{address}/v1/traces"),
            ),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "1".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "1".to_owned()),
            ("OTEL_BSP_EXPORT_TIMEOUT", "100".to_owned()),
        ]
    };
    for (speaks, protocol) in [(Speaks::Grpc, "grpc"), (Speaks::Http, "http/protobuf")] {
        let hanging = Collector::start(speaks, Manners::Hangs).await;
        check_useless(&variables(hanging.address, protocol), Some(&hanging)).await;
        // Nobody listens there any more.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        check_useless(&variables(address, protocol), None).await;
    }
}
