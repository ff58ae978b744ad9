//! A request on its way up: the application's cookies and tokens go back in.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderValue};
use http::{HeaderMap, HeaderName};
use postern_filters::placeholder::{Place as Where, Placeholder, swap_text};
use postern_filters::request_body::{RequestBody, RequestBodyError};
use postern_filters::request_tokens::request_header_tokens;
use postern_filters::{DenyReason, SessionLine};

use super::begin::is_somebodys;
use super::{Visit, lock};
use crate::hygiene::{CleanRequest, Refusal};
use crate::respond::{Problem, SessionProblem};

/// How long the body of a login may be for somebody without a session: a name and a password, or an assertion.
const LOGIN_BYTES_MAX: u64 = 64 << 10;

impl Visit {
    /// How long the request's body may be, where the server allows so many bytes. It is held whole, and at the login for
    /// anybody.
    pub(crate) fn body_bytes_max(&self, bytes_max: u64) -> u64 {
        let is_somebodys = lock(&self.open).as_ref().is_some_and(is_somebodys);
        match self.line == Some(SessionLine::Login) && !is_somebodys {
            true => bytes_max.min(LOGIN_BYTES_MAX),
            false => bytes_max,
        }
    }

    /// The target that goes up, with true tokens in it; none when it goes up as it came. What was
    /// brought from outside is not in it.
    ///
    /// # Errors
    /// A token cannot be written there.
    pub(crate) fn target(&self, target: &str) -> Result<Option<String>, Problem> {
        let without = self.without_found(target);
        let text = without.as_deref().unwrap_or(target.as_bytes());
        let lookup = |placeholder: &Placeholder, name: &[u8]| self.token_under(placeholder, name);
        let (swapped, _) = swap_text(text, Where::Url, lookup)
            .map_err(|_error| Problem::from(SessionProblem::Unwritable))?;
        let changed = swapped.or(without);
        Ok(changed.and_then(|target| String::from_utf8(target).ok()))
    }

    /// Whether a field brings a token or says who asks, by its name.
    pub(crate) fn is_token_field(&self, name: &HeaderName) -> bool {
        self.terms.names.is_request_header(name.as_str())
    }

    /// The `Cookie` field that goes up: what is in the jar for this path, and what the policy lets pass.
    pub(crate) fn cookies(&self, client: &HeaderMap, path: &str) -> Option<HeaderValue> {
        let place = self.place.at(path);
        let kept = lock(&self.jar).cookies(&place, self.began_ms);
        let mut field = kept.unwrap_or_default();
        for passing in self.passing(client) {
            if !field.is_empty() {
                field.extend_from_slice(b"; ");
            }
            field.extend_from_slice(passing);
        }
        HeaderValue::from_bytes(&field)
            .ok()
            .filter(|value| !value.is_empty())
    }

    /// The token fields that go up: those that bring a placeholder, with the true token.
    ///
    /// # Errors
    /// A token cannot be written there.
    pub(crate) fn token_fields(&self, client: &HeaderMap) -> Result<HeaderMap, Problem> {
        let names = &self.terms.names;
        let lookup = |placeholder: &Placeholder| self.token(placeholder);
        request_header_tokens(client, names, lookup)
            .map_err(|_error| SessionProblem::Unwritable.into())
    }

    /// A body that was read whole: with true tokens in it, and without credentials in what is attached.
    ///
    /// # Errors
    /// Nothing of it may go up.
    pub(crate) fn body(&self, request: &CleanRequest, body: Bytes) -> Result<Bytes, Problem> {
        let mut codings = request.headers.get_all(CONTENT_ENCODING).iter();
        if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Problem::Denied(DenyReason::UnsupportedMediaType));
        }
        let secrets = self.secrets()?;
        let lookup = |placeholder: &Placeholder, name: &[u8]| self.token_under(placeholder, name);
        let read = RequestBody::of(&request.method, &request.headers)
            .and_then(|reader| reader.read(&body, &self.terms.names, &secrets, lookup));
        match read {
            Ok(read) => Ok(read.body.map_or(body, Bytes::from)),
            Err(error) => {
                tracing::debug!(%error, "a body does not go up");
                Err(match error {
                    RequestBodyError::Swap(_) => SessionProblem::Unwritable.into(),
                    RequestBodyError::ContentType => {
                        Problem::Denied(DenyReason::UnsupportedMediaType)
                    }
                    RequestBodyError::Parts { what } => Problem::Refusal(Refusal::Ambiguous(what)),
                    RequestBodyError::Recording(_) => SessionProblem::UnreadableRecording.into(),
                })
            }
        }
    }

    fn token(&self, placeholder: &Placeholder) -> Option<Vec<u8>> {
        lock(&self.jar).held(placeholder)
    }

    /// SECURITY: where a client only writes what others read, a token would be told to them.
    fn token_under(&self, placeholder: &Placeholder, name: &[u8]) -> Option<Vec<u8>> {
        lock(&self.jar).held_under(placeholder, name, &self.terms.names)
    }
}
