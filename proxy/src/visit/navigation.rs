//! Whether a request is a person going to a page, who can be sent to the login.

use http::header::{ACCEPT, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};

use super::SessionTerms;
use crate::hygiene::CleanRequest;
use crate::respond::{Problem, SessionProblem};
use crate::session::client_cookies::forgetting_field;

/// What somebody is told who has no session or must log in again: a person who goes to a page in a browser is sent
/// to the login, everybody else gets the problem. A decoy goes with its handle.
pub(crate) fn told(
    terms: Option<&SessionTerms>,
    request: &CleanRequest,
    problem: Problem,
) -> Problem {
    let (Problem::Session(refusal), Some(terms)) = (&problem, terms) else {
        return problem;
    };
    let mut refusal = (**refusal).clone();
    if let (true, Some(decoy)) = (refusal.forgets(), &terms.sessions.decoy) {
        refusal = refusal.with(SET_COOKIE, &forgetting_field(decoy));
    }
    let page = terms.login.as_ref().and_then(|login| login.page.clone());
    let logs_in = refusal.forgets()
        || matches!(
            refusal.problem,
            SessionProblem::Missing | SessionProblem::StepUpRequired
        );
    // The page itself shows the login when one is due.
    let is_due = refusal.problem == SessionProblem::StepUpRequired;
    let may_go = |page: &str| page != request.path || is_due;
    match page {
        Some(page) if logs_in && may_go(&page) && is_navigation(request) => {
            refusal.sending(StatusCode::SEE_OTHER, page).into()
        }
        Some(_) | None => refusal.into(),
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
