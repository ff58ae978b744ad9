//! What is known of one session, beside what is in its jar.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use postern_config::Sessions;
use postern_config::sessions::GRACE;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::binding::Binding;
use super::digest::Digest;

/// Whose session it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who vouches for the person.
    pub issuer: String,
    /// The person, as the application knows them.
    pub subject: String,
    /// Their tenant.
    pub tenant: Option<String>,
    /// What they are there.
    pub roles: Vec<String>,
}

impl Holder {
    /// Whether anybody has logged in.
    #[must_use]
    pub const fn is_somebody(&self) -> bool {
        !self.subject.is_empty()
    }

    /// Whether it is the same person, whatever their roles.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject, &self.tenant)
            == (&other.issuer, &other.subject, &other.tenant)
    }
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Holder").finish_non_exhaustive()
    }
}

/// What kind of client holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// A browser.
    Browser,
    /// A program.
    Api,
}

impl Client {
    /// The name in records and hashes, and for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }
}

/// When things happened and will end, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// It began.
    pub created: u64,
    /// It was last used, to within a fifteenth of the idle time.
    pub last_seen: u64,
    /// It ends when nobody uses it until then.
    pub idle_end: u64,
    /// It ends whatever happens.
    pub end: u64,
    /// Its handle was made.
    pub rotated: u64,
}

impl Times {
    /// Whether it has ended by itself.
    #[must_use]
    pub const fn are_over(&self, now: u64) -> bool {
        now >= self.end || now >= self.idle_end
    }
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Unused.
    pub idle: Duration,
    /// At all.
    pub longest: Duration,
    /// With one handle.
    pub rotate: Duration,
    /// A handle that another has taken the place of.
    pub grace: Duration,
}

impl Lifetimes {
    /// As a policy says.
    #[must_use]
    pub const fn of(sessions: &Sessions) -> Self {
        Self {
            idle: sessions.idle,
            longest: sessions.longest,
            rotate: sessions.rotate,
            grace: GRACE,
        }
    }
}

/// Why a session has ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Why: a fixed word or the id of a rule, never anything of the session.
    pub reason: String,
}

/// A session, without the contents of its jar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its public id: what records and operators call it. It opens nothing.
    pub sid: String,
    /// Whose it is.
    pub holder: Holder,
    /// What holds it.
    pub client: Client,
    /// When things happened and will end.
    pub times: Times,
    /// It has ended before its time.
    pub revoked: Option<Revocation>,
    /// What binds it to its holder.
    #[serde(default)]
    pub binding: Binding,
    /// The jar, sealed with a key of its own.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub(super) jar: Vec<u8>,
    /// That key, sealed with one that the server key and the handle make together; one for each handle.
    pub(super) jar_keys: Vec<JarKey>,
}

impl Record {
    /// Whether somebody can still use it.
    #[must_use]
    pub const fn is_alive(&self, now: u64) -> bool {
        self.revoked.is_none() && !self.times.are_over(now)
    }

    /// When its holder last authenticated, at the login or anew, in milliseconds since 1970.
    #[must_use]
    pub fn authenticated(&self) -> u64 {
        let anew = self.binding.stepped_up.unwrap_or_default();
        self.times.created.max(anew)
    }
}

/// The key of a jar, for one handle.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JarKey {
    /// The server key.
    pub(super) kid: [u8; 4],
    /// The handle's digest. A handle without a key here was pointed at the session by somebody else.
    pub(super) handle: Digest,
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub(super) sealed: Vec<u8>,
}

impl std::fmt::Debug for JarKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JarKey").finish_non_exhaustive()
    }
}

fn as_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD_NO_PAD.decode(text);
    bytes.map_err(serde::de::Error::custom)
}
