//! The page of one's own sessions. A table, whose rows are stacked on a phone; it says so of itself, since some
//! browsers forget that a table is one that is laid out otherwise.

use std::fmt::Write as _;

use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::END_SESSION;
use super::sessions::Ended;
use crate::respond::{escaped, page, policy};

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
    /// What was ended just now.
    pub(super) ended: Option<Ended>,
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
        let (place, sid) = (escaped(&self.place), escaped(&self.sid));
        let (began, seen) = (At::of(self.began), At::of(self.last_seen));
        let here = if self.is_current { " (this one)" } else { "" };
        write!(
            html,
            "<tr role=\"row\"><td role=\"cell\">{place}{here}<br><span class=\"id\">{sid}</span></td>\
             <td role=\"cell\" data-label=\"Began\">{}</td>\
             <td role=\"cell\" data-label=\"Last used\">{}</td><td role=\"cell\">",
            began.html(),
            seen.html(),
        )
        .unwrap_or_default();
        if self.is_current || page.ends_others {
            let name = format!("End {place}{here}, begun {}", began.text());
            push_form(html, ("sid", &sid), ("End", &name));
        }
        html.push_str("</td></tr>\n");
    }
}

impl Page<'_> {
    /// The fields that keep the page to itself.
    pub(super) fn add_fields(&self, fields: &mut HeaderMap) {
        let policy = policy("form-action 'self'; frame-ancestors 'none'");
        // INVARIANT: it is ASCII; without it the page would be laxer, not wrong.
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            fields.insert(CONTENT_SECURITY_POLICY, policy);
        }
        let same_origin = HeaderValue::from_static("same-origin");
        fields.insert(REFERRER_POLICY, same_origin);
    }

    /// The page.
    pub(super) fn html(&self) -> String {
        let mut html = "<nav><a href=\"/\">Back to the application</a></nav>\n<main>\n\
                        <h1>Your sessions</h1>\n"
            .to_owned();
        if let Some(ended) = self.ended {
            let words = ended.words();
            writeln!(html, "<p role=\"status\">{words}</p>").unwrap_or_default();
        }
        writeln!(html, "<p>You are {}.</p>", escaped(self.who)).unwrap_or_default();
        html.push_str("<table role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\">");
        for heading in ["Where", "Began", "Last used", "Action"] {
            write!(
                html,
                "<th role=\"columnheader\" scope=\"col\">{heading}</th>"
            )
            .unwrap_or_default();
        }
        html.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
        for row in self.rows {
            row.push(self, &mut html);
        }
        html.push_str("</tbody></table>\n");
        let has_others = self.rows.iter().any(|row| !row.is_current);
        match (has_others, self.ends_others) {
            (true, true) => {
                let label = "End all others";
                push_form(&mut html, ("others", "1"), (label, label));
            }
            (true, false) => self.push_step_up(&mut html),
            (false, _) => {}
        }
        html.push_str("</main>\n");
        page("Your sessions", &html)
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

/// A button, with what it says and what it is called where there are several. `value` and `called` are escaped already.
fn push_form(html: &mut String, (name, value): (&str, &str), (label, called): (&str, &str)) {
    write!(
        html,
        "<form method=\"post\" action=\"{END_SESSION}\">\
         <input type=\"hidden\" name=\"{name}\" value=\"{value}\"><button aria-label=\"{called}\">{label}</button></form>"
    )
    .unwrap_or_default();
}

/// A time in UTC, to the minute: a page without scripts does not know the reader's clock.
struct At {
    day: String,
    time: String,
}

impl At {
    fn of(seconds: u64) -> Self {
        let time = i64::try_from(seconds).map(OffsetDateTime::from_unix_timestamp);
        let Ok(Ok(time)) = time else {
            return Self {
                day: seconds.to_string(),
                time: String::new(),
            };
        };
        let (month, (hour, minute, _)) = (u8::from(time.month()), time.to_hms());
        Self {
            day: format!("{:04}-{month:02}-{:02}", time.year(), time.day()),
            time: format!("{hour:02}:{minute:02} UTC"),
        }
    }

    fn text(&self) -> String {
        format!("{} {}", self.day, self.time)
    }

    /// The same, for which a line ends in the middle only.
    fn html(&self) -> String {
        let Self { day, time } = self;
        format!("<span class=\"at\">{day}</span> <span class=\"at\">{time}</span>")
    }
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
            ended: None,
        }
    }

    #[test]
    fn a_page_shows_names_as_text_and_runs_nothing() {
        let rows = rows();
        let page = page(&rows, true);
        let html = page.html();
        assert!(html.contains("You are &lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;."));
        assert!(html.contains("chrome on linux (this one)"));
        assert!(html.contains("2026-11-29</span> <span class=\"at\">12:00 UTC</span>"));
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

    #[test]
    fn every_button_is_called_by_what_it_ends_and_what_was_ended_is_said() {
        let rows = rows();
        let mut page = page(&rows, true);
        let html = page.html();
        for name in [
            "\"End chrome on linux (this one), begun 2026-11-29 12:00 UTC\"",
            "\"End chrome on linux, begun 2026-11-29 12:00 UTC\"",
            "\"End all others\"",
        ] {
            assert!(
                html.contains(&format!("<button aria-label={name}>")),
                "{name}"
            );
        }
        assert!(!html.contains("role=\"status\"") && html.contains("<a href=\"/\">"));
        page.ended = Some(Ended::One);
        let told = "<p role=\"status\">The session was ended.</p>";
        assert!(page.html().contains(told));
    }
}
