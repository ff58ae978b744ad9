//! Documents that proxies are known to get wrong, and what each that redacts makes of them.
//!
//! They say nothing about speed. Whoever reads a document into a tree and writes it out again is fast or slow, but
//! also loses what the tree does not hold: digits, repeated members, the order, depths that its reader does not go to.

mod documents;

use std::fmt;
use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Uri};

use super::connection::{AskError, Connection, Question};
use super::place::Place;
use super::policy::CASES;

pub(super) use documents::pieces_by_name;
use documents::{HIDDEN, TRAPS, Trap};

/// More than this of an answer is not unpacked.
const UNPACKED_BYTES_MAX: u64 = 1 << 20;

/// What a place makes of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What is shown is there byte for byte, what is hidden is not.
    Exact,
    /// It says the same, written in another way.
    Rewritten,
    /// What is shown is not all there: this is missing.
    Loses(&'static str),
    /// It does not answer, in a way that can be seen.
    Refuses(String),
    /// A document that breaks off is answered as if it were one.
    Completes,
    /// Something hidden leaves.
    Leaks(String),
}

/// The verdicts on one place.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What tables call it.
    pub(crate) name: String,
    /// One for each of [`names`].
    pub(crate) verdicts: Vec<Verdict>,
}

/// What tables call the documents.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TRAPS.iter().map(|trap| trap.name)
}

/// Asks every place that redacts for every document.
pub(super) async fn judge(places: &[Place]) -> Vec<Judged> {
    let mut all = Vec::new();
    for place in places.iter().filter(|place| place.redacts_ten()) {
        let mut verdicts = Vec::new();
        for trap in &TRAPS {
            verdicts.push(judge_one(place, trap).await);
        }
        let name = place.name.clone();
        all.push(Judged { name, verdicts });
    }
    all
}

async fn judge_one(place: &Place, trap: &Trap) -> Verdict {
    let question = Question {
        address: place.address,
        path: Uri::try_from(format!("{CASES}{}", trap.name)).unwrap_or_default(),
        fields: place.fields.clone(),
        length: None,
    };
    match Connection::open(question).await {
        Ok(mut connection) => {
            let (ended, body) = connection.heard().await;
            verdict(trap, &ended, &body)
        }
        Err(error) => Verdict::Refuses(error.to_string()),
    }
}

/// What an answer is, as far as it came. A leak is one also in an answer that is refused or breaks off.
fn verdict(trap: &Trap, ended: &Result<HeaderMap, AskError>, body: &Bytes) -> Verdict {
    let unpacked = unpacked(body);
    let texts = [&body[..], &unpacked].map(String::from_utf8_lossy);
    for text in &texts {
        if let Some(at) = text.find(HIDDEN) {
            let value = text.get(at..).unwrap_or_default();
            let is_value = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
            return Verdict::Leaks(value.chars().take_while(is_value).collect());
        }
    }
    let fields = match ended {
        Ok(fields) => fields,
        Err(AskError::Status(status)) => return Verdict::Refuses(status.as_u16().to_string()),
        Err(AskError::Exchange(_)) => return Verdict::Refuses("breaks off".to_owned()),
        Err(error) => return Verdict::Refuses(error.to_string()),
    };
    let [plain, unpacked] = texts;
    let text = match fields.contains_key(CONTENT_ENCODING) {
        true => unpacked,
        false => plain,
    };
    let Some(expected) = trap.redacted() else {
        return Verdict::Completes;
    };
    match trap.kept.iter().find(|kept| !text.contains(**kept)) {
        Some(lost) => Verdict::Loses(lost),
        None if text == expected => Verdict::Exact,
        None => Verdict::Rewritten,
    }
}

/// What is in a gzip body; nothing when it is none.
fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(body).take(UNPACKED_BYTES_MAX);
    // What comes before an error may hold something too.
    reader.read_to_end(&mut unpacked).unwrap_or_default();
    unpacked
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => write!(f, "exact"),
            Self::Rewritten => write!(f, "rewritten"),
            Self::Loses(lost) => write!(f, "loses {lost}"),
            Self::Refuses(how) => write!(f, "refuses ({how})"),
            Self::Completes => write!(f, "completes it"),
            Self::Leaks(value) => write!(f, "LEAKS {value}"),
        }
    }
}

#[cfg(test)]
mod tests;
