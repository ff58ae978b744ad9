//! Changing cases in the demo's application: PUT replaces, PATCH merges (RFC 7396, one level deep),
//! `If-Match` is honoured.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{Desk, answer, read};

/// `PUT /api/v2/cases/{id}`: the body is the case from now on; its number stays.
pub(super) async fn replace(
    State(desk): State<Desk>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Json(new): Json<Map<String, Value>>,
) -> Response<Body> {
    change(&desk, id, &headers, |case| *case = new)
}

/// `PATCH /api/v2/cases/{id}`: a JSON Merge Patch.
pub(super) async fn merge(
    State(desk): State<Desk>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Json(patch): Json<Map<String, Value>>,
) -> Response<Body> {
    change(&desk, id, &headers, |case| merge_into(case, patch))
}

/// `PATCH /api/v2/cases/{id}/status`: `{"status": …}`, and nothing else is answered.
pub(super) async fn status(
    State(desk): State<Desk>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    Json(patch): Json<Map<String, Value>>,
) -> Response<Body> {
    let Some(new) = patch.get("status").filter(|status| status.is_string()) else {
        return answer::failure(
            StatusCode::BAD_REQUEST,
            "`status` is missing",
            "Case.status",
        );
    };
    let changed = change(&desk, id, &headers, |case| {
        case.insert("status".to_owned(), new.clone());
    });
    if changed.status() != StatusCode::OK {
        return changed;
    }
    answer::json(StatusCode::OK, &json!({ "id": id, "status": new }))
}

fn change(
    desk: &Desk,
    id: u64,
    headers: &HeaderMap,
    edit: impl FnOnce(&mut Map<String, Value>),
) -> Response<Body> {
    let mut cases = desk.cases();
    let Some(case) = cases.get_mut(&id) else {
        return answer::failure(StatusCode::NOT_FOUND, "no such case", "CaseRepository.find");
    };
    let expected = headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok());
    if expected.is_some_and(|tag| tag != "*" && tag != read::tag(case)) {
        return answer::failure(
            StatusCode::PRECONDITION_FAILED,
            "the case has changed",
            "CaseRepository.save",
        );
    }
    let version = case.get("version").and_then(Value::as_u64).unwrap_or(0);
    if let Some(fields) = case.as_object_mut() {
        edit(fields);
        fields.insert("id".to_owned(), json!(id));
        fields.insert("version".to_owned(), json!(version + 1));
    }
    let mut response = answer::json(StatusCode::OK, case);
    if let Ok(tag) = HeaderValue::from_str(&read::tag(case)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn merge_into(case: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, new) in patch {
        match (case.get_mut(&name), new) {
            (_, Value::Null) => {
                case.remove(&name);
            }
            (Some(Value::Object(old)), Value::Object(inner)) => {
                for (name, value) in inner {
                    if value.is_null() {
                        old.remove(&name);
                    } else {
                        old.insert(name, value);
                    }
                }
            }
            (_, value) => {
                case.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_replaces_adds_and_removes() {
        let mut case = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [1] });
        let patch = json!({ "a": 2, "b": { "c": null, "f": 3 }, "e": null, "g": true });
        let Value::Object(patch) = patch else {
            panic!("not an object")
        };
        merge_into(case.as_object_mut().unwrap(), patch);
        assert_eq!(case, json!({ "a": 2, "b": { "d": 2, "f": 3 }, "g": true }));
    }
}
