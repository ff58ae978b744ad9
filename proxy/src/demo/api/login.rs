//! The demo application's own login: a form, a session cookie that changes with every answer, and a
//! session token that it leaks in headers and bodies.
//!
//! Tokens are numbers from a fixed generator: this is the kind of application Postern stands in front
//! of, not one to copy.

use std::collections::VecDeque;

use axum::Form;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{Desk, answer};
use crate::demo::random::Choices;

const COOKIE_NAME: &str = "LEGACYSID";
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-session-token");
const PASSWORD: &str = "demo";
const LOGINS_MAX: usize = 256;

/// Who is logged in, oldest first.
pub(super) struct Logins {
    tokens: Choices,
    live: VecDeque<(String, String)>,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            tokens: Choices::seeded(0xC0FFEE),
            live: VecDeque::new(),
        }
    }
}

impl Logins {
    fn begin(&mut self, user: &str) -> String {
        let token = self.tokens.hex(32);
        if self.live.len() >= LOGINS_MAX {
            self.live.pop_front();
        }
        self.live.push_back((token.clone(), user.to_owned()));
        token
    }

    fn user(&self, token: &str) -> Option<String> {
        let found = self.live.iter().find(|(live, _)| live == token);
        found.map(|(_, user)| user.clone())
    }

    fn end(&mut self, token: &str) {
        self.live.retain(|(live, _)| live != token);
    }
}

/// The login form.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    username: String,
    password: String,
}

/// `POST /login`: any user name with the password `demo`.
pub(super) async fn log_in(
    State(desk): State<Desk>,
    Form(form): Form<LoginForm>,
) -> Response<Body> {
    if form.password != PASSWORD || form.username.is_empty() {
        return answer::failure(StatusCode::UNAUTHORIZED, "wrong password", "Login.check");
    }
    let token = desk.logins().begin(&form.username);
    let mut response = answer::json(
        StatusCode::FOUND,
        &json!({ "user": form.username, "session_token": token }),
    );
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/api/v2/cases"));
    with_token(response, &token)
}

/// `GET /whoami`: the user behind the cookie.
pub(super) async fn who_am_i(State(desk): State<Desk>, headers: HeaderMap) -> Response<Body> {
    let token = session_token(&headers);
    let user = token.as_ref().and_then(|token| desk.logins().user(token));
    match (token, user) {
        (Some(token), Some(user)) => answer::json(
            StatusCode::OK,
            &json!({ "user": user, "session_token": token }),
        ),
        (None, _) | (_, None) => {
            answer::failure(StatusCode::UNAUTHORIZED, "not logged in", "Session.find")
        }
    }
}

/// `POST /logout`: the session ends.
pub(super) async fn log_out(State(desk): State<Desk>, headers: HeaderMap) -> Response<Body> {
    if let Some(token) = session_token(&headers) {
        desk.logins().end(&token);
    }
    answer::json(StatusCode::OK, &json!({ "user": null }))
}

/// Replaces the session's token by a new one on the way out, as some applications do on every answer.
pub(super) fn renew(desk: &Desk, request: &HeaderMap, response: Response<Body>) -> Response<Body> {
    let Some(old) = session_token(request) else {
        return response;
    };
    let mut logins = desk.logins();
    let Some(user) = logins.user(&old) else {
        return response;
    };
    logins.end(&old);
    let token = logins.begin(&user);
    with_token(response, &token)
}

fn with_token(mut response: Response<Body>, token: &str) -> Response<Body> {
    let cookie = format!("{COOKIE_NAME}={token}; Path=/; HttpOnly");
    if let (Ok(cookie), Ok(token)) = (HeaderValue::from_str(&cookie), HeaderValue::from_str(token))
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
        response.headers_mut().insert(TOKEN_HEADER, token);
    }
    response
}

fn session_token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE_NAME).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_until_it_ends() {
        let mut logins = Logins::default();
        let token = logins.begin("ada");
        assert_eq!(logins.user(&token).as_deref(), Some("ada"));
        logins.end(&token);
        assert_eq!(logins.user(&token), None);
    }

    #[test]
    fn the_oldest_session_ends_when_there_are_too_many() {
        let mut logins = Logins::default();
        let first = logins.begin("ada");
        for _ in 1..LOGINS_MAX {
            logins.begin("bob");
        }
        assert!(logins.user(&first).is_some());
        logins.begin("eve");
        assert_eq!(logins.user(&first), None);
    }
}
