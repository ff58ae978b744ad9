//! Reading cases from the demo's application: list, detail, search, and a report that fails.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, answer, login};

const PER_PAGE_MAX: usize = 100;

/// What a list may be asked for.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<String>,
    per_page: Option<String>,
    status: Option<String>,
}

/// What a search may be asked for.
#[derive(Debug, Deserialize)]
pub(super) struct SearchQuery {
    q: Option<String>,
}

/// `GET /api/v2/cases`: one page of whole cases.
pub(super) async fn list(
    State(desk): State<Desk>,
    Query(query): Query<ListQuery>,
) -> Response<Body> {
    let (Some(page), Some(per_page)) = (number(query.page, 1), number(query.per_page, 20)) else {
        return answer::failure(StatusCode::BAD_REQUEST, "not a number", "Paging.parse");
    };
    let (page, per_page) = (page.max(1), per_page.clamp(1, PER_PAGE_MAX));
    let cases = desk.cases();
    let wanted = |case: &&Value| {
        query
            .status
            .as_ref()
            .is_none_or(|status| case.get("status").and_then(Value::as_str) == Some(status))
    };
    let total = cases.values().filter(wanted).count();
    let skipped = (page - 1).saturating_mul(per_page);
    let shown: Vec<_> = cases
        .values()
        .filter(wanted)
        .skip(skipped)
        .take(per_page)
        .collect();
    let more = skipped.saturating_add(shown.len()) < total;
    let next = more.then(|| format!("/api/v2/cases?page={}&per_page={per_page}", page + 1));
    let body = json!({
        "cases": shown,
        "page": page,
        "per_page": per_page,
        "total": total,
        "next": next,
    });
    answer::json(StatusCode::OK, &body)
}

/// A number of the query, or what is meant when there is none.
fn number(written: Option<String>, otherwise: usize) -> Option<usize> {
    written.map_or(Some(otherwise), |written| written.parse().ok())
}

/// `GET /api/v2/cases/{id}`: one case, with validators; a caller who is logged in has the session
/// token echoed in a header.
pub(super) async fn detail(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let found = id
        .parse::<u64>()
        .ok()
        .and_then(|id| desk.cases().get(&id).cloned());
    let Some(case) = found else {
        return answer::failure(StatusCode::NOT_FOUND, "no such case", "CaseRepository.find");
    };
    let response = answer::conditional(&headers, &tag(&case), &case);
    login::renew(&desk, &headers, response)
}

/// `GET /api/v2/search`: every case that holds the text anywhere, hidden fields included.
pub(super) async fn search(
    State(desk): State<Desk>,
    Query(query): Query<SearchQuery>,
) -> Response<Body> {
    let Some(wanted) = query.q.filter(|text| !text.is_empty()) else {
        return answer::failure(StatusCode::BAD_REQUEST, "`q` is missing", "Search.parse");
    };
    let wanted = wanted.to_lowercase();
    let cases = desk.cases();
    let hits: Vec<_> = cases
        .values()
        .filter(|case| case.to_string().to_lowercase().contains(&wanted))
        .take(PER_PAGE_MAX)
        .collect();
    let body = json!({ "query": wanted, "total": hits.len(), "cases": hits });
    answer::json(StatusCode::OK, &body)
}

/// `GET /api/v2/report`: fails, and says too much about it.
pub(super) async fn report() -> Response<Body> {
    answer::failure(
        StatusCode::INTERNAL_SERVER_ERROR,
        "report failed",
        "ReportBuilder.render",
    )
}

/// The entity tag of a case's present version.
pub(super) fn tag(case: &Value) -> String {
    let number = |name| case.get(name).and_then(Value::as_u64).unwrap_or(0);
    format!("\"{}-{}\"", number("id"), number("version"))
}
