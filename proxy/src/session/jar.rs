//! What is in a session's jar: the application's cookies, and the tokens for which a client holds
//! placeholders.
//!
//! It is text only while it is open in memory; the vault seals it as bytes.

use percent_encoding::percent_decode;
use postern_config::Sessions;
use postern_filters::cookie_jar::{Cookie, CookieJar};
use postern_filters::placeholder::Placeholder;
use postern_filters::token_rules::looks_random;
use postern_filters::token_sweep::{REMOVED, SecretsError};
use postern_filters::{Secret, Secrets};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::held_tokens::{FoundUnder, HeldTokens};
use super::vault::Jar;

/// A cookie's value of so many bytes is taken for a secret whatever its name is.
const SECRET_BYTES_MIN: usize = 16;

/// See the module's documentation.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The application's cookies.
    pub cookies: CookieJar,
    tokens: HeldTokens,
    /// What pages of the login have set for whoever has a session already, and logs in anew.
    pub anew: Option<Box<Self>>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    cookies: Vec<WrittenCookie>,
    tokens: HeldTokens,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anew: Option<Box<Self>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCookie {
    name: Vec<u8>,
    value: Vec<u8>,
    domain: String,
    host_only: bool,
    path: Vec<u8>,
    secure: bool,
    expires_ms: Option<u64>,
    created_ms: u64,
    set_ms: u64,
}

/// What was sealed is no jar: a fault of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed is no jar")]
pub struct NoJar;

impl Contents {
    /// Reads what [`Self::to_jar`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(jar: &[u8]) -> Result<Self, NoJar> {
        let written: Written = serde_json::from_slice(jar).map_err(|_error| NoJar)?;
        Ok(written.read())
    }

    /// The bytes that are sealed.
    #[must_use]
    pub fn to_jar(&self) -> Jar {
        let written = Written::of(self);
        // INVARIANT: bytes, numbers and texts are always JSON.
        Zeroizing::new(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// The tokens that clients hold placeholders for.
    #[must_use]
    pub const fn tokens(&self) -> &HeldTokens {
        &self.tokens
    }

    /// Holds a token for which a client has this placeholder already, or gets it in a moment.
    pub fn hold_as(&mut self, placeholder: &Placeholder, value: &[u8], found: &FoundUnder) {
        self.tokens.hold_as(placeholder, value, found);
    }

    /// Everything in it that must not reach a client, to be looked for. Cookies that are tokens by their
    /// name or long enough to be one are removed, tokens that look random give way to their placeholders; cookies that the
    /// policy lets pass are no secrets. `gone` was in it before, and is removed as well.
    ///
    /// # Errors
    /// Nothing of the session may leave.
    pub fn secrets<'v>(
        &'v self,
        sessions: &'v Sessions,
        now_ms: u64,
        gone: impl Iterator<Item = &'v [u8]>,
    ) -> Result<Secrets, SecretsError> {
        let tokens = self.tokens.looked_for();
        let tokens = tokens.map(|(value, instead)| Secret { value, instead });
        let cookies = self.secret_cookies(sessions, now_ms);
        let cookies = cookies.map(|cookie| cookie.value.as_slice());
        let removed = cookies.chain(gone).map(|value| Secret {
            value,
            instead: REMOVED,
        });
        let secrets: Vec<Secret<'_>> = tokens.chain(removed).collect();
        Secrets::new(&secrets)
    }

    /// What of it nobody but the application and we can have, unless they took it.
    pub fn watched_values(&self, sessions: &Sessions, now_ms: u64) -> impl Iterator<Item = &[u8]> {
        let cookies = self.secret_cookies(sessions, now_ms);
        let cookies = cookies.filter(|cookie| is_watched(&cookie.name, &cookie.value, sessions));
        self.tokens
            .watched()
            .chain(cookies.map(|cookie| cookie.value.as_slice()))
    }

    fn secret_cookies(&self, sessions: &Sessions, now_ms: u64) -> impl Iterator<Item = &Cookie> {
        let alive = self.cookies.alive(now_ms);
        alive.filter(|cookie| is_secret(&cookie.name, &cookie.value, sessions))
    }
}

/// Whether a cookie of the application is a secret: it is a token by its name or long enough to be one, and
/// the policy does not let it pass.
#[must_use]
pub fn is_secret(name: &[u8], value: &[u8], sessions: &Sessions) -> bool {
    let passes = sessions.lets_pass(name);
    let name = String::from_utf8_lossy(name);
    !passes && (sessions.token.is_cookie(&name) || value.len() >= SECRET_BYTES_MIN)
}

/// Whether a cookie of the application is a secret that nobody guesses: a token by its name, or one that looks random.
///
/// SECURITY: whoever brings what is watched for can end its session. An application keeps names, addresses and
/// times in cookies as well, and whoever knows those of a person has taken nothing.
#[must_use]
pub fn is_watched(name: &[u8], value: &[u8], sessions: &Sessions) -> bool {
    let plain: Vec<u8> = percent_decode(value).collect();
    let is_random = || looks_random(&plain) && !plain.contains(&b'@');
    let is_token = sessions.token.is_cookie(&String::from_utf8_lossy(name));
    is_secret(name, value, sessions) && (is_token || is_random())
}

impl Written {
    fn of(contents: &Contents) -> Self {
        let cookies = contents.cookies.cookies().iter();
        let anew = contents.anew.as_deref();
        Self {
            cookies: cookies.map(WrittenCookie::of).collect(),
            tokens: contents.tokens.clone(),
            anew: anew.map(|anew| Box::new(Self::of(anew))),
        }
    }

    fn read(self) -> Contents {
        let cookies = self.cookies.into_iter().map(WrittenCookie::read);
        Contents {
            cookies: CookieJar::from_cookies(cookies.collect()),
            tokens: self.tokens,
            anew: self.anew.map(|anew| Box::new(anew.read())),
        }
    }
}

impl WrittenCookie {
    fn of(cookie: &Cookie) -> Self {
        Self {
            name: cookie.name.clone(),
            value: cookie.value.clone(),
            domain: cookie.domain.clone(),
            host_only: cookie.host_only,
            path: cookie.path.clone(),
            secure: cookie.secure,
            expires_ms: cookie.expires_ms,
            created_ms: cookie.created_ms,
            set_ms: cookie.set_ms,
        }
    }

    fn read(self) -> Cookie {
        Cookie {
            name: self.name,
            value: self.value,
            domain: self.domain,
            host_only: self.host_only,
            path: self.path,
            secure: self.secure,
            expires_ms: self.expires_ms,
            created_ms: self.created_ms,
            set_ms: self.set_ms,
        }
    }
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use postern_filters::cookie_jar::Origin;
    use postern_filters::set_cookie::set_cookies;

    use super::super::held_tokens::TOKENS_BYTES_MAX;
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn origin() -> Origin<'static> {
        Origin {
            host: "desk.example",
            path: b"/",
            secure: true,
        }
    }

    fn found(name: &str) -> FoundUnder {
        FoundUnder::new(Some(name.as_bytes()), &Sessions::default().token, false)
    }

    fn with(fields: &[&str]) -> Contents {
        let mut contents = Contents::default();
        for field in fields {
            for cookie in set_cookies(field.as_bytes()) {
                contents.cookies.store(cookie, origin(), NOW);
            }
        }
        contents
    }

    #[test]
    fn a_jar_is_read_back_as_it_was() {
        let mut contents = with(&[
            "sessionid=abcdefgh12345678; Path=/; Secure; HttpOnly",
            "bytes=\u{e9}",
        ]);
        let placeholder = Placeholder::new([1; 16]);
        contents.hold_as(&placeholder, b"a token of 24 characters", &found("refresh"));
        let read = Contents::read(&contents.to_jar()).unwrap();
        assert_eq!(read, contents);
        let held = read.tokens().held(&placeholder).unwrap();
        assert_eq!(held, b"a token of 24 characters");
        assert_eq!(Contents::read(b"{}").unwrap_err(), NoJar);
    }

    #[test]
    fn a_jar_of_before_names_were_kept_is_read() {
        let placeholder = Placeholder::new([1; 16]);
        let jar = format!(
            r#"{{"cookies":[],"tokens":[{{"placeholder":"{placeholder}","value":[97,98,99,100,101,102]}}]}}"#
        );
        let read = Contents::read(jar.as_bytes()).unwrap();
        let names = Sessions::default().token;
        let under = |name: &[u8]| read.tokens().held_under(&placeholder, name, &names);
        assert_eq!(under(b"desk_token"), None, "it looks like a word");
        assert_eq!(under(b"access_token"), Some(b"abcdef".as_slice()));
        assert_eq!(under(b"comment"), None);
    }

    #[test]
    fn what_somebody_can_guess_is_not_watched_for() {
        let contents = with(&[
            "sid=ann-miller-of-the-desk",
            "other=c4VnEu1yD9hQkXwZt7rB2pLm",
            "last_user=ann.miller1984@desk.example",
            "address=ann.miller1984%40desk.example",
            "name=ann-miller-of-the-desk",
            "visited=2026-11-29T23:31:48Z",
        ]);
        let sessions = Sessions::default();
        let watched: Vec<&[u8]> = contents.watched_values(&sessions, NOW).collect();
        assert_eq!(
            watched,
            [
                b"ann-miller-of-the-desk".as_slice(),
                b"c4VnEu1yD9hQkXwZt7rB2pLm"
            ]
        );
    }

    #[test]
    fn however_many_tokens_a_day_brings_they_can_be_looked_for() {
        let mut contents = Contents::default();
        let sign = |n: usize| char::from(b"ABCDEFGHabcdefgh01234567+/=-_."[n % 30]);
        for n in 0..120_u8 {
            let value: String = (0..1_000)
                .map(|at| sign(at * at / 7 + at + usize::from(n)))
                .collect();
            contents.hold_as(&Placeholder::new([n; 16]), value.as_bytes(), &found("t"));
        }
        let secrets = contents.secrets(&Sessions::default(), NOW, std::iter::empty());
        assert!(secrets.is_ok(), "{secrets:?}");
        let newest = Placeholder::new([119; 16]);
        assert!(contents.tokens().held(&newest).is_some());
        let long = vec![b'x'; TOKENS_BYTES_MAX + 1];
        contents.hold_as(&Placeholder::new([200; 16]), &long, &found("t"));
        assert_eq!(contents.tokens().values().count(), 1);
    }

    #[test]
    fn what_a_client_must_not_see_is_taken_out_and_the_rest_stays() {
        let mut contents = with(&[
            "sessionid=abcdefgh12345678",
            "XSRF-TOKEN=short8xy",
            "locale=en_US.UTF-8",
            "theme=a-rather-long-name-of-a-theme",
        ]);
        let placeholder = Placeholder::new([1; 16]);
        contents.hold_as(&placeholder, b"c4VnEu1yD9hQkXwZt7rB2pLm", &found("token"));
        contents.hold_as(&Placeholder::new([2; 16]), b"function", &found("token"));
        let mut sessions = Sessions::default();
        sessions.passthrough.push("theme".to_owned());
        let secrets = Arc::new(
            contents
                .secrets(&sessions, NOW, std::iter::empty())
                .unwrap(),
        );
        let text = "abcdefgh12345678 short8xy en_US.UTF-8 a-rather-long-name-of-a-theme function c4VnEu1yD9hQkXwZt7rB2pLm";
        let rewritten = secrets.rewrite(text.as_bytes()).unwrap();
        let expected = format!(
            "*** *** en_US.UTF-8 a-rather-long-name-of-a-theme function {}",
            placeholder.as_str()
        );
        assert_eq!(String::from_utf8(rewritten).unwrap(), expected);
    }
}
