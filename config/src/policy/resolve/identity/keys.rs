//! Where the keys of `from: jwt` are read from. A literal is refused, and never repeated.

use core::net::IpAddr;

use crate::document::read::At;
use crate::identity::KeySource;
use crate::policy::error::Problems;
use crate::secret::Reference;

/// `file:`, `env:`, `https://`, or `http://` on loopback.
pub(super) fn source(at: &At<String>, problems: &mut Problems) -> Option<KeySource> {
    let text = at.value.as_str();
    if let Some(rest) = text.strip_prefix("https://")
        && is_host_first(rest)
    {
        return Some(KeySource::Url(text.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("http://") {
        if is_host_first(rest) && is_loopback_host(host_of(rest)) {
            return Some(KeySource::Url(text.to_owned()));
        }
        problems
            .add(
                "PN033",
                at.place,
                "keys over plain `http://` come from loopback only",
            )
            .help("use `https://`");
        return None;
    }
    if let Ok(reference) = Reference::parse(text) {
        return Some(KeySource::Reference(reference));
    }
    problems
        .add("PN033", at.place, "`keys` says where the JWK set is")
        .help("use `file:PATH`, `env:NAME` or `https://...`; keys are never written out");
    None
}

/// Whether a URL without its scheme begins with a host and holds no user, space or control.
fn is_host_first(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host_of(rest).is_empty()
        && !authority.contains('@')
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The host of a URL without its scheme, without brackets and port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host names this machine for certain.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
