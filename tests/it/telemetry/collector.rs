//! An OTLP collector, made of the official protobufs: gRPC with their generated services, and HTTP/1.1
//! with their messages as bodies. It keeps everything as it came.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tonic::codec::CompressionEncoding;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::tokio_stream::{Stream, StreamExt as _};
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    Grpc,
    Http,
}

/// What it does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// Takes it.
    Takes,
    /// Says that it is not available, so many times, and takes it then.
    Unavailable(usize),
    /// Never answers.
    Hangs,
}

/// A running collector.
pub(super) struct Collector {
    pub(super) address: SocketAddr,
    pub(super) speaks: Speaks,
    secure: bool,
    shared: Arc<Shared>,
}

/// What has arrived.
#[derive(Debug, Default, Clone)]
pub(super) struct Received {
    pub(super) traces: Vec<ExportTraceServiceRequest>,
    pub(super) metrics: Vec<ExportMetricsServiceRequest>,
    pub(super) logs: Vec<ExportLogsServiceRequest>,
    /// Heads of HTTP requests, and metadata of calls.
    pub(super) heads: Vec<String>,
}

struct Shared {
    received: Mutex<Received>,
    refusals: AtomicUsize,
    hangs: bool,
    asked: watch::Sender<usize>,
}

/// Which services a gRPC server is made of.
#[derive(Clone)]
struct Services(Arc<Shared>);

impl Collector {
    /// A collector on a free port.
    pub(super) async fn start(speaks: Speaks, manners: Manners) -> Self {
        Self::start_with(speaks, manners, None).await
    }

    /// The same, over TLS if there is somebody to speak it.
    pub(super) async fn start_with(
        speaks: Speaks,
        manners: Manners,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            refusals: AtomicUsize::new(match manners {
                Manners::Unavailable(times) => times,
                Manners::Takes | Manners::Hangs => 0,
            }),
            hangs: manners == Manners::Hangs,
            asked: watch::Sender::new(0),
        });
        let served = Arc::clone(&shared);
        let secure = tls.is_some();
        match (speaks, tls) {
            (Speaks::Grpc, None) => {
                let incoming = TcpListenerStream::new(listener);
                tokio::spawn(serve_grpc(incoming, Services(served)));
            }
            (Speaks::Grpc, Some(tls)) => {
                let accept = move |stream: std::io::Result<TcpStream>| {
                    let tls = tls.clone();
                    async move { tls.accept(stream?).await }
                };
                let incoming = TcpListenerStream::new(listener).then(accept);
                tokio::spawn(serve_grpc(Box::pin(incoming), Services(served)));
            }
            (Speaks::Http, tls) => {
                tokio::spawn(accept_http(listener, tls, served));
            }
        }
        Self {
            address,
            speaks,
            secure,
            shared,
        }
    }

    /// The variables that name it.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let protocol = match self.speaks {
            Speaks::Grpc => "grpc",
            Speaks::Http => "http/protobuf",
        };
        let endpoint = match self.secure {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        };
        let pairs = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// What has arrived so far.
    pub(super) fn received(&self) -> Received {
        self.shared.received.lock().unwrap().clone()
    }

    /// Done when it was asked so often, whatever it answered.
    pub(super) async fn asked(&self, times: usize) {
        let mut asked = self.shared.asked.subscribe();
        let waiting = asked.wait_for(|asked| *asked >= times);
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        drop(waited.expect("asked in time").unwrap());
    }
}

impl Received {
    /// Every message as bytes, and every head.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for traces in &self.traces {
            bytes.extend(traces.encode_to_vec());
        }
        for metrics in &self.metrics {
            bytes.extend(metrics.encode_to_vec());
        }
        for logs in &self.logs {
            bytes.extend(logs.encode_to_vec());
        }
        for head in &self.heads {
            bytes.extend(head.as_bytes());
        }
        bytes
    }
}

impl Shared {
    /// Keeps what was asked, unless the collector has other manners.
    async fn take(&self, head: String, keep: impl FnOnce(&mut Received)) -> Result<(), ()> {
        self.asked.send_modify(|asked| *asked += 1);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let refused = self
            .refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if refused.is_ok() {
            return Err(());
        }
        let mut received = self.received.lock().unwrap();
        received.heads.push(head);
        keep(&mut received);
        Ok(())
    }
}

async fn serve_grpc<S>(incoming: impl Stream<Item = std::io::Result<S>>, services: Services)
where
    S: AsyncRead + AsyncWrite + Connected + Send + Unpin + 'static,
{
    let gzip = CompressionEncoding::Gzip;
    let traces = TraceServiceServer::new(services.clone()).accept_compressed(gzip);
    let metrics = MetricsServiceServer::new(services.clone()).accept_compressed(gzip);
    let logs = LogsServiceServer::new(services).accept_compressed(gzip);
    let served = tonic::transport::Server::builder()
        .add_service(traces)
        .add_service(metrics)
        .add_service(logs)
        .serve_with_incoming(incoming);
    served.await.unwrap();
}

fn unavailable(_refused: ()) -> Status {
    Status::unavailable("not yet")
}

#[tonic::async_trait]
impl TraceService for Services {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let head = format!("{:?}", request.metadata());
        let keep = |received: &mut Received| received.traces.push(request.into_inner());
        self.0.take(head, keep).await.map_err(unavailable)?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Services {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let head = format!("{:?}", request.metadata());
        let keep = |received: &mut Received| received.metrics.push(request.into_inner());
        self.0.take(head, keep).await.map_err(unavailable)?;
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Services {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let head = format!("{:?}", request.metadata());
        let keep = |received: &mut Received| received.logs.push(request.into_inner());
        self.0.take(head, keep).await.map_err(unavailable)?;
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

async fn accept_http(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        match tls.clone() {
            None => tokio::spawn(serve_http(stream, shared)),
            Some(tls) => tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    serve_http(stream, shared).await;
                }
            }),
        };
    }
}

async fn serve_http(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    while let Some((head, body)) = read_post(&mut stream).await {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        assert!(head.starts_with("POST "), "{head}");
        assert!(
            has_line(&head, "content-type: application/x-protobuf"),
            "{head}"
        );
        let body = match has_line(&head, "content-encoding: gzip") {
            true => {
                let mut plain = Vec::new();
                GzDecoder::new(body.as_slice())
                    .read_to_end(&mut plain)
                    .unwrap();
                plain
            }
            false => body,
        };
        let kept = shared.take(head, |received| match path.as_str() {
            "/v1/traces" => received
                .traces
                .push(Message::decode(body.as_slice()).unwrap()),
            "/v1/metrics" => received
                .metrics
                .push(Message::decode(body.as_slice()).unwrap()),
            "/v1/logs" => received
                .logs
                .push(Message::decode(body.as_slice()).unwrap()),
            other => panic!("{other}"),
        });
        let answer: &[u8] = match kept.await {
            Ok(()) => {
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
            }
            Err(()) => b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        };
        let _sent = stream.write_all(answer).await;
    }
}

fn has_line(head: &str, wanted: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case(wanted))
}

async fn read_post(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes.drain(..end).collect()).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length?;
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    bytes.truncate(length);
    Some((head, bytes))
}
