//! The cookies that the policy lets pass, in both directions, and no other that is written into one of them.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use postern_filters::Secrets;
use postern_filters::set_cookie::set_cookies;

use super::Visit;

/// The attributes with which a cookie passes.
const PASSING_ATTRIBUTES: [&str; 8] = [
    "Expires",
    "Max-Age",
    "Path",
    "Secure",
    "HttpOnly",
    "SameSite",
    "Partitioned",
    "Priority",
];

impl Visit {
    /// The upstream's cookies that the policy lets pass, as they were set but for what browsers do not read.
    pub(super) fn passing_cookies<'u>(
        &'u self,
        upstream: &'u HeaderMap,
        secrets: &'u Secrets,
    ) -> impl Iterator<Item = HeaderValue> + 'u {
        let sessions = &self.terms.sessions;
        upstream.get_all(SET_COOKIE).iter().filter_map(|field| {
            let [cookie] = set_cookies(field.as_bytes()).try_into().ok()?;
            // Behind a comma another cookie may follow, for whoever joined two fields (RFC 2109).
            let passes = sessions.lets_pass(&cookie.name)
                && !cookie.value.contains(&b',')
                && !secrets.contains(field.as_bytes());
            passes.then(|| for_this_host(field))?
        })
    }

    /// The pairs of the client's own cookies that may go up.
    pub(super) fn passing<'c>(&'c self, client: &'c HeaderMap) -> impl Iterator<Item = &'c [u8]> {
        let fields = client.get_all(COOKIE).iter();
        let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        pairs.map(<[u8]>::trim_ascii).filter(|pair| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            // SECURITY: a reader of older cookies (RFC 2109) takes what follows a comma for another one.
            self.terms.sessions.lets_pass(name) && !pair.contains(&b',')
        })
    }
}

/// A cookie for this host only, whatever the application calls itself, with the attributes that browsers know.
fn for_this_host(field: &HeaderValue) -> Option<HeaderValue> {
    let mut parts = field.as_bytes().split(|byte| *byte == b';');
    let pair = parts.next()?;
    let known = parts.filter(|part| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        let is = |known: &&str| name.trim_ascii().eq_ignore_ascii_case(known.as_bytes());
        PASSING_ATTRIBUTES.iter().any(is)
    });
    let kept: Vec<&[u8]> = std::iter::once(pair).chain(known).collect();
    HeaderValue::from_bytes(&kept.join(&b';')).ok()
}
