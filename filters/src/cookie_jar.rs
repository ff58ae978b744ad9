//! The upstream's cookies of one session, kept and sent back as a browser would (RFC 6265bis sections 5.7 and
//! 5.8).
//!
//! Guarantees: a cookie goes to no host, path or scheme that it was not set for; of two answers that set the
//! same cookie the one that began later counts, in whatever order they come; what a jar holds is bounded.
//!
//! It differs from a browser where there is none: `SameSite` means nothing here, cookies are not ordered by
//! when they were last used but by when they were last set when some must go, and a domain is public if it has
//! no point in it. Time is the caller's, in milliseconds since 1970.

use std::cmp::Reverse;
use std::fmt;

use crate::set_cookie::SetCookie;

/// How many cookies a jar holds, removed ones that are still remembered included.
pub const COOKIES_MAX: usize = 100;
/// What the names, values, domains and paths of a jar take together.
pub const JAR_BYTES_MAX: usize = 64 << 10;
/// How long a removed cookie is remembered, so that a slow answer that began earlier does not bring it back.
pub const REMEMBERED_MS: u64 = 300_000;
/// The longest life of a cookie: 400 days.
const LIFE_MS_MAX: u64 = 400 * 86_400_000;

/// One cookie in a jar. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name; it may be empty.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// Whom it is for.
    pub domain: String,
    /// Not for hosts below that.
    pub host_only: bool,
    /// The path that it is for.
    pub path: Vec<u8>,
    /// Only for secure connections.
    pub secure: bool,
    /// From when on it is gone; none when it lasts as long as the session.
    pub expires_ms: Option<u64>,
    /// When it was set for the first time.
    pub created_ms: u64,
    /// When the answer that set it last began.
    pub set_ms: u64,
}

/// Where an answer came from, or a request goes.
#[derive(Clone, Copy)]
pub struct Origin<'o> {
    /// The host in lower case, without a port.
    pub host: &'o str,
    /// The path, without a query.
    pub path: &'o [u8],
    /// The connection counts as secure: TLS, or a way to the upstream that the operator vouches for.
    pub secure: bool,
}

/// What became of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is in the jar.
    Kept,
    /// It was set with a date in the past: it is gone.
    Removed,
    /// An answer that began later has set it already.
    Superseded,
    /// A browser would not take it from there.
    Refused(CookieRefusal),
}

/// Why a cookie is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieRefusal {
    /// Its domain is not the origin's or above it, or is public, or is not ASCII.
    Domain,
    /// It is secure, or would hide a secure one, and the connection is not.
    Insecure,
    /// Its name's prefix (`__Host-` and so on) promises what is not so.
    Prefix,
    /// It is larger than a jar.
    TooLarge,
}

/// See the module. `Debug` shows how many cookies there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
}

impl CookieJar {
    /// A jar of cookies that came out of another one.
    #[must_use]
    pub fn from_cookies(cookies: Vec<Cookie>) -> Self {
        let mut jar = Self { cookies };
        jar.make_room();
        jar
    }

    /// Everything in it, removed cookies that are still remembered included; those have no value.
    #[must_use]
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }

    /// The cookies that are still alive.
    pub fn alive(&self, now_ms: u64) -> impl Iterator<Item = &Cookie> {
        self.cookies
            .iter()
            .filter(move |cookie| cookie.is_alive(now_ms))
    }

    /// Takes a cookie from an answer that began at `began_ms` (RFC 6265bis section 5.7).
    pub fn store(&mut self, set: SetCookie, origin: Origin<'_>, began_ms: u64) -> Stored {
        let cookie = match self.admitted(set, origin, began_ms) {
            Ok(cookie) => cookie,
            Err(refusal) => return Stored::Refused(refusal),
        };
        self.forget(began_ms);
        let alive = cookie.is_alive(began_ms);
        match self.cookies.iter_mut().find(|other| other.is_same(&cookie)) {
            Some(other) if other.set_ms > began_ms => return Stored::Superseded,
            Some(other) => {
                let created_ms = if other.is_alive(began_ms) {
                    other.created_ms
                } else {
                    cookie.created_ms
                };
                *other = Cookie {
                    created_ms,
                    ..cookie
                };
            }
            None => self.cookies.push(cookie),
        }
        self.make_room();
        if alive { Stored::Kept } else { Stored::Removed }
    }

    /// The value of the `Cookie` field for a request (RFC 6265bis section 5.8.3); none when no cookie is for it.
    #[must_use]
    pub fn header(&self, origin: Origin<'_>, now_ms: u64) -> Option<Vec<u8>> {
        let mut sent: Vec<&Cookie> = self
            .alive(now_ms)
            .filter(|cookie| cookie.is_for(origin))
            .collect();
        sent.sort_by_key(|cookie| (Reverse(cookie.path.len()), cookie.created_ms));
        let mut field = Vec::new();
        for cookie in sent {
            if !field.is_empty() {
                field.extend_from_slice(b"; ");
            }
            if !cookie.name.is_empty() {
                field.extend_from_slice(&cookie.name);
                field.push(b'=');
            }
            field.extend_from_slice(&cookie.value);
        }
        (!field.is_empty()).then_some(field)
    }

    fn admitted(
        &self,
        set: SetCookie,
        origin: Origin<'_>,
        began_ms: u64,
    ) -> Result<Cookie, CookieRefusal> {
        prefix_holds(&set, origin)?;
        let (domain, host_only) = domain(set.domain.as_deref(), origin.host)?;
        let expires_ms = expiry(&set, began_ms);
        let gone = expires_ms.is_some_and(|expires_ms| expires_ms <= began_ms);
        let cookie = Cookie {
            value: if gone { Vec::new() } else { set.value },
            name: set.name,
            domain,
            host_only,
            path: set.path.unwrap_or_else(|| default_path(origin.path)),
            secure: set.secure,
            expires_ms,
            created_ms: began_ms,
            set_ms: began_ms,
        };
        let hides = |other: &&Cookie| {
            other.secure
                && other.name == cookie.name
                && (is_within(&other.domain, &cookie.domain)
                    || is_within(&cookie.domain, &other.domain))
                && path_matches(&cookie.path, &other.path)
        };
        if !origin.secure && (cookie.secure || self.alive(began_ms).any(|other| hides(&other))) {
            return Err(CookieRefusal::Insecure);
        }
        if cookie.bytes() > JAR_BYTES_MAX {
            return Err(CookieRefusal::TooLarge);
        }
        Ok(cookie)
    }

    /// Forgets what is gone for so long that no answer can bring it back.
    fn forget(&mut self, now_ms: u64) {
        let remembered = |cookie: &Cookie| {
            cookie.is_alive(now_ms) || cookie.set_ms.saturating_add(REMEMBERED_MS) > now_ms
        };
        self.cookies.retain(remembered);
    }

    /// Drops removed cookies first, then those that were set longest ago.
    fn make_room(&mut self) {
        let mut bytes: usize = self.cookies.iter().map(Cookie::bytes).sum();
        while self.cookies.len() > COOKIES_MAX || bytes > JAR_BYTES_MAX {
            let oldest = self
                .cookies
                .iter()
                .enumerate()
                .min_by_key(|(_, cookie)| (!cookie.is_removed(), cookie.set_ms));
            let Some((oldest, _)) = oldest else {
                return;
            };
            bytes = bytes.saturating_sub(self.cookies.remove(oldest).bytes());
        }
    }
}

impl Cookie {
    fn is_alive(&self, now_ms: u64) -> bool {
        self.expires_ms.is_none_or(|expires_ms| expires_ms > now_ms)
    }

    fn is_removed(&self) -> bool {
        !self.is_alive(self.set_ms)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.host_only, &self.path)
            == (&other.name, &other.domain, other.host_only, &other.path)
    }

    fn is_for(&self, origin: Origin<'_>) -> bool {
        let host = if self.host_only {
            origin.host == self.domain
        } else {
            is_within(origin.host, &self.domain)
        };
        host && path_matches(origin.path, &self.path) && (origin.secure || !self.secure)
    }

    fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.domain.len() + self.path.len()
    }
}

/// RFC 6265bis section 5.7, steps 20 to 23: what the prefixes of names promise. They are read in any case, and
/// in the value of a cookie without a name too.
fn prefix_holds(set: &SetCookie, origin: Origin<'_>) -> Result<(), CookieRefusal> {
    let text = if set.name.is_empty() {
        &set.value
    } else {
        &set.name
    };
    let has = |prefix: &str| {
        let beginning = text.get(..prefix.len());
        beginning.is_some_and(|text| text.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let for_host = has("__Host-");
    let http_only = has("__Http-") || has("__Host-Http-");
    if !for_host && !http_only && !has("__Secure-") {
        return Ok(());
    }
    let holds = !set.name.is_empty()
        && set.secure
        && origin.secure
        && (!http_only || set.http_only)
        && (!for_host || set.domain.is_none() && set.path.as_deref() == Some(b"/"));
    if holds {
        Ok(())
    } else {
        Err(CookieRefusal::Prefix)
    }
}

/// Whom a cookie is for, and whether only for that host.
fn domain(domain: Option<&[u8]>, host: &str) -> Result<(String, bool), CookieRefusal> {
    let Some(domain) = domain else {
        return Ok((host.to_owned(), true));
    };
    let text = std::str::from_utf8(domain)
        .ok()
        .filter(|text| text.is_ascii());
    let domain = text.ok_or(CookieRefusal::Domain)?;
    if !is_within(host, domain) {
        return Err(CookieRefusal::Domain);
    }
    match domain.contains('.') {
        true => Ok((domain.to_owned(), false)),
        false if domain == host => Ok((domain.to_owned(), true)),
        false => Err(CookieRefusal::Domain),
    }
}

/// RFC 6265bis section 5.1.3: an address is only within itself.
fn is_within(host: &str, domain: &str) -> bool {
    let below = || {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    host == domain || !is_address(host) && below()
}

fn is_address(host: &str) -> bool {
    let inside = host.trim_start_matches('[').trim_end_matches(']');
    inside.parse::<core::net::IpAddr>().is_ok()
}

/// RFC 6265bis section 5.1.4.
fn default_path(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(last @ 1..) if path.starts_with(b"/") => path.get(..last).unwrap_or(b"/").to_vec(),
        Some(_) | None => b"/".to_vec(),
    }
}

/// RFC 6265bis section 5.1.4.
fn path_matches(asked: &[u8], cookie: &[u8]) -> bool {
    let rest = asked.strip_prefix(cookie);
    rest.is_some_and(|rest| rest.is_empty() || cookie.ends_with(b"/") || rest.starts_with(b"/"))
}

/// From when on a cookie is gone, at most 400 days on.
fn expiry(set: &SetCookie, began_ms: u64) -> Option<u64> {
    let at = match (set.max_age_seconds, set.expires) {
        (Some(seconds), _) => match u64::try_from(seconds) {
            Ok(seconds) => began_ms.saturating_add(seconds.saturating_mul(1000)),
            Err(_negative) => 0,
        },
        (None, Some(at)) => u64::try_from(at).unwrap_or(0).saturating_mul(1000),
        (None, None) => return None,
    };
    Some(at.min(began_ms.saturating_add(LIFE_MS_MAX)))
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie")
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieJar({} cookies)", self.cookies.len())
    }
}

#[cfg(test)]
mod tests;
