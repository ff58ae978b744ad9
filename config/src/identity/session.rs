//! `from: session`: the application's own login says who somebody is.

use crate::glob::Glob;
use crate::routes::RouteMatch;
use crate::selector::Selector;

/// `from: session`. A policy that has it has a `sessions` section too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionRule {
    /// How a login is recognised.
    pub login: LoginRoute,
    /// Requests that end the session once the application has answered them; none when the policy
    /// names none.
    pub logout: Vec<RouteMatch>,
    /// Which roles somebody has.
    pub roles: SessionRoles,
}

/// How a login is recognised.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoginRoute {
    /// The requests that somebody without a session may send; at least one. They are matched with the
    /// routes, none is equal to a line of a route, and each begins with a literal segment or is `/`.
    pub matches: Vec<RouteMatch>,
    /// Which answers to them are successful logins.
    pub success: LoginSuccess,
    /// Who has logged in.
    pub user: UserSource,
}

/// Which answer to a login request says that it succeeded: all that is given holds, and at least one is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoginSuccess {
    /// The status is one of these, each from 200 to 399; empty when the policy does not ask.
    pub status: Vec<u16>,
    /// What `Location` says, as it is written there.
    pub location: Option<Glob>,
    /// What selects something in the answer, which is JSON then.
    pub json: Option<Selector>,
}

impl LoginSuccess {
    /// Whether the head of an answer may be that of a success; where [`Self::json`] is given, the body
    /// decides.
    #[must_use]
    pub fn allows_head(&self, status: u16, location: Option<&str>) -> bool {
        let status_fits = self.status.is_empty() || self.status.contains(&status);
        let expected = self.location.as_ref();
        let location_fits =
            expected.is_none_or(|glob| location.is_some_and(|written| glob.matches(written)));
        status_fits && location_fits
    }
}

/// Where the name of whoever has logged in is. It names nobody unless it is exactly one text or whole
/// number, not empty.
#[derive(Debug, Clone)]
pub enum UserSource {
    /// A field of the form that was posted, once in it; taken as [`typed_name`] makes it.
    Form {
        /// The field's name.
        field: String,
    },
    /// A place in the login's answer.
    Answer(Selector),
    /// A place in the answer to a request that is sent with the new session.
    FollowUp {
        /// The canonical path, without a query; the method is GET.
        path: String,
        /// The place.
        user: Selector,
    },
}

/// What somebody typed as a name, in the form that names people: without blanks around it, in lower case.
///
/// SECURITY: applications often take `Boss`, `boss` and `boss ` for one account. Taken as typed, each
/// spelling would be somebody else with a quota of his own.
#[must_use]
pub fn typed_name(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// Which roles somebody has. Who has none is refused.
#[derive(Debug, Clone)]
pub enum SessionRoles {
    /// By the user's name.
    ByUser(RoleMap),
    /// A place in the answer that names the user: texts, of which those that are no role of the policy
    /// are ignored.
    FromAnswer(Selector),
}

/// Roles by patterns of names; every name of a role is one of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleMap {
    pub(crate) entries: Vec<(Glob, Vec<String>)>,
}

impl RoleMap {
    /// The roles of every pattern that stands for this name, each once, in order.
    #[must_use]
    pub fn roles_of(&self, name: &str) -> Vec<String> {
        let fitting = self.entries.iter().filter(|(glob, _)| glob.matches(name));
        let mut roles: Vec<String> = fitting.flat_map(|(_, roles)| roles).cloned().collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}
