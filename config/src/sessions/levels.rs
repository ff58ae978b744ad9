//! Binding levels: how strongly a session is bound, and how strongly it must be for what is asked for.

use std::collections::BTreeMap;

use crate::params::BodyMeaning;
use crate::rfc9110::is_safe;
use crate::routes::Route;

/// How strongly a session is bound to its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum BindingLevel {
    /// Level 0: by nothing.
    #[default]
    Unbound,
    /// Level 1: by where the client is and what it says it is.
    Context,
    /// Level 2: by a key that the client proves to hold.
    Key,
    /// Level 3: by a client certificate on every connection.
    Certificate,
}

impl BindingLevel {
    /// The number a policy writes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Unbound => 0,
            Self::Context => 1,
            Self::Key => 2,
            Self::Certificate => 3,
        }
    }

    /// The level of this number.
    #[must_use]
    pub const fn of_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Unbound),
            1 => Some(Self::Context),
            2 => Some(Self::Key),
            3 => Some(Self::Certificate),
            4.. => None,
        }
    }
}

/// What somebody asks for, as far as binding levels are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// A GET, HEAD or OPTIONS, or a posted search (`body: query`).
    Read,
    /// Every other request.
    Write,
    /// Whatever is asked of a route that may answer in lines or rows ([`Route::is_export`]); it is a read or
    /// a write too.
    Export,
    /// Approving somebody's grant.
    Approve,
}

impl Access {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Export, Self::Approve];

    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Export => "export",
            Self::Approve => "approve",
        }
    }

    /// The level that it needs where a policy says nothing.
    #[must_use]
    pub const fn usual_level(self) -> BindingLevel {
        match self {
            Self::Read | Self::Write => BindingLevel::Unbound,
            Self::Export | Self::Approve => BindingLevel::Key,
        }
    }
}

/// The levels that are needed. Of several that apply to one request the highest holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequiredLevels {
    pub(crate) by_access: BTreeMap<Access, BindingLevel>,
    pub(crate) by_route: BTreeMap<String, BindingLevel>,
    /// What a role inherits is resolved.
    pub(crate) by_role: BTreeMap<String, BindingLevel>,
}

impl RequiredLevels {
    /// The level that a request on a route needs from somebody with these roles.
    #[must_use]
    pub fn level(&self, method: &str, route: &Route, roles: &[String]) -> BindingLevel {
        let access = match (is_safe(method), route.body) {
            (true, BodyMeaning::Write | BodyMeaning::Query) | (false, BodyMeaning::Query) => {
                Access::Read
            }
            (false, BodyMeaning::Write) => Access::Write,
        };
        let export = route.is_export().then(|| self.of(Access::Export));
        let of_route = self.by_route.get(&route.name).copied();
        let of_roles = roles.iter().filter_map(|role| self.by_role.get(role));
        let all = of_roles.copied().chain(export).chain(of_route);
        all.fold(self.of(access), BindingLevel::max)
    }

    /// The level that one kind of request needs, whoever asks and wherever.
    #[must_use]
    pub fn of(&self, access: Access) -> BindingLevel {
        let said = self.by_access.get(&access).copied();
        said.unwrap_or_else(|| access.usual_level())
    }
}
