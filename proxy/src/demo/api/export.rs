//! The demo's export: every case at once, as CSV, one JSON document a line, or JSON. `format` says which;
//! without it the first of these that `Accept` names, and CSV when it names none.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{Desk, answer};

/// The columns of a CSV export: a heading and where its cells are in a case.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "/id"),
    ("status", "/status"),
    ("subject", "/subject"),
    ("customer.id", "/customer/id"),
    ("customer.name", "/customer/name"),
    ("customer.email", "/customer/email"),
    ("customer.phone", "/customer/phone"),
    ("customer.address.street", "/customer/address/street"),
    ("customer.tax_id", "/customer/tax_id"),
    ("card_number", "/payments/0/card_number"),
    ("first_message", "/messages/0/body"),
    ("internal_note", "/internal_note"),
];

/// What an export may be asked for.
#[derive(Debug, Deserialize)]
pub(super) struct ExportQuery {
    format: Option<String>,
}

/// `GET /api/v2/cases/export`.
pub(super) async fn export(
    State(desk): State<Desk>,
    Query(query): Query<ExportQuery>,
    headers: HeaderMap,
) -> Response<Body> {
    let cases = desk.cases();
    let format = query.format.as_deref().or_else(|| accepted(&headers));
    let (content_type, file, body) = match format {
        None | Some("csv") => ("text/csv; charset=utf-8", "cases.csv", csv(cases.values())),
        Some("json") => {
            let all: Value = cases.values().cloned().collect();
            ("application/json", "cases.json", all.to_string())
        }
        Some("ndjson") => {
            let lines = cases.values().map(|case| format!("{case}\n")).collect();
            ("application/x-ndjson", "cases.ndjson", lines)
        }
        Some(_) => {
            return answer::failure(StatusCode::BAD_REQUEST, "unknown format", "Export.format");
        }
    };
    let mut response = answer::typed(StatusCode::OK, content_type, body.into_bytes());
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{file}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// The format to send by `Accept`; none when it names none of them.
fn accepted(headers: &HeaderMap) -> Option<&'static str> {
    let accept = headers.get(ACCEPT)?.to_str().ok()?;
    let known = [
        ("text/csv", "csv"),
        ("application/x-ndjson", "ndjson"),
        ("application/json", "json"),
    ];
    let mut named = known.iter().filter(|(name, _)| accept.contains(name));
    named.next().map(|(_, format)| *format)
}

/// RFC 4180: every cell in quotes, lines end in CRLF.
fn csv<'a>(cases: impl Iterator<Item = &'a Value>) -> String {
    let headings = COLUMNS.iter().map(|(heading, _)| quoted(heading));
    let mut table = row(headings);
    for case in cases {
        let cells = COLUMNS
            .iter()
            .map(|(_, pointer)| match case.pointer(pointer) {
                None | Some(Value::Null) => quoted(""),
                Some(Value::String(text)) => quoted(text),
                Some(other) => quoted(&other.to_string()),
            });
        table.push_str(&row(cells));
    }
    table
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_a_quote_and_a_line_break_stays_one_cell() {
        let case = serde_json::json!({ "id": 1, "subject": "say \"hi\"\nplease" });
        let table = csv(std::iter::once(&case));
        assert!(table.contains("\"say \"\"hi\"\"\nplease\""));
        assert!(table.starts_with("\"id\",\"status\""));
        assert!(table.ends_with("\r\n"));
    }
}
