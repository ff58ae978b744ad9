//! Who made the browser send a request: what its fetch metadata say (W3C Fetch Metadata Request Headers),
//! and what stands in for them.
//!
//! Pages of legacy applications cannot send a field of ours, so the metadata, which every current browser
//! sends and no page can set, are the evidence; `Origin` and `Postern-Request` serve older browsers.

use http::HeaderMap;
use http::header::{HeaderName, ORIGIN};
use postern_config::sessions::RuleId;

use super::finding::Finding;
use super::shown::Carrier;
use super::{Judgement, Scene};
use crate::session::browser_fields::{
    POSTERN_REQUEST, SEC_FETCH_DEST, SEC_FETCH_MODE, SEC_FETCH_SITE,
};
use crate::session::dpop::normal_origin;
use crate::session::record::Client;

/// What is known of who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// Where it came from.
    pub sender: Sender,
    /// What it is for.
    pub purpose: Purpose,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page of ours, or the person themselves: an address that was typed, a bookmark.
    Ours,
    /// A page of another site.
    OtherSite,
    /// A page of another origin of our site, or it is told in a way that no browser tells it.
    Elsewhere,
    /// Nobody says.
    Untold,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What it brings is to be the whole page in a tab.
    Page,
    /// Something else: a fetch, an image, a frame.
    Part,
    /// Nobody says.
    Untold,
}

impl Fetch {
    /// Reads what a request says. `origins` are our own. The first that is told decides: a request that the
    /// metadata place elsewhere is not ours for any other field.
    #[must_use]
    pub fn read(headers: &HeaderMap, origins: &[String]) -> Self {
        let sender = match only(headers, &SEC_FETCH_SITE) {
            Some("same-origin" | "none") => Sender::Ours,
            Some("cross-site") => Sender::OtherSite,
            Some(_) => Sender::Elsewhere,
            None => by_other_fields(headers, origins),
        };
        let purpose = match (
            only(headers, &SEC_FETCH_MODE),
            only(headers, &SEC_FETCH_DEST),
        ) {
            (Some("navigate"), Some("document")) => Purpose::Page,
            (None, None) => Purpose::Untold,
            (Some(_), _) | (_, Some(_)) => Purpose::Part,
        };
        Self { sender, purpose }
    }
}

fn by_other_fields(headers: &HeaderMap, origins: &[String]) -> Sender {
    match (only(headers, &ORIGIN), only(headers, &POSTERN_REQUEST)) {
        (Some(origin), _) if is_one_of(origin, origins) => Sender::Ours,
        (Some(_), _) => Sender::Elsewhere,
        (None, Some("1")) => Sender::Ours,
        (None, Some(_) | None) => Sender::Untold,
    }
}

fn is_one_of(origin: &str, origins: &[String]) -> bool {
    let Some(origin) = normal_origin(origin) else {
        return false;
    };
    let mut ours = origins.iter().filter_map(|ours| normal_origin(ours));
    ours.any(|ours| ours == origin)
}

/// The value of a field that comes once; of one that comes otherwise, no value that means anything.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut fields = headers.get_all(name).iter();
    let first = fields.next()?;
    match fields.next() {
        None => Some(first.to_str().unwrap_or_default()),
        Some(_) => Some(""),
    }
}

/// H13: another site's page asks for more than to be shown one of ours, or an unsafe request with the cookie
/// of a browser is not known to be ours.
pub(super) fn judge(scene: &Scene<'_>, judgement: &mut Judgement) {
    let (shown, sessions) = (scene.shown, scene.sessions);
    let Fetch { sender, purpose } = shown.fetch;
    let from_page = scene.record.client == Client::Browser && shown.carrier == Carrier::Cookie;
    let reason = match (sender, purpose) {
        (Sender::OtherSite, Purpose::Part | Purpose::Untold) => "cross-site",
        (Sender::OtherSite | Sender::Elsewhere | Sender::Untold, _)
            if from_page && shown.is_unsafe =>
        {
            "not-known-to-be-ours"
        }
        (Sender::Ours | Sender::OtherSite | Sender::Elsewhere | Sender::Untold, _) => return,
    };
    judgement.raise(Finding::new(sessions, RuleId::H13, reason));
}
