//! The fields by which a request says who made the browser send it (W3C Fetch Metadata Request Headers), and
//! ours that stands in for them.

use http::header::HeaderName;

/// Where it came from.
pub(crate) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Whether it is a navigation.
pub(crate) const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// What its answer becomes.
pub(crate) const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// What only a page of our origin, or a program, can send: a page elsewhere would have to ask first (CORS),
/// and nobody here says yes.
pub(crate) const POSTERN_REQUEST: HeaderName = HeaderName::from_static("postern-request");
