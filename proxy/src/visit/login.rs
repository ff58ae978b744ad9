//! A login: whether the application's answer is a success, and who has logged in.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use postern_filters::SessionLine;
use serde_json::Value;

use super::jar_state::Part;
use super::terms::{LoggedIn, LoginTerms, PostedForm};
use super::{ISSUER, Visit, lock};
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
        // SECURITY: an answer to what the session's own cookies went up with is nobody's login.
        if self.is_somebodys() && lock(&self.jar).part() == Part::Session {
            return None;
        }
        let fits = login.allows_head(settling.status, settling.location());
        let is_sent_back = login.takes_any_target_for_a_name() && self.is_sent_back(settling);
        (fits && !is_sent_back && *settling.method != Method::HEAD).then_some(login)
    }

    /// Whether an answer sends whoever tried to log in back to where they came from or what they posted to.
    ///
    /// SECURITY: applications answer a wrong password so, and a session that they had goes on. Taken for a login, it
    /// would be that session under any name that somebody typed.
    fn is_sent_back(&self, settling: &Settling<'_>) -> bool {
        let page = self.login_page();
        let told = settling.status.is_redirection();
        let to = settling.location().map(|to| path_of(to, &self.place.path));
        to.is_some_and(|to| told && (to == self.place.path || Some(to.as_str()) == page))
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

/// The path that a `Location` means where it is told, without its parameters.
fn path_of(location: &str, told_at: &str) -> String {
    let path = location.split(['?', '#', ';']).next().unwrap_or_default();
    let host = path
        .split_once("://")
        .map(|(_, rest)| rest)
        .or_else(|| path.strip_prefix("//"));
    match host.map(|rest| rest.split_once('/')) {
        Some(Some((_, path))) => format!("/{path}"),
        Some(None) => "/".to_owned(),
        None if path.starts_with('/') => path.to_owned(),
        None if path.is_empty() => told_at.to_owned(),
        None => {
            let folder = told_at.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{}", path.trim_start_matches("./"))
        }
    }
}

fn json(body: Option<&[u8]>) -> Option<Value> {
    strict_json::object(body?).map(Value::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_means_a_path_however_it_is_written() {
        for same in [
            "/desk/login",
            "/desk/login?error=1#form",
            "/desk/login;jsessionid=1?error",
            "http://desk.internal:8080/desk/login?error",
            "//desk.internal/desk/login",
            "login?error",
            "./login",
            "?error=1",
            "",
        ] {
            assert_eq!(path_of(same, "/desk/login"), "/desk/login", "{same}");
        }
        assert_eq!(path_of("https://desk.internal", "/login"), "/");
        assert_eq!(path_of("home", "/login"), "/home");
        assert_eq!(path_of("/home?next=/login", "/login"), "/home");
    }
}
