//! A session's jar while one exchange runs: what is in it, what the answer adds, and what it takes out, which must
//! not leave either: the application may tell it in that same answer, and it may still be good.

use postern_config::Sessions;
use postern_config::sessions::TokenNames;
use postern_filters::Secrets;
use postern_filters::cookie_jar::{Cookie, CookieJar, Origin};
use postern_filters::placeholder::Placeholder;
use postern_filters::set_cookie::SetCookie;
use postern_filters::token_sweep::SecretsError;
use zeroize::Zeroizing;

use crate::session::Jar;
use crate::session::held_tokens::FoundUnder;
use crate::session::jar::{Contents, NoJar, is_secret, is_watched};

/// A cookie whose end moves by less than one part in so many of what is left is not stored again.
const LIFE_PARTS: u64 = 10;

/// The shortest value of a field that is noted.
const NOTED_BYTES_MIN: usize = 16;

/// See the module's documentation. `Debug` shows nothing of it.
#[derive(Default)]
pub(super) struct JarState {
    part: Part,
    contents: Contents,
    news: Vec<News>,
    gone: Vec<Gone>,
}

/// Which part of a session's jar an exchange has before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// What the application knows the session by.
    #[default]
    Session,
    /// What pages of the login have set beside that.
    ///
    /// SECURITY: nothing of a session goes up to a login. An application that knows somebody already may answer
    /// as if they had logged in, whatever name and password they sent.
    Anew,
}

/// What the exchange began with, or the answer set, and the jar does not hold.
struct Gone {
    /// The name of a cookie; none of a token.
    name: Option<Vec<u8>>,
    value: Zeroizing<Vec<u8>>,
}

/// What an answer adds to a jar.
#[derive(Clone)]
pub(super) enum News {
    /// A cookie, set by an answer that began then.
    Cookie(Box<SetCookie>, u64),
    /// A token for which the client gets a placeholder, or where else it was found.
    Token(Placeholder, Vec<u8>, FoundUnder),
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
            Self::Token(_, value, found) => found.watches(value).then_some(value),
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
    /// A part of a jar as it was opened.
    pub(super) fn read(jar: &[u8], part: Part) -> Result<Self, NoJar> {
        Ok(Self {
            part,
            contents: part.of(Contents::read(jar)?),
            ..Self::default()
        })
    }

    /// Which part of the jar it is.
    pub(super) const fn part(&self) -> Part {
        self.part
    }

    /// It is a session of its own from now on.
    pub(super) const fn begin(&mut self) {
        self.part = Part::Session;
    }

    /// Takes up the jar as it is by now, to which others may have added, with what it does not have yet.
    pub(super) fn renew(&mut self, jar: &[u8], place: &Place) {
        let mut contents = self.part.of(read(jar));
        add(&mut contents, &self.news, place);
        let before = std::mem::replace(&mut self.contents, contents);
        self.note_gone(&before.cookies);
    }

    /// Empties the jar: its session has ended, or was left.
    pub(super) fn clear(&mut self) {
        let before = std::mem::take(&mut self.contents);
        self.news.clear();
        let tokens = before.tokens().looked_for();
        let tokens = tokens.map(|(value, _)| Gone::new(None, value));
        self.gone.extend(tokens);
        self.note_gone(&before.cookies);
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.contents == Contents::default()
    }

    /// Takes a cookie of an answer that began then.
    pub(super) fn set(&mut self, mut cookie: SetCookie, place: &Place, began_ms: u64) {
        // A jar is for one upstream, which may call itself by a public name that is not the one it is reached by.
        cookie.domain = None;
        let before = self.contents.cookies.clone();
        let cookies = &mut self.contents.cookies;
        cookies.store(cookie.clone(), place.origin(), began_ms);
        if !holds(cookies, &cookie.name, &cookie.value) {
            self.gone.push(Gone::new(Some(&cookie.name), &cookie.value));
        }
        if differs(&before, cookies, began_ms) {
            self.news.push(News::Cookie(Box::new(cookie), began_ms));
            self.note_gone(&before);
        } else {
            *cookies = before;
        }
    }

    /// Notes a token of the answer that is in no jar, unless it is in this one. A field of such a name may say
    /// something else in a word, which stands in many texts.
    pub(super) fn note(&mut self, token: &[u8]) {
        let random = token.len() >= NOTED_BYTES_MIN && token.iter().any(u8::is_ascii_digit);
        if random && self.contents.tokens().placeholder_of(token).is_none() {
            self.gone.push(Gone::new(None, token));
        }
    }

    /// Notes the cookies of a jar that are not in this one any more.
    fn note_gone(&mut self, before: &CookieJar) {
        let cookies = before.cookies().iter();
        let gone = cookies.filter(|old| !holds(&self.contents.cookies, &old.name, &old.value));
        let gone = gone.map(|old| Gone::new(Some(&old.name), &old.value));
        self.gone.extend(gone);
    }

    /// The placeholder of a token that was found there: the one that it has, or this one.
    pub(super) fn hold(&mut self, value: &[u8], new: Placeholder, found: FoundUnder) -> String {
        let known = self.contents.tokens().placeholder_of(value);
        let placeholder = known.and_then(|known| Placeholder::parse(known.as_bytes()));
        let placeholder = placeholder.unwrap_or(new);
        let text = placeholder.as_str().to_owned();
        self.keep(placeholder, value, found);
        text
    }

    /// The token that a placeholder stands for, in a field that brings tokens.
    pub(super) fn held(&mut self, placeholder: &Placeholder) -> Option<Vec<u8>> {
        let value = self.contents.tokens().held(placeholder)?.to_vec();
        self.keep(placeholder.clone(), &value, FoundUnder::default());
        Some(value)
    }

    /// The same, as the value of this name.
    pub(super) fn held_under(
        &mut self,
        placeholder: &Placeholder,
        name: &[u8],
        names: &TokenNames,
    ) -> Option<Vec<u8>> {
        let tokens = self.contents.tokens();
        tokens.held_under(placeholder, name, names)?;
        self.held(placeholder)
    }

    /// Keeps a token that was given or used, if that is news.
    fn keep(&mut self, placeholder: Placeholder, value: &[u8], found: FoundUnder) {
        if self.contents.tokens().is_news(&placeholder, &found) {
            self.contents.hold_as(&placeholder, value, &found);
            self.news
                .push(News::Token(placeholder, value.to_vec(), found));
        }
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
        let gone = self.gone.iter().filter(|gone| gone.is_secret(sessions));
        let gone = gone.map(|gone| gone.value.as_slice());
        self.contents.secrets(sessions, now_ms, gone)
    }

    /// Whether what must not reach the client is what is in the jar, and nothing beside it.
    pub(super) fn is_all_there(&self) -> bool {
        self.part == Part::Session && self.news.is_empty() && self.gone.is_empty()
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
    pub(super) fn add(jar: &mut Jar, part: Part, news: &[News], place: &Place) {
        let mut contents = read(jar);
        match part {
            Part::Session => add(&mut contents, news, place),
            Part::Anew => add(contents.anew.get_or_insert_default(), news, place),
        }
        *jar = contents.to_jar();
    }
}

impl Part {
    fn of(self, contents: Contents) -> Contents {
        match self {
            Self::Session => contents,
            Self::Anew => contents.anew.map(|anew| *anew).unwrap_or_default(),
        }
    }
}

impl Gone {
    fn new(name: Option<&[u8]>, value: &[u8]) -> Self {
        Self {
            name: name.map(<[u8]>::to_vec),
            value: Zeroizing::new(value.to_vec()),
        }
    }

    fn is_secret(&self, sessions: &Sessions) -> bool {
        let name = self.name.as_ref();
        name.is_none_or(|name| is_secret(name, &self.value, sessions))
    }
}

fn read(jar: &[u8]) -> Contents {
    // INVARIANT: the jar was read when its session was opened.
    Contents::read(jar).unwrap_or_default()
}

fn add(contents: &mut Contents, news: &[News], place: &Place) {
    for new in news {
        match new {
            News::Cookie(cookie, began_ms) => {
                let cookies = &mut contents.cookies;
                cookies.store((**cookie).clone(), place.origin(), *began_ms);
            }
            News::Token(placeholder, value, found) => contents.hold_as(placeholder, value, found),
        }
    }
}

/// Whether a jar has a cookie of this name and value, for whatever path.
fn holds(jar: &CookieJar, name: &[u8], value: &[u8]) -> bool {
    let mut cookies = jar.cookies().iter();
    cookies.any(|cookie| cookie.name == name && cookie.value == value)
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
