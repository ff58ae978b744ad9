//! The policy file as it is written: a private mirror of the grammar, key by key.
//!
//! From these definitions come the reader, which reports every unknown key, missing key and wrong
//! form at once, and the JSON Schema that editors use. Names are not resolved here.

mod actions;
mod detect;
mod formats;
mod later;
mod login;
mod params;
mod quotas;
mod sessions;
mod unions;

pub(crate) use actions::ActionFile;
pub(crate) use detect::{DetectFile, PatternFile, SoughtFile};
pub(crate) use formats::{Format, FormatFile};
pub(crate) use login::{LoginFile, LogoutFile, SuccessFile, UserFile};
pub(crate) use params::{AsksWord, ParamFile, ParamLong};
pub(crate) use quotas::{LimitFile, Percent, QuotaFile};
pub(crate) use sessions::{RequiredFile, RulesFile, SessionsFile, TokenFile};
pub(crate) use unions::{LabelFile, RolesFile, UnreadableFile};

use crate::document::read::{At, Entries, OneOrMany, Slot, Word, Words};
use crate::document::section::section;
use crate::params::BodyMeaning;
use crate::policy::file::later::{Concurrency, GrantFile, ShadowFile};
use crate::roles::SeveralRoles;
use crate::routes::{AuditMode, LongLived, Names, Unlabelled, WriteBack};

section! {
    /// A policy of Postern: who sees which kind of data, on which routes.
    PolicyFile, required: ["policy", "name", "identity", "routes", "roles"] {
        /// The version of the policy language.
        policy: "policy" => Word<Version>,
        /// The policy's name, shown in logs and metrics.
        name: "name" => String,
        /// `enforce`; `dry_run` is not enforced by this build yet.
        mode: "mode" => Word<Mode>,
        /// Who is asking, and as what.
        identity: "identity" => IdentityFile,
        /// The kinds of data that rules are about.
        labels: "labels" => Entries<LabelFile>,
        /// What beats every role.
        always: "always" => Entries<At<ActionFile>>,
        /// What happens to a field nobody labelled.
        unlabelled: "unlabelled" => Word<Unlabelled>,
        /// What happens to a body that cannot be read.
        unreadable: "unreadable" => UnreadableFile,
        /// How member names are compared.
        names: "names" => Word<Names>,
        /// What happens to a mask or a hidden field in a write.
        write_back: "write_back" => Word<WriteBack>,
        /// Which requests are known, and which labels their answers' fields carry.
        routes: "routes" => Entries<RouteFile>,
        /// What each role sees, by label.
        roles: "roles" => Entries<RoleFile>,
        /// How several roles of one identity combine.
        several_roles: "several_roles" => Word<SeveralRoles>,
        /// What is searched for in free text, by label.
        detect: "detect" => Entries<DetectFile>,
        /// How much may leave per identity, session, tenant or role within a window.
        quotas: "quotas" => Entries<QuotaFile>,
        /// How the application's own session is kept from clients.
        sessions: "sessions" => SessionsFile,
        /// Just-in-time widening. Not enforced by this build yet.
        grants: "grants" => Entries<GrantFile>,
        /// Tomorrow's rules, evaluated beside today's. Not enforced by this build yet.
        shadow: "shadow" => ShadowFile,
    }
}

section! {
    /// Who is asking. Which keys apply depends on `from`.
    IdentityFile, required: ["from"] {
        /// Where the identity comes from.
        from: "from" => Word<From>,
        /// `jwt`: the only accepted issuer.
        issuer: "issuer" => String,
        /// `jwt`: the audience that a token must name.
        audience: "audience" => String,
        /// `jwt`: where the JWK set is: `file:`, `env:` or `https://`.
        keys: "keys" => String,
        /// `jwt`: a selector; `mtls`: which name of the certificate; `header`: a header's name.
        subject: "subject" => String,
        /// `jwt`: a selector; `header`: a header's name.
        tenant: "tenant" => String,
        /// `jwt`: a selector; `mtls`: roles by pattern; `header`: a header's name; `session`: either of the
        /// first two.
        roles: "roles" => RolesFile,
        /// `header`: the peers that are believed.
        trusted: "trusted" => OneOrMany<String>,
        /// `session`: how a login is recognised.
        login: "login" => LoginFile,
        /// `session`: which requests end a session.
        logout: "logout" => LogoutFile,
        /// What happens to an identity without any role of this policy: `deny`, also when nothing is written.
        without_a_role: "without_a_role" => Word<WithoutARole>,
    }
}

section! {
    /// One kind of request, and what its answers hold.
    RouteFile, required: ["match"] {
        /// `METHOD /path/{parameter}/{rest...}`, one or several.
        matches: "match" => OneOrMany<String>,
        /// Every request is refused.
        deny: "deny" => bool,
        /// Which labels the selected fields carry.
        label: "label" => Entries<OneOrMany<String>>,
        /// The route whose labels apply here too.
        labels_of: "labels_of" => String,
        /// Where in the answer the labels of `labels_of` begin.
        under: "under" => String,
        /// Selectors that must match something in a successful answer.
        required: "required" => Vec<At<String>>,
        /// The query parameters that may be asked.
        query: "query" => Vec<At<String>>,
        /// The query parameters that ask about fields: for roles that see those in full.
        params: "params" => Entries<ParamFile>,
        /// What the body of a request means: `write`, or `query` where a search is posted.
        body: "body" => Word<BodyMeaning>,
        /// The formats of the answers, `json` by default; `xml`, `html` and `text` are not enforced yet.
        formats: "formats" => OneOrMany<FormatFile>,
        /// What happens to a field nobody labelled.
        unlabelled: "unlabelled" => Word<Unlabelled>,
        /// How member names are compared.
        names: "names" => Word<Names>,
        /// What happens to a body that cannot be read.
        unreadable: "unreadable" => UnreadableFile,
        /// Where the records of an answer are.
        records: "records" => OneOrMany<String>,
        /// Where the data subjects of an answer are.
        subjects: "subjects" => OneOrMany<String>,
        /// The response says how many values were withheld, by label.
        receipt: "receipt" => bool,
        /// Long-lived protocols that are let through; only on routes without labels.
        allow: "allow" => Vec<At<Word<LongLived>>>,
        /// The path parameter that names the case; `case_id` unless this says otherwise.
        case: "case" => String,
        /// What happens to a mask or a hidden field in a write.
        write_back: "write_back" => Word<WriteBack>,
        /// Labels by CSS selector. Not enforced by this build yet.
        html: "html" => Entries<OneOrMany<String>>,
        /// Labels by the header text of a table's column.
        columns: "columns" => Entries<OneOrMany<String>>,
        /// Writes guarded by a tag. Not enforced by this build yet.
        concurrency: "concurrency" => Word<Concurrency>,
        /// When plain reads wait for their audit record: `pair` (the default) or `batch`.
        audit: "audit" => Word<AuditMode>,
    }
}

section! {
    /// What a role sees. A label that no role in the chain mentions is removed.
    RoleFile, required: [] {
        /// The role whose `sees` applies where this one says nothing.
        extends: "extends" => String,
        /// The action for each label, or for a prefix of several.
        sees: "sees" => Entries<At<ActionFile>>,
    }
}

/// The only version of the language.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Version {
    V1,
}

/// Whether the policy's decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Enforce,
    DryRun,
}

/// The identity sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Jwt,
    Mtls,
    Header,
    Session,
}

/// What happens to an identity without a role; there is no other choice than to refuse it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WithoutARole {
    Deny,
}

impl Words for Version {
    const WORDS: &'static [(&'static str, Self)] = &[("v1", Self::V1)];
}

impl Words for Mode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("enforce", Self::Enforce), ("dry_run", Self::DryRun)];
}

impl Words for From {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("jwt", Self::Jwt),
        ("mtls", Self::Mtls),
        ("header", Self::Header),
        ("session", Self::Session),
    ];
}

impl Words for WithoutARole {
    const WORDS: &'static [(&'static str, Self)] = &[("deny", Self::Deny)];
}

impl Words for WriteBack {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("reject", Self::Reject),
        ("drop_field", Self::DropField),
        ("restore", Self::Restore),
    ];
}

impl Words for Unlabelled {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("show", Self::Show),
        ("redact", Self::Redact),
        ("remove", Self::Remove),
        ("deny", Self::Deny),
    ];
}

impl Words for Names {
    const WORDS: &'static [(&'static str, Self)] =
        &[("exact", Self::Exact), ("caseless", Self::Caseless)];
}

impl Words for SeveralRoles {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("most_strict", Self::MostStrict),
        ("most_open", Self::MostOpen),
    ];
}

impl Words for AuditMode {
    const WORDS: &'static [(&'static str, Self)] = &[("pair", Self::Pair), ("batch", Self::Batch)];
}

impl Words for LongLived {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sse", Self::Sse), ("websocket", Self::Websocket)];
}

impl<T> Slot<Word<T>>
where
    T: Copy,
{
    /// The word, when the key is there and its value is known.
    pub(crate) fn word(&self) -> Option<T> {
        self.value().map(|word| word.0)
    }
}
