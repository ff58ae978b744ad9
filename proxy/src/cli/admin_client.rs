//! Asking a running Postern through its admin listener: one request, and one bounded answer or one that
//! goes on.

mod follow;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::output::{Exit, Output};
use crate::admin::TOKEN_FILE;
use crate::load::{self, LoadError};

pub(super) use follow::Followed;

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

/// An answer whose head has come, and the connection that brings the rest.
struct Begun {
    response: Response<Incoming>,
    #[expect(dead_code, reason = "it is held so that the rest can come")]
    connection: AbortOnDrop,
}

/// A task that ends with whoever wants something of it.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
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

    /// Runs a command that answers people or in JSON. Where it cannot ask, why is told.
    pub(super) fn run<E: Display>(
        config: &Path,
        output: &Output,
        command: impl FnOnce(&Self) -> Result<Exit, E>,
    ) -> Exit {
        if !output.is_human_or_json() {
            return Exit::Unreadable;
        }
        let client = match Self::of_server_file(config) {
            Ok(client) => client,
            Err(error) => return output.load_failure(&error),
        };
        command(&client).unwrap_or_else(|error| {
            output.error(error);
            Exit::Unreachable
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
        let request = self.request(method, path, Some(self.token()?.trim()))?;
        let (status, body) = self.send(request)?;
        Ok((status, self.read(status, &body)?))
    }

    fn token(&self) -> Result<String, AskError> {
        std::fs::read_to_string(&self.token_file).map_err(|error| AskError::Token {
            path: self.token_file.clone(),
            error,
        })
    }

    /// Reads an answer to a request with the token.
    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Value, AskError> {
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(AskError::Refused {
                address: self.address.clone(),
                path: self.token_file.clone(),
            });
        }
        serde_json::from_slice(body).map_err(|error| self.no_answer(&error))
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
        let runtime = self.runtime()?;
        runtime.block_on(self.within(async {
            let mut answer = self.begin(request).await?;
            let body = self.whole(answer.response.body_mut()).await?;
            Ok((answer.response.status(), body))
        }))
    }

    fn runtime(&self) -> Result<tokio::runtime::Runtime, AskError> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.no_answer(&error))
    }

    /// Nothing is waited for forever.
    async fn within<T>(
        &self,
        asking: impl Future<Output = Result<T, AskError>>,
    ) -> Result<T, AskError> {
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|elapsed| Err(self.no_answer(&elapsed)))
    }

    /// The rest of an answer, as far as it is read.
    async fn whole(&self, body: &mut Incoming) -> Result<Bytes, AskError> {
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| self.no_answer(&error))?;
        Ok(body.to_bytes())
    }

    /// Sends a request and reads the answer's head.
    async fn begin(&self, request: Request<Empty<Bytes>>) -> Result<Begun, AskError> {
        let stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| self.no_answer(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.no_answer(&error))?;
        let connection = AbortOnDrop(tokio::spawn(async {
            // How the connection ends shows in the answer.
            drop(connection.await);
        }));
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.no_answer(&error))?;
        Ok(Begun {
            response,
            connection,
        })
    }

    fn no_answer(&self, reason: &impl ToString) -> AskError {
        AskError::NoAnswer {
            address: self.address.clone(),
            reason: reason.to_string(),
        }
    }
}
