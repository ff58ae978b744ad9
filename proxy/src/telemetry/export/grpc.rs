//! OTLP over gRPC: one unary call for each request, on one connection that is made when it is needed.

use std::error::Error as _;

use http::{HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::super::settings::Endpoint;
use super::connect::{ConnectError, Connector};
use super::post::rejected;
use super::{Again, Refused, Request, Taken, USER_AGENT};

/// A collector that speaks gRPC.
pub(super) struct Grpc {
    channel: Channel,
    metadata: MetadataMap,
    gzip: bool,
}

impl std::fmt::Debug for Grpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grpc").finish_non_exhaustive()
    }
}

impl Grpc {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let connector = Connector::new(endpoint)?;
        let authority = endpoint.uri.authority().ok_or(ConnectError::Url)?;
        // TLS is the connector's; the scheme of the requests is the one that was configured.
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{authority}"))
            .and_then(|target| target.user_agent(USER_AGENT))
            .map_err(|_invalid| ConnectError::Url)?
            .origin(endpoint.uri.clone())
            .connect_with_connector_lazy(connector);
        let mut headers = HeaderMap::new();
        for (name, value) in &endpoint.headers {
            headers.append(name, HeaderValue::clone(value));
        }
        Ok(Self {
            channel,
            metadata: MetadataMap::from_headers(headers),
            gzip: endpoint.gzip,
        })
    }

    pub(super) async fn send(&self, request: &Request) -> Result<Taken, Refused> {
        let channel = self.channel.clone();
        let gzip = CompressionEncoding::Gzip;
        let answered = match request {
            Request::Traces(traces) => {
                let mut client = TraceServiceClient::new(channel);
                if self.gzip {
                    client = client.send_compressed(gzip);
                }
                let answer = client.export(self.request(traces.clone())).await;
                answer.map(|answer| {
                    let partial = answer.into_inner().partial_success;
                    partial.map_or(0, |partial| partial.rejected_spans)
                })
            }
            Request::Metrics(metrics) => {
                let mut client = MetricsServiceClient::new(channel);
                if self.gzip {
                    client = client.send_compressed(gzip);
                }
                let answer = client.export(self.request(metrics.clone())).await;
                answer.map(|answer| {
                    let partial = answer.into_inner().partial_success;
                    partial.map_or(0, |partial| partial.rejected_data_points)
                })
            }
            Request::Logs(logs) => {
                let mut client = LogsServiceClient::new(channel);
                if self.gzip {
                    client = client.send_compressed(gzip);
                }
                let answer = client.export(self.request(logs.clone())).await;
                answer.map(|answer| {
                    let partial = answer.into_inner().partial_success;
                    partial.map_or(0, |partial| partial.rejected_log_records)
                })
            }
        };
        answered.map(rejected).map_err(|status| refused(&status))
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        *request.metadata_mut() = self.metadata.clone();
        request
    }
}

/// What may be tried again (OTLP section "Failures" of OTLP/gRPC).
fn refused(status: &Status) -> Refused {
    // A status with a source did not come from the collector: the connection failed, and the code that was made
    // of that may be any, such as `INTERNAL` when the collector starts again.
    let code = match status.source() {
        Some(_failure) => Code::Unavailable,
        None => status.code(),
    };
    let (why, again) = match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss
        | Code::ResourceExhausted => ("it is not available", Again::After(None)),
        Code::Unauthenticated | Code::PermissionDenied => {
            ("it does not accept our credentials", Again::Never)
        }
        Code::Unimplemented => ("it does not take this signal", Again::Never),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Internal => ("it refuses the request", Again::Never),
    };
    Refused { why, again }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::super::settings::Protocol;
    use super::*;

    /// The type of a frame that begins a request (RFC 9113 section 6.2).
    const HEADERS: u8 = 1;
    const PREFACE_BYTES: usize = 24;

    /// Whether the bytes of a client hold the beginning of a request.
    fn holds_a_request(bytes: &[u8]) -> bool {
        let mut rest = bytes.get(PREFACE_BYTES..).unwrap_or_default();
        while let [a, b, c, kind, ..] = rest {
            if *kind == HEADERS {
                return true;
            }
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            rest = rest.get(9 + length..).unwrap_or_default();
        }
        false
    }

    /// What is made of a connection on which somebody says this when a request has come, and leaves.
    async fn left_with(words: &[u8]) -> Refused {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let grpc = Grpc::new(&Endpoint::plain(&url, Protocol::Grpc)).unwrap();
        let request = Request::Logs(ExportLogsServiceRequest::default());
        let leaving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Empty settings.
            stream
                .write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])
                .await
                .unwrap();
            let mut bytes = Vec::new();
            while !holds_a_request(&bytes) {
                stream.read_buf(&mut bytes).await.unwrap();
            }
            stream.write_all(words).await.unwrap();
        };
        tokio::join!(grpc.send(&request), leaving).0.unwrap_err()
    }

    #[tokio::test]
    async fn tries_again_when_a_collector_leaves_in_the_middle_of_a_request() {
        // GOAWAY without an error: what somebody says who starts again.
        let goes = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for words in [goes.as_slice(), &[]] {
            assert_eq!(
                left_with(words).await.again,
                Again::After(None),
                "{words:?}"
            );
        }
    }

    #[test]
    fn tries_again_what_may_succeed_later_and_nothing_else() {
        let again = |code| refused(&Status::new(code, "")).again;
        assert_eq!(again(Code::Unavailable), Again::After(None));
        assert_eq!(again(Code::DeadlineExceeded), Again::After(None));
        assert_eq!(again(Code::InvalidArgument), Again::Never);
        assert_eq!(again(Code::Unimplemented), Again::Never);
    }
}
