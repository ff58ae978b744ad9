//! The page between a link on another site and one of ours.
//!
//! A browser that follows a link from an e-mail sends no cookie that is `SameSite=Strict`. The page goes to
//! the same address again, from our site: then the cookies come. It needs no marker against going round for
//! ever, since the second request is `same-origin` and no deep link any more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::fetch::{Fetch, Purpose, Sender};
use super::shown::{Carrier, Shown};
use crate::session::answer::Answer;
use crate::session::digest::sha256;

/// The address is left for a moment, since going to the one that is shown would only scroll to its fragment.
const SCRIPT: &str = "const here=location.href;history.replaceState(null,\"\",\"/__postern/here\");location.replace(here)";

/// Whether a request follows a link on another site to a page of ours, and brings no handle for that.
#[must_use]
pub fn is_deep_link(shown: &Shown) -> bool {
    let from_link = Fetch {
        sender: Sender::OtherSite,
        purpose: Purpose::Page,
    };
    shown.is_get && shown.fetch == from_link && shown.carrier == Carrier::Nothing
}

/// The page for it. It shows nothing of the request, and without scripts it has a link to itself.
#[must_use]
pub fn interstitial() -> Answer {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>One moment</title>\
         <script>{SCRIPT}</script><noscript><a href=\"\">Continue</a></noscript></html>\n"
    );
    let hash = STANDARD.encode(sha256(SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    Answer::empty(StatusCode::OK)
        .with_body("text/html; charset=utf-8", body)
        .with(CONTENT_SECURITY_POLICY, &policy)
        .with(REFERRER_POLICY, "same-origin")
        .with(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with(X_FRAME_OPTIONS, "DENY")
}
