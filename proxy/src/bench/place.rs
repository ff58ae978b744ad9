//! One thing that is measured: where it is, what it is asked, and what it has to answer.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Uri};

use super::BenchError;
use super::connection::{AskError, Connection, Question};
use super::machine;
use super::plan::{Row, Size};
use super::policy::{CASES, LOGIN};
use super::redacted::Expected;

/// What a place is to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The application, asked directly.
    Upstream,
    /// A bare pingora proxy.
    Passthrough,
    /// What is measured.
    Measured,
    /// A proxy of somebody else.
    Peer,
}

/// Somewhere that answers.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What tables call it.
    pub(super) name: String,
    /// What it is to the comparison.
    pub(super) part: Part,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// Its process; none where that is not ours.
    pub(super) process: Option<u32>,
    /// What is asked for; none: the document of each size.
    pub(super) path: Option<Uri>,
    /// The fields that every request brings.
    pub(super) fields: HeaderMap,
    /// What has to come back.
    pub(super) expected: Expected,
}

impl Place {
    /// A Postern that runs one row; begins a session where the row has one.
    pub(super) async fn of_row(
        row: Row,
        address: SocketAddr,
        process: Option<u32>,
    ) -> Result<Self, BenchError> {
        let mut place = Self {
            name: row.name().to_owned(),
            part: Part::Measured,
            address,
            process,
            path: None,
            fields: HeaderMap::new(),
            expected: match row {
                Row::HidesNothing => Expected::Whole,
                Row::FreeText => Expected::BodiesSearched,
                Row::TenRules | Row::Sessions | Row::Quotas | Row::Audit | Row::Everything => {
                    Expected::TenRedacted
                }
            },
        };
        if row.has_session() {
            let cookies = place.log_in().await.map_err(|error| place.silent(error))?;
            place.fields.insert(COOKIE, cookies);
        } else {
            let role = HeaderValue::from_static(row.role());
            place.fields.insert("x-roles", role);
            let subject = HeaderValue::from_static("bench");
            place.fields.insert("x-subject", subject);
        }
        Ok(place)
    }

    /// How long its process has worked; none where nobody says.
    pub(super) fn worked(&self) -> Option<Duration> {
        machine::worked(self.process?)
    }

    /// Whether it redacts what the ten selectors select.
    pub(super) fn redacts_ten(&self) -> bool {
        match self.expected {
            Expected::TenRedacted | Expected::TenRedactedAsATree => true,
            Expected::Whole | Expected::BodiesSearched | Expected::Anything => false,
        }
    }

    /// Asks once and looks at all of the answer. Gives the question that load asks, which answers of that length.
    pub(super) async fn checked(&self, size: Size) -> Result<Question, BenchError> {
        let question = self.question(size);
        let answer = match Connection::open(question.clone()).await {
            Ok(mut connection) => connection.answer().await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.silent(error))?;
        match self.expected.objection(size, &answer.body) {
            None => Ok(Question {
                length: Some(answer.body.len()),
                ..question
            }),
            Some(reason) => Err(BenchError::Answer {
                name: self.name.clone(),
                size,
                reason,
            }),
        }
    }

    /// The error of an answer that does not come.
    pub(super) fn silent(&self, error: AskError) -> BenchError {
        let name = self.name.clone();
        BenchError::Ask { name, error }
    }

    fn question(&self, size: Size) -> Question {
        let document = || Uri::try_from(format!("{CASES}{}", size.bytes())).unwrap_or_default();
        Question {
            address: self.address,
            path: self.path.clone().unwrap_or_else(document),
            fields: self.fields.clone(),
            length: None,
        }
    }

    /// Begins a session; gives the cookies that it hands out.
    async fn log_in(&self) -> Result<HeaderValue, AskError> {
        let question = Question {
            address: self.address,
            path: Uri::from_static(LOGIN),
            fields: HeaderMap::new(),
            length: None,
        };
        let answer = Connection::open(question).await?.answer().await?;
        let cookies = answer.fields.get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookies: Vec<&str> = cookies.collect();
        Ok(HeaderValue::from_str(&cookies.join("; ")).map_err(http::Error::from)?)
    }
}
