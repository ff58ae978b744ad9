//! The `Accept` that is sent upstream where the answer will be read: types that can be redacted.
//!
//! Guarantees: it names nothing but the route's declared formats and what passes unread there. The
//! client chooses among these; whatever else it asks for is not passed on.

use http::HeaderMap;
use http::header::ACCEPT;
use postern_config::RouteFormat;

/// The types to ask for: those of the declared ones that the client names, or else all of them.
pub(super) fn upstream(formats: &[RouteFormat], unread: &[String], client: &HeaderMap) -> String {
    let readable: Vec<&str> = formats
        .iter()
        .flat_map(|format| {
            let own = std::iter::once(format.kind.content_type());
            own.chain(format.types.iter().map(String::as_str))
        })
        .collect();
    let asked: Vec<&str> = match formats {
        [_] => Vec::new(),
        _ => {
            let named = named(client);
            let is_named = |one: &&str| named.iter().any(|name| name == one);
            readable.iter().copied().filter(is_named).collect()
        }
    };
    let chosen = match asked.is_empty() {
        true => readable,
        false => asked,
    };
    let unread = unread.iter().map(String::as_str);
    chosen
        .into_iter()
        .chain(unread)
        .collect::<Vec<&str>>()
        .join(", ")
}

/// The types that the client accepts by name (RFC 9110 section 12.5.1), lower case; a weight of 0 says
/// that it does not.
fn named(client: &HeaderMap) -> Vec<String> {
    let values = client.get_all(ACCEPT).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .filter_map(|one| {
            let mut parts = one.split(';').map(str::trim);
            let essence = parts.next()?.to_ascii_lowercase();
            let refused = parts.any(|part| {
                let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
                weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32))
            });
            (!refused).then_some(essence)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use postern_config::FormatKind;

    use super::*;

    fn asked(formats: &[FormatKind], client: &str) -> String {
        let formats: Vec<RouteFormat> = formats.iter().map(|k| RouteFormat::plain(*k)).collect();
        let mut headers = HeaderMap::new();
        if !client.is_empty() {
            headers.insert(ACCEPT, HeaderValue::from_str(client).unwrap());
        }
        upstream(&formats, &["image/png".to_owned()], &headers)
    }

    #[test]
    fn names_only_what_is_declared_and_of_that_what_the_client_names() {
        use FormatKind::{Csv, Json, Ndjson};
        let all = "application/json, application/x-ndjson, text/csv, image/png";
        for (client, expected) in [
            ("", all),
            ("*/*", all),
            ("text/html, application/xml", all),
            ("text/csv;q=0", all),
            ("text/csv", "text/csv, image/png"),
            ("TEXT/CSV; q=0.5, text/html", "text/csv, image/png"),
            (
                "text/csv, application/json;q=0.1",
                "application/json, text/csv, image/png",
            ),
        ] {
            assert_eq!(asked(&[Json, Ndjson, Csv], client), expected, "{client}");
        }
        assert_eq!(asked(&[Json], "text/csv"), "application/json, image/png");
    }
}
