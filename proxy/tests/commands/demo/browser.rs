//! A small blocking HTTP client.

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// What a request says besides its address.
pub(super) struct Browser<'a> {
    pub(super) method: &'a str,
    pub(super) token: &'a str,
    pub(super) body: Option<&'a str>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: String,
}

impl Browser<'_> {
    /// Asks for `http://host:port/target` on a connection of its own.
    pub(super) fn ask(&self, url: &str) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(self.exchange(url))
    }

    async fn exchange(&self, url: &str) -> Answer {
        let uri: http::Uri = url.parse().unwrap();
        let host = uri.authority().unwrap().to_string();
        let stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let target = uri.path_and_query().unwrap().as_str();
        let mut request = Request::builder()
            .method(self.method)
            .uri(target)
            .header("host", &host);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if self.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Bytes::from(self.body.unwrap_or_default().to_owned());
        let response = sender
            .send_request(request.body(Full::new(body)).unwrap())
            .await
            .unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        connection.abort();
        Answer {
            status,
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The status and the slug of a problem document.
    pub(super) fn problem(&self) -> (u16, &'static str) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        let slug = kind.strip_prefix("urn:postern:problem:").unwrap();
        (self.status, slug.to_owned().leak())
    }
}
