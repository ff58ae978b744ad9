//! The demo's legacy application: a support-case API as one finds it behind a corporate network. It
//! is also an origin for tests.
//!
//! It behaves like the applications Postern is put in front of: it shows everything to everybody who
//! can reach it, leaks tokens in bodies and headers, answers errors with stack traces, sets a session
//! cookie, offers validators, ranges and gzip. It deliberately does nothing to protect itself.

mod answer;
mod export;
mod login;
mod read;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use serde_json::Value;

use super::cases;

/// The application's state: its cases and who is logged in.
#[derive(Clone)]
struct Desk {
    cases: Arc<Mutex<BTreeMap<u64, Value>>>,
    logins: Arc<Mutex<login::Logins>>,
}

impl Desk {
    fn open() -> Self {
        let numbered = (cases::FIRST_ID..).zip(cases::all());
        Self {
            cases: Arc::new(Mutex::new(numbered.collect())),
            logins: Arc::new(Mutex::new(login::Logins::default())),
        }
    }

    fn cases(&self) -> MutexGuard<'_, BTreeMap<u64, Value>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logins(&self) -> MutexGuard<'_, login::Logins> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The application with a fresh set of cases.
///
/// `GET /api/v2/cases` (`page`, `per_page`, `status`), `GET|PUT|PATCH /api/v2/cases/{id}`,
/// `PATCH /api/v2/cases/{id}/status`, `GET /api/v2/cases/export` (`format=csv|json|ndjson`),
/// `GET /api/v2/search` (`q`), `POST /login` (form `username`, `password`), `GET /whoami`,
/// `POST /logout`, `GET /api/v2/report` (fails), `GET /healthz`.
pub fn router() -> Router {
    Router::new()
        .route("/api/v2/cases", get(read::list))
        .route("/api/v2/cases/export", get(export::export))
        .route(
            "/api/v2/cases/{id}",
            get(read::detail).put(write::replace).patch(write::merge),
        )
        .route("/api/v2/cases/{id}/status", patch(write::status))
        .route("/api/v2/search", get(read::search))
        .route("/api/v2/report", get(read::report))
        .route("/login", post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/whoami", get(login::who_am_i))
        .route("/healthz", get(async || "ok\n"))
        .fallback(async || {
            answer::failure(StatusCode::NOT_FOUND, "no such page", "Router.dispatch")
        })
        .with_state(Desk::open())
}

/// Serves the application until the listener fails.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(listener: tokio::net::TcpListener) -> std::io::Result<()> {
    axum::serve(listener, router()).await
}

#[cfg(test)]
mod tests;
