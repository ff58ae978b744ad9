//! The `sessions` section as it is written.

use crate::document::read::{At, Entries, OneOrMany, Slot, Word, Words};
use crate::document::section::section;
use crate::sessions::{
    Access, Binding, ClientHolds, OnLimit, OnMismatch, OnStoreDown, RuleAction, RuleId,
};
use crate::units::DurationText;

section! {
    /// How the application's own session is kept from clients, and what ties what they hold instead to
    /// them.
    SessionsFile, required: [] {
        /// The names by which the application's session is known, besides the usual ones.
        token: "token" => TokenFile,
        /// The application's cookies that may reach the client, by their exact names; none by default.
        passthrough: "passthrough" => Vec<At<String>>,
        /// What the client holds: a `handle`.
        client_holds: "client_holds" => Word<ClientHolds>,
        /// What may bind a session; the strongest that the client can do is used.
        bind: "bind" => OneOrMany<Word<Binding>>,
        /// The binding level needed, 0 to 3, by what is asked for, by route and by role.
        required: "required" => RequiredFile,
        /// What happens when somebody else seems to hold the handle; `revoke` by default.
        on_mismatch: "on_mismatch" => Word<OnMismatch>,
        /// What single rules do.
        rules: "rules" => RulesFile,
        /// How long a session may rest: from `60s` to `24h`, `15m` by default.
        idle: "idle" => DurationText,
        /// How long a session may live: from `60s` to `30d`, `12h` by default.
        longest: "longest" => DurationText,
        /// How old a handle becomes before another replaces it: from `60s` to `24h`, `60m` by default.
        rotate: "rotate" => DurationText,
        /// How long the device-bound cookie lives: from `180s` to `1h`, `300s` by default.
        bound_for: "bound_for" => DurationText,
        /// How long after its login a session may go on unbound: from `5s` to `10m`, `60s` by default.
        unbound_for: "unbound_for" => DurationText,
        /// How long a step-up counts: from `30s` to `1h`, `300s` by default.
        step_up_for: "step_up_for" => DurationText,
        /// How many sessions one person may have at once.
        max_sessions: "max_sessions" => MaxSessionsFile,
        /// What happens to one more; `deny_new` by default.
        on_limit: "on_limit" => Word<OnLimit>,
        /// The name of a cookie that only a thief presents.
        decoy: "decoy" => String,
        /// What happens while the vault cannot be read: `deny`.
        on_store_down: "on_store_down" => Word<OnStoreDown>,
    }
}

section! {
    /// Names of session tokens; `*` stands for any run of characters, letters count in either case.
    TokenFile, required: [] {
        /// Cookies.
        cookies: "cookies" => OneOrMany<String>,
        /// Header fields, of requests and of answers.
        headers: "headers" => OneOrMany<String>,
        /// Parameters of URLs.
        query: "query" => OneOrMany<String>,
        /// Members of JSON objects at any depth; `_` and `-` do not count.
        json: "json" => OneOrMany<String>,
    }
}

section! {
    /// The binding level needed, 0 to 3; of several that apply the highest holds.
    RequiredFile, required: [] {
        /// To read; 0 by default.
        read: "read" => u64,
        /// To write; 0 by default.
        write: "write" => u64,
        /// To get answers of a route that may answer in lines or rows; 2 by default.
        export: "export" => u64,
        /// To approve a grant; 2 by default.
        approve: "approve" => u64,
        /// By route.
        routes: "routes" => Entries<At<u64>>,
        /// By role; a role without an entry has that of the nearest role it extends.
        roles: "roles" => Entries<At<u64>>,
    }
}

section! {
    /// How many sessions one person may have at once, by the kind of client.
    MaxSessionsFile, required: [] {
        /// In browsers; 2 by default.
        browser: "browser" => u64,
        /// Of programs; 5 by default.
        api: "api" => u64,
    }
}

section! {
    /// What single rules do when they fire.
    RulesFile, required: [] {
        /// Another key, a second registration, a weaker binding.
        h01: "H01" => Word<RuleAction>,
        /// A replaced device-bound cookie.
        h02: "H02" => Word<RuleAction>,
        /// A consumed challenge, the right key.
        h03: "H03" => Word<RuleAction>,
        /// Proofs replayed.
        h04: "H04" => Word<RuleAction>,
        /// Another network operator.
        h05a: "H05a" => Word<RuleAction>,
        /// Another network and browser at once.
        h05b: "H05b" => Word<RuleAction>,
        /// Two places in turns.
        h06: "H06" => Word<RuleAction>,
        /// An older browser, another platform.
        h07: "H07" => Word<RuleAction>,
        /// A browser that never binds its session.
        h08: "H08" => Word<RuleAction>,
        /// A token of the application from outside.
        h09: "H09" => Word<RuleAction>,
        /// A token where no rule expects one.
        h10: "H10" => Word<RuleAction>,
        /// The decoy cookie.
        h11: "H11" => Word<RuleAction>,
        /// A handle of an ended session.
        h12: "H12" => Word<RuleAction>,
        /// A request from another site.
        h13: "H13" => Word<RuleAction>,
        /// Cases faster than usual.
        h14: "H14" => Word<RuleAction>,
        /// A case outside of the grant.
        h15: "H15" => Word<RuleAction>,
    }
}

impl RulesFile {
    /// What is written of a rule.
    pub(crate) fn action(&self, rule: RuleId) -> Option<RuleAction> {
        let slot = match rule {
            RuleId::H01 => &self.h01,
            RuleId::H02 => &self.h02,
            RuleId::H03 => &self.h03,
            RuleId::H04 => &self.h04,
            RuleId::H05a => &self.h05a,
            RuleId::H05b => &self.h05b,
            RuleId::H06 => &self.h06,
            RuleId::H07 => &self.h07,
            RuleId::H08 => &self.h08,
            RuleId::H09 => &self.h09,
            RuleId::H10 => &self.h10,
            RuleId::H11 => &self.h11,
            RuleId::H12 => &self.h12,
            RuleId::H13 => &self.h13,
            RuleId::H14 => &self.h14,
            RuleId::H15 => &self.h15,
        };
        slot.word()
    }
}

impl RequiredFile {
    /// What is written of one kind of request.
    pub(crate) const fn level(&self, access: Access) -> &Slot<u64> {
        match access {
            Access::Read => &self.read,
            Access::Write => &self.write,
            Access::Export => &self.export,
            Access::Approve => &self.approve,
        }
    }
}

impl Words for ClientHolds {
    const WORDS: &'static [(&'static str, Self)] = &[("handle", Self::Handle)];
}

impl Words for Binding {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Mtls.word(), Self::Mtls),
        (Self::Dpop.word(), Self::Dpop),
        (Self::Dbsc.word(), Self::Dbsc),
        (Self::Context.word(), Self::Context),
    ];
}

impl Words for OnMismatch {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Revoke.word(), Self::Revoke),
        (Self::StepUp.word(), Self::StepUp),
        (Self::Alert.word(), Self::Alert),
    ];
}

/// A policy does not write `refuse`: the rules whose default it is have no other way to be spelt.
impl Words for RuleAction {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Observe.word(), Self::Observe),
        (Self::StepUp.word(), Self::StepUp),
        (Self::Downgrade.word(), Self::Downgrade),
        (Self::Revoke.word(), Self::Revoke),
    ];
}

impl Words for OnLimit {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::DenyNew.word(), Self::DenyNew),
        (Self::EvictOldest.word(), Self::EvictOldest),
    ];
}

impl Words for OnStoreDown {
    const WORDS: &'static [(&'static str, Self)] = &[("deny", Self::Deny)];
}
