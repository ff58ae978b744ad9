//! One keep-alive connection that asks the same again and again, and looks at every answer's status and length.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::load::Ask;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked, and where.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Where.
    pub(super) address: SocketAddr,
    /// The path and the query.
    pub(super) path: Uri,
    /// The fields besides `Host`.
    pub(super) fields: HeaderMap,
    /// How many bytes each answer has, once that is known.
    pub(super) length: Option<usize>,
}

/// Why there is no answer that counts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// No connection.
    #[error("no connection to {address}: {error}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The answer breaks off, or is no HTTP.
    #[error("the exchange broke off: {0}")]
    Exchange(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    /// Nothing came in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    /// Not 200.
    #[error("the status is {0}")]
    Status(StatusCode),
    /// Not as long as the one that was checked.
    #[error("an answer has {got} bytes, the one that was checked had {checked}")]
    Length {
        /// Of this one.
        got: usize,
        /// Of the other.
        checked: usize,
    },
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its fields.
    pub(super) fields: HeaderMap,
    /// Its body.
    pub(super) body: Bytes,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    question: Question,
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<hyper::Result<()>>,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(question: Question) -> Result<Self, AskError> {
        let address = question.address;
        let failed = |error| AskError::Connect { address, error };
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            question,
            sender,
            driver: tokio::spawn(connection),
        })
    }

    /// Asks once and keeps the answer, which has the status 200.
    pub(super) async fn answer(&mut self) -> Result<Answer, AskError> {
        let (fields, body) = self.heard().await;
        let fields = fields?;
        Ok(Answer { fields, body })
    }

    /// Asks once and keeps whatever comes of a body, however the exchange ends. Gives the fields of an answer with the
    /// status 200 that came to its end.
    pub(super) async fn heard(&mut self) -> (Result<HeaderMap, AskError>, Bytes) {
        let mut body = BytesMut::new();
        let ended = self.exchange(|part| body.extend_from_slice(part)).await;
        (ended, body.freeze())
    }

    /// One exchange, whose body goes to `take` as it comes.
    async fn exchange(&mut self, mut take: impl FnMut(&[u8])) -> Result<HeaderMap, AskError> {
        let request = self.request()?;
        let exchange = async {
            self.sender.ready().await?;
            let mut response = self.sender.send_request(request).await?;
            while let Some(frame) = response.frame().await {
                if let Some(part) = frame?.data_ref() {
                    take(part);
                }
            }
            match response.status() {
                StatusCode::OK => Ok(std::mem::take(response.headers_mut())),
                status => Err(AskError::Status(status)),
            }
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(exchanged) => exchanged,
            Err(_elapsed) => Err(AskError::Late),
        }
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, AskError> {
        let mut request = Request::get(self.question.path.clone())
            .header(HOST, self.question.address.to_string())
            .body(Empty::new())?;
        let fields = self.question.fields.iter();
        let fields =
            fields.map(|(name, value): (&HeaderName, &HeaderValue)| (name.clone(), value.clone()));
        request.headers_mut().extend(fields);
        Ok(request)
    }
}

impl Ask for Connection {
    type Error = AskError;

    async fn ask(&mut self) -> Result<(), AskError> {
        let mut got = 0;
        self.exchange(|part| got += part.len()).await?;
        match self.question.length {
            Some(checked) if checked != got => Err(AskError::Length { got, checked }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
