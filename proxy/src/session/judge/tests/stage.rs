//! A session, and requests to it.

use http::header::{COOKIE, HeaderName, USER_AGENT};
use http::{HeaderMap, Method};

use super::*;
use crate::session::client_cookies::handle_field;
use crate::session::dbsc::Refresh;
use crate::session::decoy::Decoys;
use crate::session::keys::ServerKeys;
use crate::session::samples::{Browser, fresh, quoted, record, times};
pub(super) use crate::session::samples::{CHROME, NOW, SID};
use crate::session::vault::Handle;

pub(super) const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
pub(super) const ORIGIN: &str = "https://desk.example";

pub(super) struct Stage {
    pub(super) sessions: Sessions,
    pub(super) record: Record,
    pub(super) recent: Recent,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            sessions: Sessions::default(),
            record: record(),
            recent: Recent::default(),
        }
    }

    /// Judges a request, so many seconds after the session began.
    pub(super) fn judge(&self, visit: &Visit, seconds: u64) -> Judgement {
        self.judge_shown(&visit.shown(), seconds)
    }

    pub(super) fn judge_shown(&self, shown: &Shown, seconds: u64) -> Judgement {
        let now = NOW + seconds * 1_000;
        judge(&self.sessions, &self.record, shown, &self.recent, now)
    }

    pub(super) fn bind_certificate(&mut self, der: &[u8]) {
        let shown = Visit::new().certificate(der).shown();
        self.record.binding.certificate = shown.certificate;
    }

    /// Binds the device at the beginning, and proves it again 100 seconds later. Gives both cookies.
    pub(super) fn bind_device(&mut self) -> [String; 2] {
        let browser = Browser::new();
        let (mut device, first) = browser.bound();
        let proof = browser.refresh(quoted(&first.challenge, "\""));
        let at = NOW + 100_000;
        let refreshed = device.refresh((SID, Some(&proof)), fresh(3), times(), at);
        let Refresh::Proved(second) = refreshed else {
            panic!("{refreshed:?}");
        };
        self.record.binding.device = Some(device);
        [first.cookie, second.cookie]
    }
}

/// A request: a fetch by a page of ours, with the handle in its cookie.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) method: Method,
    address: &'static str,
    headers: HeaderMap,
    certificate: Option<Vec<u8>>,
}

impl Visit {
    pub(super) fn new() -> Self {
        Self::bare()
            .cookie(
                handle_field(&Handle::new([7; 32]))
                    .split(';')
                    .next()
                    .unwrap(),
            )
            .field("sec-fetch-site", "same-origin")
            .field("sec-fetch-mode", "cors")
            .field("sec-fetch-dest", "empty")
    }

    /// One that shows where it comes from, and nothing else.
    pub(super) fn bare() -> Self {
        Self {
            method: Method::GET,
            address: "192.0.2.1",
            headers: HeaderMap::from_iter([(USER_AGENT, CHROME.parse().unwrap())]),
            certificate: None,
        }
    }

    pub(super) fn from(mut self, address: &'static str) -> Self {
        self.address = address;
        self
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(super) fn cookie(mut self, pair: &str) -> Self {
        self.headers.append(COOKIE, pair.parse().unwrap());
        self
    }

    pub(super) fn bound(self, cookie: &str) -> Self {
        self.cookie(&format!("__Host-pnb={cookie}"))
    }

    pub(super) fn certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(der.to_vec());
        self
    }

    /// A page in a tab, not a part of one.
    pub(super) fn page(self) -> Self {
        self.field("sec-fetch-mode", "navigate")
            .field("sec-fetch-dest", "document")
    }

    pub(super) fn shown(&self) -> Shown {
        let asked = Asked {
            method: &self.method,
            path: "/cases/1",
            address: Some(self.address.parse().unwrap()),
            certificate: self.certificate.as_deref(),
            origins: &[ORIGIN.to_owned()],
            decoys: Some(&decoys()),
        };
        Shown::of(&self.headers, &asked)
    }
}

pub(super) fn decoys() -> Decoys {
    Decoys::new("JSESSIONID", &ServerKeys::new([9; 32]))
}

/// The rules that fired.
pub(super) fn words(judgement: &Judgement) -> String {
    let words = judgement.findings.iter().map(|finding| finding.rule.word());
    words.collect::<Vec<_>>().join(" ")
}
