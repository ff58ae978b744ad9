//! Pages that Postern itself shows to people: plain HTML with one style sheet in it. No script, and nothing from
//! elsewhere; their policy lets a browser run and load nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::ACCEPT;
use ring::digest::{SHA256, digest};

use super::faces::Face;
use crate::session::browser_fields::SEC_FETCH_MODE;

/// What pages are, with their encoding.
pub(crate) const PAGE_TYPE: &str = "text/html; charset=utf-8";

/// Of all pages. Colours follow the browser's scheme; what is pressed is as large as a finger; on a phone the rows of
/// a table are stacked, each cell with its heading.
const STYLE: &str = "\
:root{color-scheme:light dark}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;\
overflow-wrap:anywhere}\
h1{font-size:1.4rem;line-height:1.25}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.5rem .75rem .5rem 0;border-bottom:1px solid #8886}\
th{font-weight:600;white-space:nowrap}\
.at{white-space:nowrap}\
form{margin:1rem 0}\
td form{margin:0}\
button{font:inherit;white-space:nowrap;min-height:44px;min-width:44px;padding:.2rem 1rem}\
nav a{display:inline-block;padding:.7rem 0}\
dl{margin:1.5rem 0}\
dt{font-size:.85rem;opacity:.75}\
dd{margin:0 0 .5rem}\
.id{font-family:ui-monospace,monospace;font-size:.85rem;opacity:.75}\
[role=status]{border-left:.25rem solid #2a8;padding-left:.75rem}\
@media(max-width:30rem){\
table,tbody,tr,td{display:block}\
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
tr{border-bottom:1px solid #8886;padding:.75rem 0}\
td{border:0;padding:.1rem 0}\
td[data-label]::before{content:attr(data-label) \": \";opacity:.75}\
td form{margin:.5rem 0 0}\
}";

/// A page with this title and body. What of them is not ours must be [`escaped`].
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// The value of `Content-Security-Policy` that goes with a page, and what else that one says.
pub(crate) fn policy(more: &str) -> String {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; {more}")
}

/// Text, as it may stand anywhere in a page.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            one => safe.push(one),
        }
    }
    safe
}

/// A problem in words, with what whoever is asked for help finds it by.
pub(super) fn of_problem(face: &Face, exchange: &str, trace: &str) -> String {
    let title = escaped(face.title);
    let body = format!(
        "<main>\n<h1>{title}</h1>\n<p>{}</p>\n<dl>\n<dt>Problem</dt><dd class=\"id\">{} ({})</dd>\n\
         <dt>Exchange</dt><dd class=\"id\">{}</dd>\n<dt>Trace</dt><dd class=\"id\">{}</dd>\n</dl>\n</main>\n",
        escaped(&sentence(&face.detail)),
        escaped(face.slug),
        face.status.as_u16(),
        escaped(exchange),
        escaped(trace),
    );
    page(&title, &body)
}

/// A detail as people write it: it begins with a capital letter and ends with a full stop.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", letters.as_str())
}

/// Whether what is answered is shown to a person: a browser that says so goes to a page (Fetch Metadata Request
/// Headers section 2.2), and a page is named and preferred to JSON (RFC 9110 section 12.5.1). Who accepts anything
/// is a program.
pub(super) fn is_shown(headers: &HeaderMap) -> bool {
    let mode = headers.get(SEC_FETCH_MODE);
    mode.is_some_and(|mode| mode.as_bytes() == b"navigate") && prefers_page(headers)
}

fn prefers_page(headers: &HeaderMap) -> bool {
    let (mut page, mut json, mut any) = (0.0_f32, 0.0_f32, 0.0_f32);
    let fields = headers.get_all(ACCEPT).iter();
    let texts = fields.filter_map(|field| field.to_str().ok());
    for range in texts.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let kept = match essence.as_str() {
            "text/html" => &mut page,
            "application/json" | "application/problem+json" => &mut json,
            "application/*" | "*/*" => &mut any,
            _ => continue,
        };
        let weight = |part: &str| {
            part.strip_prefix("q=")
                .or_else(|| part.strip_prefix("Q="))?
                .parse()
                .ok()
        };
        *kept = kept.max(parts.find_map(weight).unwrap_or(1.0));
    }
    page > json && page >= any
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};

    use super::super::faces::face;
    use super::*;

    #[test]
    fn a_page_is_for_browsers_that_go_to_one_and_for_nobody_else() {
        let shown = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            is_shown(&headers)
        };
        for accept in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html, application/xhtml+xml, image/jxr, */*",
            "application/json;q=0.5, TEXT/HTML; q=0.6",
            "text/html",
        ] {
            assert!(shown(&[("accept", accept), ("sec-fetch-mode", "navigate")]));
            assert!(!shown(&[("accept", accept)]), "{accept}");
            for mode in ["cors", "no-cors", "same-origin", "websocket", ""] {
                let fetched = [("accept", accept), ("sec-fetch-mode", mode)];
                assert!(!shown(&fetched), "{accept}, {mode}");
            }
        }
        for accept in [
            "*/*",
            "",
            "text/*",
            "application/json, text/plain, */*",
            "application/json, text/html",
            "text/html, application/problem+json",
            "text/html;q=0",
            "text/html;q=0.1, */*",
            "text/html;q=nan",
        ] {
            assert!(!shown(&[("accept", accept)]), "{accept}");
            assert!(!shown(&[
                ("accept", accept),
                ("sec-fetch-mode", "navigate")
            ]));
        }
        assert!(!shown(&[("sec-fetch-mode", "navigate")]));
        let several = [("accept", "*/*;q=0.1"), ("accept", "text/html")];
        assert!(shown(&[
            several[0],
            several[1],
            ("sec-fetch-mode", "navigate")
        ]));
    }

    #[test]
    fn a_problem_in_words_says_what_its_json_says_and_runs_nothing() {
        let problem = face(
            StatusCode::FORBIDDEN,
            "route-denied",
            "This route is not open",
            "ask <b>whoever</b> writes \"the\" policy",
        );
        let html = of_problem(&problem, "01K<x>", "0af7");
        for told in [
            "<title>This route is not open</title>",
            "<h1>This route is not open</h1>",
            "<p>Ask &lt;b&gt;whoever&lt;/b&gt; writes &quot;the&quot; policy.</p>",
            "route-denied (403)",
            "01K&lt;x&gt;",
            "0af7",
            "content=\"noindex\"",
        ] {
            assert!(html.contains(told), "{told}: {html}");
        }
        for word in ["<script", "<b>", "src=", "href=", "http:"] {
            assert!(!html.contains(word), "{word}");
        }
    }

    #[test]
    fn the_policy_allows_the_style_of_the_page_and_nothing_else() {
        let policy = policy("form-action 'none'");
        let html = page("A", "");
        let (_, rest) = html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
        let expected = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
        );
        assert_eq!(policy, expected);
    }
}
