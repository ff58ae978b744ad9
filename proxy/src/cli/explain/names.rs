//! Names of roles and routes as people type them: looked up, or refused with what there is.

use postern_config::routes::Route;
use postern_config::{Policy, Role};

use crate::cli::wording;

/// The role of this name, or one line that says which there are.
pub(crate) fn known_role<'a>(policy: &'a Policy, name: &str) -> Result<&'a Role, String> {
    policy.roles.get(name).ok_or_else(|| {
        let known = wording::list(policy.roles.keys().map(String::as_str));
        format!("`{name}` is no role of this policy; there are: {known}")
    })
}

/// The route of this name, or one line that says which there are.
pub(crate) fn known_route<'a>(policy: &'a Policy, name: &str) -> Result<&'a Route, String> {
    let found = policy.routes.iter().find(|route| route.name == name);
    found.ok_or_else(|| {
        let known = wording::list(policy.routes.iter().map(|route| route.name.as_str()));
        format!("`{name}` is no route of this policy; there are: {known}")
    })
}
