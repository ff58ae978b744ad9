//! The page of one's own sessions: plain HTML and one style sheet in it. No script, and nothing from
//! elsewhere; its policy lets a browser run and load nothing else.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::END_SESSION;

/// Colours follow the browser's scheme.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.5rem .75rem .5rem 0;border-bottom:1px solid #8886}\
th{font-weight:600}\
form{margin:1rem 0}\
td form{margin:0}\
button{font:inherit;padding:.2rem .8rem}\
.sid{font-family:ui-monospace,monospace;font-size:.8rem;opacity:.7}";

/// What the page shows.
pub(super) struct Page<'a> {
    /// Whose sessions they are.
    pub(super) who: &'a str,
    /// The sessions.
    pub(super) rows: &'a [Row],
    /// Whether others may be ended now: the login is fresh.
    pub(super) ends_others: bool,
    /// Where to log in.
    pub(super) login: Option<&'a str>,
}

/// One session, as its holder sees it; times are seconds since 1970.
pub(super) struct Row {
    /// Its id.
    pub(super) sid: String,
    /// Whether it is the one that asks.
    pub(super) is_current: bool,
    /// What uses it, in words.
    pub(super) place: String,
    /// When it began.
    pub(super) began: u64,
    /// When it was last used, more or less.
    pub(super) last_seen: u64,
}

impl Row {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "sid": self.sid,
            "current": self.is_current,
            "place": self.place,
            "began": self.began,
            "last_seen": self.last_seen,
        })
    }

    fn push(&self, page: &Page<'_>, html: &mut String) {
        let place = escaped(&self.place);
        let (began, seen) = (at(self.began), at(self.last_seen));
        let sid = escaped(&self.sid);
        html.push_str("<tr>");
        let here = if self.is_current { " (this one)" } else { "" };
        write!(
            html,
            "<td>{place}{here}<br><span class=\"sid\">{sid}</span></td><td>{began}</td><td>{seen}</td><td>"
        )
        .unwrap_or_default();
        if self.is_current || page.ends_others {
            push_form(html, ("sid", &sid), "End");
        }
        html.push_str("</td></tr>\n");
    }
}

impl Page<'_> {
    /// The fields that keep the page to itself.
    pub(super) fn add_fields(&self, fields: &mut HeaderMap) {
        let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        // INVARIANT: it is ASCII; without it the page would be laxer, not wrong.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            fields.insert(CONTENT_SECURITY_POLICY, policy);
        }
        let same_origin = HeaderValue::from_static("same-origin");
        fields.insert(REFERRER_POLICY, same_origin);
    }

    /// The page.
    pub(super) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>Your sessions</title><style>{STYLE}</style></head>\n<body>\n\
             <h1>Your sessions</h1>\n<p>You are {}.</p>\n\
             <table>\n<tr><th>Where</th><th>Began</th><th>Last used</th><th></th></tr>\n",
            escaped(self.who)
        );
        for row in self.rows {
            row.push(self, &mut html);
        }
        html.push_str("</table>\n");
        let has_others = self.rows.iter().any(|row| !row.is_current);
        match (has_others, self.ends_others) {
            (true, true) => push_form(&mut html, ("others", "1"), "End all others"),
            (true, false) => self.push_step_up(&mut html),
            (false, _) => {}
        }
        html.push_str("</body>\n</html>\n");
        html
    }

    fn push_step_up(&self, html: &mut String) {
        html.push_str("<p>Your login is not fresh. To end other sessions, ");
        let again = match self.login {
            Some(login) => format!("<a href=\"{}\">log in again</a>", escaped(login)),
            None => "log in again".to_owned(),
        };
        html.push_str(&again);
        html.push_str(".</p>\n");
    }
}

/// A button. `value` is escaped already.
fn push_form(html: &mut String, (name, value): (&str, &str), label: &str) {
    write!(
        html,
        "<form method=\"post\" action=\"{END_SESSION}\">\
         <input type=\"hidden\" name=\"{name}\" value=\"{value}\"><button>{label}</button></form>"
    )
    .unwrap_or_default();
}

/// Text, as it may stand anywhere in a page.
fn escaped(text: &str) -> String {
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

/// A time in UTC, to the minute: a page without scripts does not know the reader's clock.
fn at(seconds: u64) -> String {
    let time = i64::try_from(seconds).map(OffsetDateTime::from_unix_timestamp);
    let Ok(Ok(time)) = time else {
        return seconds.to_string();
    };
    let (month, (hour, minute, _)) = (u8::from(time.month()), time.to_hms());
    format!(
        "{:04}-{month:02}-{:02} {hour:02}:{minute:02} UTC",
        time.year(),
        time.day()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        [("01A", true), ("01B", false)]
            .map(|(sid, is_current)| Row {
                sid: sid.to_owned(),
                is_current,
                place: "chrome on linux".to_owned(),
                began: 1_795_953_600,
                last_seen: 1_795_953_660,
            })
            .into()
    }

    fn page(rows: &[Row], ends_others: bool) -> Page<'_> {
        Page {
            who: "<img src=x onerror=alert(1)>&\"'",
            rows,
            ends_others,
            login: Some("/login"),
        }
    }

    #[test]
    fn a_page_shows_names_as_text_and_runs_nothing() {
        let rows = rows();
        let page = page(&rows, true);
        let html = page.html();
        assert!(html.contains("You are &lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;."));
        assert!(
            html.contains("2026-11-29 12:00 UTC") && html.contains("chrome on linux (this one)")
        );
        for word in ["<script", "javascript:", "<img", "src=\"", "http"] {
            assert!(!html.contains(word), "{word}");
        }
        let mut fields = HeaderMap::new();
        page.add_fields(&mut fields);
        let policy = fields[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
    }

    #[test]
    fn others_are_ended_only_with_a_fresh_login() {
        let rows = rows();
        let fresh = page(&rows, true).html();
        assert!(fresh.contains("value=\"01B\"") && fresh.contains("End all others"));
        let stale = page(&rows, false).html();
        assert!(stale.contains("value=\"01A\"") && !stale.contains("value=\"01B\""));
        assert!(!stale.contains("End all others"));
        assert!(stale.contains("<a href=\"/login\">log in again</a>"));
        let alone = page(&rows[..1], true).html();
        assert!(!alone.contains("End all others"));
    }
}
