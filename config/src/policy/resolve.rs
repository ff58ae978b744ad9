//! From the mirror of a policy file to a [`Policy`]: names resolve, selectors parse, ranges hold.
//!
//! Guarantees: every part is judged even when another is wrong, so that all errors are reported at
//! once; nothing is built unless there is no error at all. It does no IO and fetches no keys.

mod detect;
mod identity;
mod labels;
mod lints;
mod matches;
mod names;
mod params;
mod quotas;
mod roles;
mod routes;
mod selectors;
mod sessions;
mod unenforced;

pub(crate) use identity::is_loopback_host;
pub(crate) use names::{is_key_id, plain_name};
pub(crate) use unenforced::not_enforced_yet;

use crate::document::Node;
use crate::document::read::Read;
use crate::policy::Policy;
use crate::policy::error::{PolicyErrors, Problems};
use crate::policy::file::PolicyFile;
use crate::server::OF_SERVER_FILES;

/// How many steps a chain of `extends` or `labels_of` may have.
const CHAIN_MAX: usize = 16;
/// What is said of a file without anything in it.
const OF_EMPTY: &str = "a policy says `policy: v1`, `name`, `identity`, `routes` and `roles`";
/// Keys that only a policy has.
pub(crate) const OF_POLICIES: &[&str] = &["identity", "labels", "routes", "roles"];
/// What is said of a server file in the place of a policy.
const OF_A_SERVER_FILE: (&str, &str) = (
    "this looks like a server file, and a policy is expected here",
    "`postern check -c FILE` checks a server file and the policy that it names",
);

/// Reads and resolves a text.
pub(super) fn policy(name: &str, text: &str) -> Result<Policy, PolicyErrors> {
    let mut problems = Problems::default();
    let policy = Node::read(text, &mut problems)
        .and_then(|root| root.unless_empty(OF_EMPTY, &mut problems))
        .and_then(|root| {
            let keys = (OF_POLICIES, OF_SERVER_FILES);
            root.unless_the_other(keys, OF_A_SERVER_FILE, &mut problems)
        })
        .and_then(|root| PolicyFile::read(&root, &mut problems))
        .and_then(|file| resolve(&file, &mut problems));
    let (errors, lints) = problems.into_reports(name, text);
    match policy {
        Some(policy) if errors.errors.is_empty() => Ok(Policy { lints, ..policy }),
        _ => Err(errors),
    }
}

/// INVARIANT: `None`, here or in an optional part, only when a problem was reported, and then nothing is
/// returned; every part is judged before the first `?`.
fn resolve(file: &PolicyFile, problems: &mut Problems) -> Option<Policy> {
    unenforced::report(file, problems);
    let name = plain_name("policy", &file.name, problems);
    let labels = labels::tree(file, problems);
    let always = labels::always(file, &labels, problems);
    let roles = roles::all(file, &labels, problems);
    let detect = detect::all(file, &labels, problems);
    detect::covers_every_use(file, (&labels, &always), (&detect, &roles), problems);
    let identity = file
        .identity
        .value()
        .and_then(|identity| identity::rule(identity, &roles, problems));
    let quotas = quotas::all(file, &roles, problems);
    let routes = routes::all(file, &labels, problems);
    let sessions = sessions::section(file, (&roles, &routes), problems);
    routes::report_tokens_by_case(file, (&labels, &always), &roles, &routes, problems);
    routes::report_embedded(file, (&labels, &always), &roles, &routes, problems);
    lints::report(file, (&labels, &always), &roles, &routes, problems);
    lints::uncounted(file, &routes, &quotas, problems);
    detect::lint(file, (&labels, &always), &roles, problems);
    Some(Policy {
        name: name?,
        identity: identity?,
        labels,
        always,
        detect,
        routes,
        roles,
        quotas,
        sessions,
        several_roles: file.several_roles.word().unwrap_or_default(),
        lints: PolicyErrors::default(),
    })
}
