//! By which names the application's session is known: those of the policy, and those that are always
//! taken for one.
//!
//! SECURITY: what takes out compares letters in either case, also where HTTP would not (cookies,
//! parameters), since applications differ in how they read names.

use super::hot_names;
use crate::glob::{Glob, matches_caseless};

/// The names that a policy adds under `token`, and the answer to what is a token by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TokenNames {
    /// Cookies.
    pub cookies: Vec<Glob>,
    /// Header fields, of requests and of answers.
    pub headers: Vec<Glob>,
    /// Parameters of URLs.
    pub query: Vec<Glob>,
    /// Members of JSON objects at any depth, as [`folded`] writes them.
    pub json: Vec<Glob>,
}

impl TokenNames {
    /// Whether a cookie of this name holds a token.
    #[must_use]
    pub fn is_cookie(&self, name: &str) -> bool {
        is_always(hot_names::COOKIES, name) || self.adds_cookie(name)
    }

    /// Whether the policy says so of a cookie.
    #[must_use]
    pub fn adds_cookie(&self, name: &str) -> bool {
        adds(&self.cookies, name)
    }

    /// Whether a field of a request brings a token.
    #[must_use]
    pub fn is_request_header(&self, name: &str) -> bool {
        is_always(hot_names::REQUEST_HEADERS, name) || adds(&self.headers, name)
    }

    /// Whether a field of an answer, or of its trailers, brings a token.
    #[must_use]
    pub fn is_response_header(&self, name: &str) -> bool {
        is_always(hot_names::RESPONSE_HEADERS, name) || adds(&self.headers, name)
    }

    /// Whether a parameter of a URL is a token; `name` is decoded.
    #[must_use]
    pub fn is_parameter(&self, name: &str) -> bool {
        is_always(hot_names::PARAMETERS, name) || self.adds_parameter(name)
    }

    /// Whether the policy says so of a parameter; `name` is decoded.
    #[must_use]
    pub fn adds_parameter(&self, name: &str) -> bool {
        adds(&self.query, name)
    }

    /// Whether a member of a JSON object holds a token; `name` is decoded. `_` and `-` do not count.
    #[must_use]
    pub fn is_member(&self, name: &str) -> bool {
        let folded = folded(name);
        hot_names::MEMBERS.contains(&folded.as_str()) || adds(&self.json, &folded)
    }

    /// Whether the policy says so of a member; `name` is decoded.
    #[must_use]
    pub fn adds_member(&self, name: &str) -> bool {
        // PERF: most policies add none, and a text has many names.
        !self.json.is_empty() && adds(&self.json, &folded(name))
    }
}

fn is_always(always: &[&str], name: &str) -> bool {
    always.iter().any(|hot| matches_caseless(hot, name))
}

fn adds(own: &[Glob], name: &str) -> bool {
    own.iter().any(|pattern| pattern.matches_caseless(name))
}

/// A member's name without `_` and `-`, ASCII letters in lower case: `accessToken`, `access_token` and
/// `Access-Token` are one.
#[must_use]
pub fn folded(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-'));
    kept.map(|c| c.to_ascii_lowercase()).collect()
}
