//! An answer that goes on: line by line, for as long as both sides want.

use std::ops::ControlFlow;

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::{AdminClient, AskError};

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

/// How an answer that goes on came to its end.
#[derive(Debug)]
pub(in crate::cli) enum Followed {
    /// Whoever read it has seen enough.
    Enough,
    /// The other side said nothing more.
    Ended,
    /// It did not even begin: this is the answer instead.
    Answered(StatusCode, Value),
}

impl AdminClient {
    /// Asks with the token, says when the answer has begun, and hands over each line of it as it comes.
    pub(in crate::cli) fn follow(
        &self,
        path: &str,
        begins: impl FnOnce(),
        mut line: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Followed, AskError> {
        let request = self.request(Method::GET, path, Some(self.token()?.trim()))?;
        self.runtime()?.block_on(async {
            let mut begun = self.within(self.begin(request)).await?;
            let status = begun.response.status();
            let body = begun.response.body_mut();
            if status != StatusCode::OK {
                let body = self.within(self.whole(body)).await?;
                return Ok(Followed::Answered(status, self.read(status, &body)?));
            }
            begins();
            self.lines(body, &mut line).await
        })
    }

    async fn lines(
        &self,
        body: &mut Incoming,
        line: &mut impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Followed, AskError> {
        let mut begun = Vec::new();
        // A connection that breaks off is the end of a Postern that stops.
        while let Some(Ok(frame)) = body.frame().await {
            begun.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
                let rest = begun.split_off(end.saturating_add(1));
                let whole = std::mem::replace(&mut begun, rest);
                if line(String::from_utf8_lossy(&whole).trim_end()).is_break() {
                    return Ok(Followed::Enough);
                }
            }
            if begun.len() > LINE_BYTES_MAX {
                return Err(self.no_answer(&"a line is longer than any decision"));
            }
        }
        Ok(Followed::Ended)
    }
}
