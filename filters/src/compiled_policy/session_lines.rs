//! The lines of a login and a logout: requests that nobody's roles decide about.
//!
//! Guarantees: they are matched together with the routes, so that none of them opens what a route has; their
//! answers are those of a route without labels, and no quota counts them.

use std::sync::Arc;

use postern_config::identity::{IdentityRule, SessionRule};
use postern_config::{Policy, RouteMatch};

use super::{CompileError, CompiledRoute};
use crate::route_matcher::{Matched, RouteMatcher};

/// What a request that belongs to no route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionLine {
    /// Logging in: open to whoever has no session.
    Login,
    /// Ending a session, which takes one.
    Logout,
}

impl SessionLine {
    /// Both.
    const ALL: [Self; 2] = [Self::Login, Self::Logout];

    /// What stands in records in place of a route's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
        }
    }

    fn lines(self, rule: &SessionRule) -> &[RouteMatch] {
        match self {
            Self::Login => &rule.login.matches,
            Self::Logout => &rule.logout,
        }
    }
}

/// Where the lines have their places: after the policy's routes.
#[derive(Debug)]
pub(super) struct SessionLines {
    first: usize,
}

impl SessionLines {
    /// The lines of a policy, and a matcher of these and its routes.
    pub(super) fn of(policy: &Policy) -> (Self, RouteMatcher) {
        let first = policy.routes.len();
        let rule = match &policy.identity {
            IdentityRule::Session(rule) => Some(rule),
            IdentityRule::Jwt(_) | IdentityRule::Mtls(_) | IdentityRule::Header(_) => None,
        };
        let lines = |line: SessionLine| rule.map_or(&[][..], |rule| line.lines(rule));
        let matcher = RouteMatcher::with_others(&policy.routes, &SessionLine::ALL.map(lines));
        (Self { first }, matcher)
    }

    /// What stands at their places.
    pub(super) fn routes() -> Result<Vec<Option<Arc<CompiledRoute>>>, CompileError> {
        let open = |line: SessionLine| CompiledRoute::open(line.word());
        let routes = SessionLine::ALL.map(open).into_iter();
        routes.map(|route| Ok(Some(Arc::new(route?)))).collect()
    }

    /// What is at a place, if it is one of theirs.
    pub(super) fn at(&self, place: usize) -> Option<SessionLine> {
        let place = place.checked_sub(self.first)?;
        SessionLine::ALL.get(place).copied()
    }

    /// What a request is for, if it belongs to no route.
    pub(super) fn find(
        &self,
        matcher: &RouteMatcher,
        (method, path): (&str, &str),
    ) -> Option<SessionLine> {
        match matcher.find(method, path) {
            Matched::Route(place) => self.at(place),
            Matched::OtherMethods(_) | Matched::Nothing => None,
        }
    }
}
