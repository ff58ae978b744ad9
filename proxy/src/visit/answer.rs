//! An answer on its way down: its cookies and tokens stay here.

use std::sync::Arc;

use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, SET_COOKIE,
};
use http::{HeaderMap, StatusCode};
use postern_filters::placeholder::Placeholder;
use postern_filters::response_tokens::response_header_tokens;
use postern_filters::set_cookie::{set_cookies, set_cookies2};
use postern_filters::token_rules::{Why, without_scheme};
use postern_filters::{
    FoundToken, FoundTokens, Instead, NamedIn, Secrets, SessionLine, TokenFilter, keeps_ascii,
};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::begin::{is_somebodys, problem_of_vault};
use super::device::fresh;
use super::jar_state::{JarState, Part};
use super::{Told, Visit, lock};
use crate::respond::{EVERYTHING, Problem};
use crate::session::client_cookies::{forgetting_field, forgetting_fields, handle_field};
use crate::session::dbsc::header;
use crate::session::held_tokens::{FoundUnder, TOKENS_BYTES_MAX};
use crate::session::judge::Finding;
use crate::session::registration::offer;
use crate::session::{Binding, Client, Holder, Limit, OpenSession, Start, VaultError};

const SET_COOKIE2: HeaderName = HeaderName::from_static("set-cookie2");
const REGISTRATION: HeaderName = HeaderName::from_static(header::REGISTRATION);
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// What describes bytes of the application that leave as others.
const DESCRIBES_BYTES: [HeaderName; 6] = [
    ETAG,
    LAST_MODIFIED,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

impl Visit {
    /// Keeps the cookies of an answer, and notes the tokens in its fields that do not pass.
    pub(crate) fn keep_cookies(&self, headers: &HeaderMap) {
        let mut jar = lock(&self.jar);
        let plain = headers.get_all(SET_COOKIE).iter();
        let plain = plain.flat_map(|field| set_cookies(field.as_bytes()));
        let old = headers.get_all(SET_COOKIE2).iter();
        let old = old.flat_map(|field| set_cookies2(field.as_bytes()));
        let sessions = &self.terms.sessions;
        let kept = plain.chain(old);
        for cookie in kept.filter(|cookie| !sessions.lets_pass(&cookie.name)) {
            jar.set(cookie, &self.place, self.began_ms);
        }
        let names = &self.terms.names;
        let fields = headers.iter();
        for (_, value) in fields.filter(|(name, _)| names.is_response_header(name.as_str())) {
            jar.note(without_scheme(value.as_bytes()));
        }
    }

    /// Begins a session for whoever has none, where the answer brings something to keep: cookies, or a page of
    /// the login, whose forms may.
    ///
    /// # Errors
    /// Nobody can keep it, so nothing of the answer may leave.
    pub(crate) async fn begin_if_needed(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if lock(&self.open).is_some() {
            return Ok(());
        }
        let has_forms = matches!(NamedIn::of(headers), NamedIn::Html | NamedIn::Json);
        let is_page = self.line == Some(SessionLine::Login) && has_forms;
        let brings = is_page || !lock(&self.jar).is_empty();
        if !brings {
            return Ok(());
        }
        let holder = lock(&self.holder).clone();
        match self.begin_session(holder).await {
            // Whom something else names needs no session to be let in: the cookies are lost, and nothing more.
            Err(problem) if !self.names_people() && problem.is_session_limit() => Ok(()),
            begun => begun,
        }
    }

    /// Begins a session with what is in the jar, in place of the one that there was.
    ///
    /// # Errors
    /// The person has too many, or nobody can keep it.
    pub(super) async fn begin_session(&self, holder: Holder) -> Result<(), Problem> {
        let named = holder.is_somebody();
        let mut binding = Binding::beginning(self.context.clone());
        let mut registration = None;
        if named {
            let sessions = &self.terms.sessions;
            let offered = offer(sessions, self.client, fresh()?, self.vault.now());
            (binding.device, registration) = offered.unzip();
        }
        let begun = self.vault.begin(self.start(holder, binding)).await;
        let (session, evicted) = begun.map_err(|error| Problem::from(problem_of_vault(error)))?;
        self.keeper.evicted(&evicted, &session.record().holder);
        self.keeper.began(session.record());
        let before = self.take_open();
        let decoys = self.keeper.decoys(&self.terms.sessions).filter(|_| named);
        *lock(&self.told) = Told {
            handle: Some(session.handle().clone()),
            registration,
            decoy: decoys.and_then(|decoys| decoys.field(&session.record().sid)),
            forget: false,
        };
        self.put_open(session);
        if let Some(before) = before {
            self.end(&before.record().sid, "replaced").await?;
        }
        Ok(())
    }

    /// What a session begins with here: what is in the jar. What a session of nobody holds is not watched for.
    fn start(&self, holder: Holder, binding: Binding) -> Start {
        let sessions = &self.terms.sessions;
        let named = holder.is_somebody();
        let limits = sessions.max_sessions;
        let max = match self.client {
            Client::Browser => limits.browser,
            Client::Api => limits.api,
        };
        let follows = {
            let before = lock(&self.open);
            before.as_ref().map(|before| before.record().sid.clone())
        };
        let mut jar = lock(&self.jar);
        jar.take_news();
        jar.begin();
        let brought = lock(&self.brought);
        let watched = jar.watched_values(sessions, self.began_ms);
        let watched = watched.filter(|value| named && !brought.holds(value));
        Start {
            holder,
            client: self.client,
            binding,
            fingerprints: self.vault.fingerprints(watched),
            follows,
            jar: jar.to_jar(),
            limit: named.then(|| Limit {
                max: usize::try_from(max).unwrap_or(usize::MAX),
                on_limit: sessions.on_limit,
            }),
        }
    }

    /// Ends the session of the request: the client is told to forget everything.
    ///
    /// # Errors
    /// Nobody can end it.
    pub(crate) async fn end_own(&self, reason: &str) -> Result<(), Problem> {
        match self.leave() {
            Some(session) => self.end(&session.record().sid, reason).await,
            None => Ok(()),
        }
    }

    /// The exchange leaves its session, and the client is told to forget it. What ends it must not be cut by
    /// its end.
    pub(super) fn leave(&self) -> Option<OpenSession> {
        let session = self.take_open()?;
        drop(lock(&self.runs).take());
        lock(&self.told).forget = true;
        lock(&self.jar).clear();
        Some(session)
    }

    pub(super) async fn end(&self, sid: &str, reason: &str) -> Result<(), Problem> {
        let ended = self.keeper.end(&self.vault, sid, reason).await;
        ended
            .map(drop)
            .map_err(|error| Problem::from(problem_of_vault(error)))
    }

    /// Makes what the answer brought durable, before the client can use what stands for it.
    ///
    /// # Errors
    /// It is not durable, or the session has ended meanwhile.
    pub(crate) async fn commit(&self) -> Result<(), Problem> {
        let (part, news) = {
            let mut jar = lock(&self.jar);
            (jar.part(), jar.take_news())
        };
        if news.is_empty() {
            return Ok(());
        }
        let Some(session) = self.take_open() else {
            return Ok(());
        };
        let named = is_somebodys(&session) && part == Part::Session;
        let fingerprints = {
            let brought = lock(&self.brought);
            let watched = news
                .iter()
                .filter_map(|new| new.watched(&self.terms.sessions));
            let watched = watched.filter(|value| named && !brought.holds(value));
            self.vault.fingerprints(watched)
        };
        let changed = self.vault.keep(session, &fingerprints, |_record, jar| {
            JarState::add(jar, part, &news, &self.place);
        });
        let session = changed.await.map_err(|error| self.lost(error))?;
        self.put_back(session);
        Ok(())
    }

    fn lost(&self, error: VaultError) -> Problem {
        lock(&self.told).forget = matches!(error, VaultError::NoSession(_));
        problem_of_vault(error).into()
    }

    /// Gives the client a new handle when the old one has been in use for long.
    ///
    /// # Errors
    /// The session has ended meanwhile, or nobody can tell.
    pub(crate) async fn rotate_if_due(&self) -> Result<(), Problem> {
        let due = |session: &mut OpenSession| self.vault.is_due(session);
        let Some(session) = lock(&self.open).take_if(due) else {
            return Ok(());
        };
        let before = session.handle().clone();
        let rotated = self.vault.rotate(session).await;
        let session = rotated.map_err(|error| self.lost(error))?;
        if *session.handle() != before {
            lock(&self.told).handle = Some(session.handle().clone());
        }
        self.put_back(session);
        Ok(())
    }

    /// What must not reach the client.
    ///
    /// # Errors
    /// There is too much of it to be looked for, so nothing may leave.
    pub(super) fn secrets(&self) -> Result<Arc<Secrets>, Problem> {
        let jar = lock(&self.jar);
        let make = || jar.secrets(&self.terms.sessions, self.began_ms);
        let open = lock(&self.open);
        let secrets = match open.as_ref().filter(|_| jar.is_all_there()) {
            Some(session) => {
                let at = (session.record().sid.as_str(), session.revision());
                self.terms.known.of(at, make)
            }
            None => make().map(Arc::new),
        };
        secrets.map_err(|error| {
            tracing::error!(%error, "a session holds more than can be looked for");
            Problem::UnreadableBody
        })
    }

    /// The fields for the client: without tokens, and with the cookies that are ours. And what must not leave
    /// with the body: what the head gave away by its name is among it.
    ///
    /// # Errors
    /// There is too much of it to be looked for, so nothing may leave.
    pub(crate) fn client_fields(
        &self,
        headers: &HeaderMap,
        upstream: &HeaderMap,
    ) -> Result<(HeaderMap, Arc<Secrets>), Problem> {
        let mut secrets = self.secrets()?;
        let mut keeper = self.token_keeper();
        let names = &self.terms.names;
        let (mut fields, found) = response_header_tokens(headers, names, &secrets, &mut keeper);
        self.note_found(found);
        if lock(&self.jar).has_news() {
            // It may stand in a field that came before, too.
            secrets = self.secrets()?;
            let (again, found) = response_header_tokens(&fields, names, &secrets, &mut keeper);
            self.note_found(found);
            fields = again;
        }
        for name in DESCRIBES_BYTES {
            fields.remove(name);
        }
        for field in self.passing_cookies(upstream, &secrets) {
            fields.append(SET_COOKIE, field);
        }
        self.add_own(&mut fields);
        Ok((fields, secrets))
    }

    /// Our own cookies, and what a client is to forget.
    pub(crate) fn add_own(&self, fields: &mut HeaderMap) {
        let told = lock(&self.told);
        match (&told.handle, told.forget) {
            (Some(handle), _) => {
                append(fields, &handle_field(handle));
                if let Some(decoy) = &told.decoy {
                    append(fields, decoy);
                }
                let registration = told.registration.as_deref().map(HeaderValue::from_str);
                if let Some(Ok(registration)) = registration {
                    fields.insert(REGISTRATION, registration);
                }
                fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            (None, true) => {
                for field in forgetting_fields() {
                    append(fields, &field);
                }
                if let Some(decoy) = &self.terms.sessions.decoy {
                    append(fields, &forgetting_field(decoy));
                }
                fields.insert(CLEAR_SITE_DATA, HeaderValue::from_static(EVERYTHING));
                fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            (None, false) => {}
        }
    }

    /// H10: tells operators of tokens that stood where no rule looks for them.
    pub(crate) fn note_found(&self, found: FoundTokens) {
        if found.by_value == 0 && found.by_shape == 0 {
            return;
        }
        let finding = Finding::policy_gap(&self.terms.sessions);
        let open = lock(&self.open);
        let record = open.as_ref().map(OpenSession::record);
        let of = record.map(|record| (record.sid.as_str(), &record.holder));
        self.keeper.found(finding, of);
    }

    /// What takes tokens out of a body with this head.
    pub(crate) fn body_filter(&self, upstream: &HeaderMap, secrets: Arc<Secrets>) -> TokenFilter {
        let names = Arc::clone(&self.terms.names);
        TokenFilter::new(NamedIn::of(upstream), names, secrets, self.token_keeper())
    }

    /// Whether the application has ended its own session: it refuses, or sends its user to the login.
    pub(crate) fn is_over_upstream(&self, status: StatusCode, location: Option<&str>) -> bool {
        let login = self.terms.login.as_ref();
        let page = login.and_then(|login| login.page.as_deref());
        let path = location.and_then(|location| location.split(['?', '#']).next());
        let sent_to_login = status.is_redirection() && page.is_some() && path == page;
        self.line.is_none()
            && login.is_some()
            && lock(&self.open).is_some()
            && (status == StatusCode::UNAUTHORIZED || sent_to_login)
    }

    /// Who decides what becomes of a token: one that has a name is used by the page, which gets a placeholder; one
    /// that stands anywhere goes. So does one in a path, with its name: it stands beside a cookie that is in the jar,
    /// and no path may hold a `;` on the way up.
    fn token_keeper(&self) -> impl FnMut(FoundToken<'_>) -> Instead + Send + use<> {
        let (jar, names) = (Arc::clone(&self.jar), Arc::clone(&self.terms.names));
        let at_login = self.line == Some(SessionLine::Login);
        move |found| match found.why {
            Why::Name => {
                // What the client holds already, and sends back, stays what it is.
                if Placeholder::parse(found.value).is_some() {
                    return Instead::Keep;
                }
                if found.value.len() > TOKENS_BYTES_MAX {
                    return Instead::Strip;
                }
                let mut random = [0; 16];
                if SystemRandom::new().fill(&mut random).is_err() {
                    return Instead::Strip;
                }
                let under = FoundUnder::new(found.name, &names, at_login);
                let placeholder = Placeholder::new(random);
                Instead::Text(lock(&jar).hold(found.value, placeholder, under))
            }
            Why::PathParameter | Why::Shape => Instead::Strip,
        }
    }
}

/// Whether an unread body is one whose bytes are what they seem. A client can ask for an encoding of characters in
/// which no token would be found, such as UTF-16 (RFC 9110 section 12.5).
pub(crate) fn is_plain(upstream: &HeaderMap) -> bool {
    let mut codings = upstream.get_all(CONTENT_ENCODING).iter();
    codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
        && keeps_ascii(upstream)
}

fn append(fields: &mut HeaderMap, value: &str) {
    // INVARIANT: our cookies are ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.append(SET_COOKIE, value);
    }
}
