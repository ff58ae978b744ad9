//! OTLP over HTTP/1.1 with binary protobuf: one connection and one POST for each request.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::super::settings::Endpoint;
use super::connect::{ConnectError, Connector};
use super::{Again, Refused, Request, Taken};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// A collector that asks for a longer pause is not waited for that long.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// A collector that takes POSTs.
#[derive(Debug)]
pub(super) struct Post {
    connector: Connector,
    uri: Uri,
    authority: HeaderValue,
    headers: Vec<(HeaderName, HeaderValue)>,
    gzip: bool,
}

impl Post {
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let authority = endpoint.uri.authority().ok_or(ConnectError::Url)?;
        let target = endpoint.uri.path_and_query();
        let target = target.map_or("/", http::uri::PathAndQuery::as_str);
        Ok(Self {
            connector: Connector::new(endpoint)?,
            uri: target.parse().map_err(|_invalid| ConnectError::Url)?,
            authority: HeaderValue::from_str(authority.as_str())
                .map_err(|_invalid| ConnectError::Url)?,
            headers: endpoint.headers.clone(),
            gzip: endpoint.gzip,
        })
    }

    pub(super) async fn send(&self, request: &Request) -> Result<Taken, Refused> {
        let message = self.message(request).ok_or(Refused {
            why: "the request cannot be built",
            again: Again::Never,
        })?;
        let unreachable = Refused {
            why: "it cannot be reached",
            again: Again::After(None),
        };
        let stream = self.connector.connect().await;
        let stream = TokioIo::new(stream.map_err(|_failed| unreachable)?);
        let handshake = hyper::client::conn::http1::handshake(stream).await;
        let (mut sender, connection) = handshake.map_err(|_failed| unreachable)?;
        let exchange = async {
            let answer = sender.send_request(message).await;
            let (head, body) = answer.map_err(|_broken| unreachable)?.into_parts();
            // OTLP asks for 200, but collectors that queue what they take say 202 or 204.
            if !head.status.is_success() {
                return Err(refused(head.status, &head.headers));
            }
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map(http_body_util::Collected::to_bytes);
            // What it says about a part that it refused may be missing; it has the rest.
            Ok(rejected(count(request, body.unwrap_or_default())))
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            answered = &mut exchange => answered,
            // The connection ends first when the body needs no more reading: the rest is in memory.
            _ended = &mut connection => exchange.await,
        }
    }

    fn message(&self, request: &Request) -> Option<http::Request<Full<Bytes>>> {
        let bytes = match request {
            Request::Traces(traces) => traces.encode_to_vec(),
            Request::Metrics(metrics) => metrics.encode_to_vec(),
            Request::Logs(logs) => logs.encode_to_vec(),
        };
        let mut builder = http::Request::post(self.uri.clone())
            .header(HOST, self.authority.clone())
            .header(USER_AGENT, super::USER_AGENT)
            .header(CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if !self.gzip {
            return builder.body(Full::from(bytes)).ok();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).ok()?;
        let bytes = encoder.finish().ok()?;
        builder
            .header(CONTENT_ENCODING, "gzip")
            .body(Full::from(bytes))
            .ok()
    }
}

/// How many records the answer says that were refused.
fn count(request: &Request, body: Bytes) -> i64 {
    match request {
        Request::Traces(_) => ExportTraceServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map_or(0, |partial| partial.rejected_spans),
        Request::Metrics(_) => ExportMetricsServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map_or(0, |partial| partial.rejected_data_points),
        Request::Logs(_) => ExportLogsServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map_or(0, |partial| partial.rejected_log_records),
    }
}

pub(super) fn rejected(records: i64) -> Taken {
    Taken {
        rejected: u64::try_from(records).unwrap_or(0),
    }
}

/// What may be tried again (OTLP section "Failures" of OTLP/HTTP).
fn refused(status: StatusCode, headers: &HeaderMap) -> Refused {
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Refused {
            why: "it is not available",
            again: Again::After(retry_after(headers)),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refused {
            why: "it does not accept our credentials",
            again: Again::Never,
        },
        StatusCode::NOT_FOUND => Refused {
            why: "it does not take this signal at this path",
            again: Again::Never,
        },
        _other => Refused {
            why: "it refuses the request",
            again: Again::Never,
        },
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::super::settings::Protocol;
    use super::*;

    #[test]
    fn tries_again_what_may_succeed_later_and_nothing_else() {
        let none = HeaderMap::new();
        let again = |status| refused(status, &none).again;
        assert_eq!(again(StatusCode::SERVICE_UNAVAILABLE), Again::After(None));
        assert_eq!(again(StatusCode::TOO_MANY_REQUESTS), Again::After(None));
        assert_eq!(again(StatusCode::BAD_REQUEST), Again::Never);
        assert_eq!(again(StatusCode::INTERNAL_SERVER_ERROR), Again::Never);
    }

    /// What becomes of a request that is answered so.
    async fn answered(answer: &'static [u8]) -> Result<Taken, Refused> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/logs", listener.local_addr().unwrap());
        let post = Post::new(&Endpoint::plain(&url, Protocol::Http)).unwrap();
        let request = Request::Logs(ExportLogsServiceRequest::default());
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            stream.write_all(answer).await.unwrap();
            stream
        };
        tokio::join!(post.send(&request), answering).0
    }

    #[tokio::test]
    async fn any_success_is_one() {
        for answer in [
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".as_slice(),
            b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        ] {
            assert_eq!(answered(answer).await, Ok(Taken { rejected: 0 }));
        }
        let moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(answered(moved).await.unwrap_err().again, Again::Never);
    }

    #[test]
    fn waits_as_long_as_it_is_asked_to_within_bounds() {
        let asked = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(
                RETRY_AFTER,
                HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("86400"), Some(RETRY_AFTER_MAX));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), None);
    }
}
