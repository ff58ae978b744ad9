//! OTLP over gRPC: one unary call for each request, on one connection that is made when it is needed.

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
    let (why, again) = match status.code() {
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
    use super::*;

    #[test]
    fn tries_again_what_may_succeed_later_and_nothing_else() {
        let again = |code| refused(&Status::new(code, "")).again;
        assert_eq!(again(Code::Unavailable), Again::After(None));
        assert_eq!(again(Code::DeadlineExceeded), Again::After(None));
        assert_eq!(again(Code::InvalidArgument), Again::Never);
        assert_eq!(again(Code::Unimplemented), Again::Never);
    }
}
