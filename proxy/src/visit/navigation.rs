//! Whether a request is a person going to a page, who can be sent to the login.

use http::header::ACCEPT;
use http::{HeaderMap, Method};

use super::SessionTerms;
use crate::hygiene::CleanRequest;
use crate::respond::{Problem, SessionProblem};

/// What somebody without a session is told: a person who goes to a page in a browser is sent to the login,
/// everybody else gets the problem.
pub(crate) fn sent_to_login(
    terms: Option<&SessionTerms>,
    request: &CleanRequest,
    problem: Problem,
) -> Problem {
    let Problem::Session(because) = problem else {
        return problem;
    };
    let ended = match because {
        SessionProblem::Missing | SessionProblem::Expired | SessionProblem::Revoked => true,
        SessionProblem::Limit
        | SessionProblem::Unwritable
        | SessionProblem::UnreadableRecording
        | SessionProblem::StoreDown => false,
    };
    let login = terms.and_then(|terms| terms.login.as_ref());
    let page = login.and_then(|login| login.page.clone());
    match page {
        Some(page) if ended && page != request.path && is_navigation(request) => {
            Problem::LogIn { page, because }
        }
        Some(_) | None => problem,
    }
}

/// Whether a browser asks for a page to be shown (Fetch Metadata Request Headers section 2.2), or, where it
/// does not say, accepts one.
fn is_navigation(request: &CleanRequest) -> bool {
    let field = |name: &str| value(&request.headers, name);
    let accepts_page = || value(&request.headers, ACCEPT.as_str()).contains("text/html");
    request.method == Method::GET
        && match field("sec-fetch-mode") {
            "" => accepts_page(),
            mode => mode == "navigate",
        }
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
