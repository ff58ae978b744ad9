//! A login: whether the application's answer is a success, and who has logged in.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use postern_filters::SessionLine;
use serde_json::Value;

use super::terms::{LoggedIn, LoginTerms, PostedForm};
use super::{ISSUER, Visit};
use crate::jws::strict_json;
use crate::respond::Problem;
use crate::session::Holder;

/// The head of an answer, as far as a login is concerned.
#[derive(Clone, Copy)]
pub(crate) struct Settling<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// Its head.
    pub request: &'a HeaderMap,
    /// Its query.
    pub query: Option<&'a str>,
    /// Its body, when it was short.
    pub posted: Option<&'a Bytes>,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's head.
    pub answer: &'a HeaderMap,
}

impl Settling<'_> {
    fn location(&self) -> Option<&str> {
        self.answer.get(LOCATION).and_then(|to| to.to_str().ok())
    }
}

impl Visit {
    /// The login that an answer may conclude.
    fn concludes(&self, settling: &Settling<'_>) -> Option<&LoginTerms> {
        let login = self.terms.login.as_ref();
        let login = login.filter(|_| self.line == Some(SessionLine::Login))?;
        let fits = login.allows_head(settling.status, settling.location());
        (fits && *settling.method != Method::HEAD).then_some(login)
    }

    /// Whether the body has to be read before it is known who has logged in.
    pub(crate) fn reads_answer(&self, settling: &Settling<'_>) -> bool {
        self.concludes(settling)
            .is_some_and(LoginTerms::reads_answer)
    }

    /// Where to ask who has logged in, if the answer is a success as far as is known.
    pub(crate) fn asks_at(&self, settling: &Settling<'_>, body: Option<&[u8]>) -> Option<&str> {
        let login = self.concludes(settling)?;
        let holds = login.allows_body(json(body).as_ref());
        login.follow_up().filter(|_| holds)
    }

    /// Takes up a login, if the answer is one: a session begins, and the one before it ends. `answer` is what
    /// names the user: the body, or the answer to the question that came after it.
    ///
    /// # Errors
    /// Somebody has logged in and it is not known who, or no session can begin.
    pub(crate) async fn log_in(
        &self,
        settling: &Settling<'_>,
        body: Option<&[u8]>,
        asked: Option<&[u8]>,
    ) -> Result<(), Problem> {
        let Some(login) = self.concludes(settling) else {
            return Ok(());
        };
        let body = json(body);
        if !login.allows_body(body.as_ref()) {
            return Ok(());
        }
        let answer = json(asked).or(body);
        let posted = settling.posted.map(AsRef::as_ref);
        let form =
            posted.and_then(|posted| PostedForm::read(settling.request, posted, settling.query));
        let Some(LoggedIn { user, roles }) = login.logged_in(form.as_ref(), answer.as_ref()) else {
            if settling.method.is_safe() {
                return Ok(());
            }
            tracing::warn!("a login succeeded and names nobody: look at `identity.login.user`");
            return Err(Problem::UnreadableBody);
        };
        let holder = Holder {
            issuer: ISSUER.to_owned(),
            subject: user,
            tenant: None,
            roles,
        };
        self.begin_session(holder).await
    }
}

fn json(body: Option<&[u8]>) -> Option<Value> {
    strict_json::object(body?).map(Value::Object)
}
