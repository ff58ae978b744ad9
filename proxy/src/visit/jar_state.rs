//! A session's jar while one exchange runs: what is in it, and what the answer adds.

use postern_config::Sessions;
use postern_filters::cookie_jar::{Cookie, CookieJar, Origin};
use postern_filters::placeholder::Placeholder;
use postern_filters::set_cookie::SetCookie;
use postern_filters::token_sweep::SecretsError;
use postern_filters::{Secret, Secrets};

use crate::session::Jar;
use crate::session::jar::{Contents, NoJar, is_watched};

/// A cookie whose end moves by less than one part in so many of what is left is not stored again.
const LIFE_PARTS: u64 = 10;

/// See the module's documentation. `Debug` shows nothing of it.
#[derive(Default)]
pub(super) struct JarState {
    contents: Contents,
    news: Vec<News>,
}

/// What an answer adds to a jar.
#[derive(Clone)]
pub(super) enum News {
    /// A cookie, set by an answer that began then.
    Cookie(Box<SetCookie>, u64),
    /// A token for which the client gets a placeholder.
    Token(Placeholder, Vec<u8>),
}

/// Where cookies come from and go to.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The upstream's host.
    pub(super) host: String,
    /// The request's path.
    pub(super) path: String,
}

impl News {
    /// What of it nobody may bring from outside.
    pub(super) fn watched(&self, sessions: &Sessions) -> Option<&[u8]> {
        match self {
            Self::Cookie(cookie, _) => {
                is_watched(&cookie.name, &cookie.value, sessions).then_some(&cookie.value)
            }
            Self::Token(_, value) => Some(value),
        }
    }
}

impl Place {
    /// Another path of the same host.
    pub(super) fn at(&self, path: &str) -> Self {
        Self {
            host: self.host.clone(),
            path: path.to_owned(),
        }
    }

    /// The way to the upstream is the operator's: it counts as secure, so that cookies that an application
    /// marks so because its clients use TLS are not lost behind a proxy.
    fn origin(&self) -> Origin<'_> {
        Origin {
            host: &self.host,
            path: self.path.as_bytes(),
            secure: true,
        }
    }
}

impl JarState {
    /// A jar as it was opened.
    pub(super) fn read(jar: &[u8]) -> Result<Self, NoJar> {
        Ok(Self {
            contents: Contents::read(jar)?,
            news: Vec::new(),
        })
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.contents == Contents::default()
    }

    /// Takes a cookie of an answer that began then.
    pub(super) fn set(&mut self, cookie: SetCookie, place: &Place, began_ms: u64) {
        let before = self.contents.cookies.clone();
        let cookies = &mut self.contents.cookies;
        cookies.store(cookie.clone(), place.origin(), began_ms);
        if differs(&before, cookies, began_ms) {
            self.news.push(News::Cookie(Box::new(cookie), began_ms));
        } else {
            *cookies = before;
        }
    }

    /// The placeholder of a token: the one that it has, or this one.
    pub(super) fn hold(&mut self, value: &[u8], new: Placeholder) -> String {
        if let Some(placeholder) = self.contents.placeholder_of(value) {
            return placeholder.to_owned();
        }
        self.contents.hold_as(&new, value);
        let text = new.as_str().to_owned();
        self.news.push(News::Token(new, value.to_vec()));
        text
    }

    /// The token that a placeholder stands for.
    pub(super) fn held(&self, placeholder: &Placeholder) -> Option<Vec<u8>> {
        self.contents.held(placeholder).map(<[u8]>::to_vec)
    }

    /// The `Cookie` field for a request.
    pub(super) fn cookies(&self, place: &Place, now_ms: u64) -> Option<Vec<u8>> {
        self.contents.cookies.header(place.origin(), now_ms)
    }

    /// What must not reach the client.
    pub(super) fn secrets(
        &self,
        sessions: &Sessions,
        now_ms: u64,
    ) -> Result<Secrets, SecretsError> {
        match self.is_empty() {
            true => Secrets::new(&[] as &[Secret<'_>]),
            false => self.contents.secrets(sessions, now_ms),
        }
    }

    /// What in it nobody may bring from outside.
    pub(super) fn watched_values(
        &self,
        sessions: &Sessions,
        now_ms: u64,
    ) -> impl Iterator<Item = &[u8]> {
        self.contents.watched_values(sessions, now_ms)
    }

    /// Everything in it, to be sealed.
    pub(super) fn to_jar(&self) -> Jar {
        self.contents.to_jar()
    }

    /// Whether something was added that is not kept yet.
    pub(super) const fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// What was added since it was asked last.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Adds what an answer brought to a jar that others may have changed meanwhile.
    pub(super) fn add(jar: &mut Jar, news: &[News], place: &Place) {
        // INVARIANT: the jar was read when its session was opened.
        let mut contents = Contents::read(jar).unwrap_or_default();
        for new in news {
            match new {
                News::Cookie(cookie, began_ms) => {
                    let cookies = &mut contents.cookies;
                    cookies.store((**cookie).clone(), place.origin(), *began_ms);
                }
                News::Token(placeholder, value) => contents.hold_as(placeholder, value),
            }
        }
        *jar = contents.to_jar();
    }
}

/// Whether two jars differ in anything that a request would show, or in an end that moved notably.
fn differs(before: &CookieJar, after: &CookieJar, now_ms: u64) -> bool {
    let same = |one: &Cookie, other: &Cookie| {
        let same_end = match (one.expires_ms, other.expires_ms) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                one.abs_diff(other) <= one.saturating_sub(now_ms) / LIFE_PARTS
            }
            (None | Some(_), _) => false,
        };
        let shown = |cookie: &Cookie| (cookie.name.clone(), cookie.value.clone());
        let to = |cookie: &Cookie| (cookie.domain.clone(), cookie.path.clone(), cookie.host_only);
        same_end && shown(one) == shown(other) && to(one) == to(other) && one.secure == other.secure
    };
    let (before, after) = (before.cookies(), after.cookies());
    let pairs = before.iter().zip(after);
    before.len() != after.len() || !pairs.into_iter().all(|(one, other)| same(one, other))
}

impl std::fmt::Debug for JarState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JarState").finish_non_exhaustive()
    }
}
