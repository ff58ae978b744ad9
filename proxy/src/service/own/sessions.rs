//! `GET /__postern/sessions`: everybody's own sessions, as a page or as JSON. `POST /__postern/sessions/end`
//! ends one of them, or all others.
//!
//! Guarantees: nobody sees or ends the sessions of anybody else; no page of another origin can end any; and
//! whoever took a handle cannot lock its holder out of their other sessions with it, unless the login is
//! fresh (`sessions.step_up_for`).

use std::time::SystemTime;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pingora::protocols::http::ServerSession;
use postern_filters::DenyReason;
use serde_json::{Value, json};

use super::page::{Page, Row};
use super::{Connection, SESSIONS, allow, read};
use crate::exchange::Exchange;
use crate::hygiene::{CleanRequest, Refusal};
use crate::identity::{Credential, Recognised};
use crate::jws::strict_json;
use crate::policy_store::Snapshot;
use crate::respond::{Own, PAGE_TYPE, Problem, SessionProblem};
use crate::session::browser_fields::{POSTERN_REQUEST, SEC_FETCH_SITE};
use crate::session::{Answer, Client, Record};
use crate::visit::{Arrival, Visit};

/// The longest body that says which session is meant, in bytes.
const ENDING_BYTES_MAX: usize = 4 << 10;

/// Which sessions are to be ended.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    /// This one.
    One(String),
    /// All but the one that asks.
    Others,
}

/// Who asks.
enum Visitor {
    /// A person, in their session.
    Known(Box<Visit>, Recognised),
    /// Nobody yet: a link on another site was followed, and this page follows it from here.
    Sent(Answer),
}

/// What was ended just now: the page says so when it is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// One session.
    One,
    /// All but the one that asks.
    Others,
}

impl Ended {
    const fn query(self) -> &'static str {
        match self {
            Self::One => "ended=one",
            Self::Others => "ended=others",
        }
    }

    fn of_query(query: &str) -> Option<Self> {
        let mut both = [Self::One, Self::Others].into_iter();
        both.find(|ended| ended.query() == query)
    }

    /// Where a browser is sent that has posted the form.
    fn target(self) -> String {
        format!("{SESSIONS}?{}", self.query())
    }

    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::One => "The session was ended.",
            Self::Others => "All other sessions were ended.",
        }
    }
}

impl Connection {
    /// The person's own sessions.
    pub(super) async fn own_sessions(
        &self,
        exchange: &mut Exchange,
        (request, snapshot): (&CleanRequest, &Snapshot),
    ) -> Result<Own, Problem> {
        allow(request, &[Method::GET, Method::HEAD])?;
        let ended = match request.query.as_deref() {
            None => None,
            Some(query) => {
                let ended = Ended::of_query(query);
                Some(ended.ok_or(Problem::Denied(DenyReason::QueryNotAllowed))?)
            }
        };
        let (visit, recognised) = match self.visitor(exchange, (request, snapshot)).await? {
            Visitor::Known(visit, recognised) => (visit, recognised),
            Visitor::Sent(page) => return Ok(page.into()),
        };
        let mine = visit.mine().await?;
        let rows: Vec<Row> = mine.iter().map(|record| row(&visit, record)).collect();
        let mut fields = visit.own_fields();
        fields.remove(CACHE_CONTROL);
        if !accepts_html(&request.headers) {
            let sessions: Vec<Value> = rows.iter().map(Row::json).collect();
            return Ok(Own {
                status: StatusCode::OK,
                content_type: Some("application/json"),
                fields,
                body: json!({ "sessions": sessions }).to_string(),
            });
        }
        let page = Page {
            who: &recognised.identity.subject,
            rows: &rows,
            ends_others: self.is_fresh(&visit, &recognised),
            login: visit.login_page(),
            // A link elsewhere can say anything.
            ended: ended.filter(|_| comes_from_here(&request.headers)),
        };
        page.add_fields(&mut fields);
        Ok(Own {
            status: StatusCode::OK,
            content_type: Some(PAGE_TYPE),
            fields,
            body: page.html(),
        })
    }

    /// Ends sessions of the person.
    pub(super) async fn end_sessions(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
        (request, snapshot): (&CleanRequest, &Snapshot),
    ) -> Result<Own, Problem> {
        allow(request, &[Method::POST])?;
        if !comes_from_here(&request.headers) {
            return Err(SessionProblem::Csrf.into());
        }
        let Visitor::Known(visit, recognised) = self.visitor(exchange, (request, snapshot)).await?
        else {
            return Err(SessionProblem::Missing.into());
        };
        let posted = read(session, request, ENDING_BYTES_MAX).await?;
        let is_form = is_form(&request.headers);
        let unclear = Problem::Refusal(Refusal::Ambiguous("which session is meant"));
        let meant = match is_form {
            true => Meant::of_form(&posted),
            false => Meant::of_json(&posted),
        };
        let meant = meant.ok_or(unclear)?;
        let is_own = matches!(&meant, Meant::One(sid) if visit.is_in(sid));
        if !is_own && !self.is_fresh(&visit, &recognised) {
            return Err(visit.fresh_login());
        }
        match &meant {
            Meant::One(sid) => visit.end_mine(sid).await?,
            Meant::Others => visit.end_others().await?,
        }
        let mut fields = visit.own_fields();
        fields.remove(CACHE_CONTROL);
        if !is_form {
            return Ok(answered(StatusCode::NO_CONTENT, fields));
        }
        let to = match (&meant, is_own) {
            (_, true) => visit.login_page().unwrap_or("/").to_owned(),
            (Meant::One(_), false) => Ended::One.target(),
            (Meant::Others, false) => Ended::Others.target(),
        };
        let to = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/"));
        fields.insert(LOCATION, to);
        Ok(answered(StatusCode::SEE_OTHER, fields))
    }

    /// The person who asks, and their session.
    async fn visitor(
        &self,
        exchange: &mut Exchange,
        (request, snapshot): (&CleanRequest, &Snapshot),
    ) -> Result<Visitor, Problem> {
        let service = &self.service;
        // INVARIANT: these paths are ours only where the policy has sessions.
        let arriving = service.arriving((request, &self.peer), snapshot, exchange);
        let visit = match Visit::begin(arriving.ok_or(SessionProblem::Missing)?).await? {
            Arrival::Visit(visit) => visit,
            Arrival::Page(page) => return Ok(Visitor::Sent(page)),
        };
        let recognised = match visit.names_people() {
            true => visit.recognised()?,
            false => {
                let recognised = service.recognise(request, &self.peer, snapshot).await?;
                visit.belongs_to(&recognised.identity);
                visit.stepped_up(&recognised).await?;
                recognised
            }
        };
        exchange.note_identity(&recognised.identity);
        Ok(Visitor::Known(visit, recognised))
    }

    /// Whether the login is fresh enough to end other sessions.
    fn is_fresh(&self, visit: &Visit, recognised: &Recognised) -> bool {
        let signed_in = recognised.credential.as_ref();
        let signed_in = signed_in.and_then(Credential::signed_in);
        let now: SystemTime = self.service.clock.wall();
        signed_in.is_some_and(|at| {
            let age = now.duration_since(at).unwrap_or_default();
            age < visit.step_up_for()
        })
    }
}

impl Meant {
    /// `sid=…` or `others=1`, once and alone.
    fn of_form(posted: &[u8]) -> Option<Self> {
        let mut fields = form_urlencoded::parse(posted);
        match (fields.next(), fields.next()) {
            (Some((name, value)), None) => match (name.as_ref(), value.as_ref()) {
                ("sid", sid) => Some(Self::One(sid.to_owned())),
                ("others", "1") => Some(Self::Others),
                _ => None,
            },
            (_, _) => None,
        }
    }

    /// `{"sid":"…"}` or `{"others":true}`.
    fn of_json(posted: &[u8]) -> Option<Self> {
        let object = strict_json::object(posted)?;
        let mut members = object.iter();
        match (members.next(), members.next()) {
            (Some((name, value)), None) => match (name.as_str(), value) {
                ("sid", Value::String(sid)) => Some(Self::One(sid.clone())),
                ("others", Value::Bool(true)) => Some(Self::Others),
                _ => None,
            },
            (_, _) => None,
        }
    }
}

fn answered(status: StatusCode, fields: HeaderMap) -> Own {
    Own {
        status,
        content_type: None,
        fields,
        body: String::new(),
    }
}

fn row(visit: &Visit, record: &Record) -> Row {
    Row {
        sid: record.sid.clone(),
        is_current: visit.is_in(&record.sid),
        place: match record.client {
            Client::Browser => record.binding.last.in_words(),
            Client::Api => "a program".to_owned(),
        },
        began: record.times.created / 1_000,
        last_seen: record.times.last_seen / 1_000,
    }
}

/// Whether no page of another origin can have sent it.
fn comes_from_here(headers: &HeaderMap) -> bool {
    is_only(headers, &SEC_FETCH_SITE, b"same-origin") || is_only(headers, &POSTERN_REQUEST, b"1")
}

fn is_only(headers: &HeaderMap, name: &HeaderName, value: &[u8]) -> bool {
    let mut found = headers.get_all(name).iter();
    match (found.next(), found.next()) {
        (Some(found), None) => found.as_bytes() == value,
        (_, _) => false,
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut ranges = accepted.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    ranges.any(|range| essence(range) == b"text/html")
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    essence(kind.unwrap_or_default()) == b"application/x-www-form-urlencoded"
}

/// A media type without its parameters, in lower case.
fn essence(kind: &[u8]) -> Vec<u8> {
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_said_once_and_alone() {
        let one = Some(Meant::One("01K".to_owned()));
        assert_eq!(Meant::of_form(b"sid=01K"), one);
        assert_eq!(Meant::of_json(br#"{"sid":"01K"}"#), one);
        assert_eq!(Meant::of_form(b"others=1"), Some(Meant::Others));
        assert_eq!(Meant::of_json(br#"{"others":true}"#), Some(Meant::Others));
        for form in ["", "sid=a&sid=b", "sid=a&others=1", "others=2", "who=ann"] {
            assert_eq!(Meant::of_form(form.as_bytes()), None, "{form}");
        }
        for json in [
            "",
            "[]",
            r#"{"sid":1}"#,
            r#"{"others":1}"#,
            r#"{"sid":"a","others":true}"#,
        ] {
            assert_eq!(Meant::of_json(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn only_this_origin_and_programs_can_ask_for_an_end() {
        let with = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            comes_from_here(&headers)
        };
        assert!(with(&[("sec-fetch-site", "same-origin")]));
        assert!(with(&[("postern-request", "1")]));
        for fields in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("postern-request", "0")],
            &[("origin", "https://desk.example")],
        ] {
            assert!(!with(fields), "{fields:?}");
        }
    }
}
