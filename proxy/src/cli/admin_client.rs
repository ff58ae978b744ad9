//! Asking a running Postern through its admin listener: one request, one bounded answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::admin::TOKEN_FILE;
use crate::load::{self, LoadError};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A running Postern's admin listener, as the server file describes it.
#[derive(Debug)]
pub(super) struct AdminClient {
    address: String,
    token_file: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The token cannot be read.
    #[error("cannot read the admin token `{}`: {error}; is Postern running, and is this its state folder?", path.display())]
    Token {
        path: PathBuf,
        error: std::io::Error,
    },
    /// Nothing answers there, or not HTTP.
    #[error("no answer from the admin listener at `{address}`: {reason}")]
    NoAnswer { address: String, reason: String },
    /// The token is not the running one's.
    #[error("the admin listener at `{address}` does not accept the token of `{}`", path.display())]
    Refused { address: String, path: PathBuf },
}

impl AdminClient {
    /// Reads where the admin listener is from the server file.
    pub(super) fn of_server_file(config: &Path) -> Result<Self, LoadError> {
        let server = load::load_server(config)?;
        Ok(Self {
            token_file: load::base_of(config).join(&server.state).join(TOKEN_FILE),
            address: server.admin,
        })
    }

    /// Where the admin listener is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks without the token: health only. The answer's text is returned as it is.
    pub(super) fn ask_openly(&self, path: &str) -> Result<(StatusCode, String), AskError> {
        let request = self.request(Method::GET, path, None)?;
        let (status, body) = self.send(request)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Asks with the token; answers are JSON.
    pub(super) fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, Value), AskError> {
        let token = std::fs::read_to_string(&self.token_file).map_err(|error| AskError::Token {
            path: self.token_file.clone(),
            error,
        })?;
        let request = self.request(method, path, Some(token.trim()))?;
        let (status, body) = self.send(request)?;
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(AskError::Refused {
                address: self.address.clone(),
                path: self.token_file.clone(),
            });
        }
        let answer = serde_json::from_slice(&body).map_err(|error| self.no_answer(&error))?;
        Ok((status, answer))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<Request<Empty<Bytes>>, AskError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.address);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request
            .body(Empty::new())
            .map_err(|error| self.no_answer(&error))
    }

    fn send(&self, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes), AskError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.no_answer(&error))?;
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.exchange(request))
                .await
                .unwrap_or_else(|elapsed| Err(self.no_answer(&elapsed)))
        })
    }

    async fn exchange(
        &self,
        request: Request<Empty<Bytes>>,
    ) -> Result<(StatusCode, Bytes), AskError> {
        let stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| self.no_answer(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.no_answer(&error))?;
        let connection = tokio::spawn(connection);
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| self.no_answer(&error))?
            .to_bytes();
        connection.abort();
        Ok((status, body))
    }

    fn no_answer(&self, reason: &impl ToString) -> AskError {
        AskError::NoAnswer {
            address: self.address.clone(),
            reason: reason.to_string(),
        }
    }
}
