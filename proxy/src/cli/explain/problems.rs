//! What each problem that Postern answers means (RFC 9457), for whoever got it and for whoever wrote
//! the policy.

mod texts;

use postern_filters::DenyReason;

use texts::PROBLEMS;

/// One kind of problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    /// The end of its `type`, `urn:postern:problem:<slug>`.
    pub(super) slug: &'static str,
    /// In a few words, with the status it comes with.
    pub(super) title: &'static str,
    /// What it means and what to do.
    pub(super) explanation: &'static str,
}

/// The problem of this slug; the whole `type` is understood too.
pub(super) fn problem(slug: &str) -> Option<Problem> {
    let slug = slug.strip_prefix("urn:postern:problem:").unwrap_or(slug);
    let found = PROBLEMS.iter().find(|(known, ..)| *known == slug);
    found.map(|&(slug, title, explanation)| Problem {
        slug,
        title,
        explanation,
    })
}

/// Why the policy refuses a request, in one line.
pub(crate) fn refusal(reason: &DenyReason) -> String {
    let (slug, why) = match reason {
        DenyReason::PolicyUnavailable => ("policy-unavailable", "no policy is loaded".to_owned()),
        DenyReason::RouteDenied => ("route-denied", "the route is denied".to_owned()),
        DenyReason::MethodNotAllowed { allow } => (
            "method-not-allowed",
            format!("the route allows only {}", allow.join(", ")),
        ),
        DenyReason::NoRole => ("no-role", "no role of the policy was given".to_owned()),
        DenyReason::QueryNotAllowed => (
            "query-not-allowed",
            "the route does not list this query parameter or what it asks, or it is given twice"
                .to_owned(),
        ),
        DenyReason::QueryOnHiddenField => (
            "query-on-hidden-field",
            "the query, or a posted search, would ask about a hidden field".to_owned(),
        ),
        DenyReason::WriteOfHiddenField { labels } => (
            "write-of-hidden-field",
            format!("these roles do not see in full: {}", labels.join(", ")),
        ),
        DenyReason::UpgradeRefused => (
            "upgrade-refused",
            "the route allows no other protocol".to_owned(),
        ),
        DenyReason::UnsupportedMediaType => (
            "unsupported-media-type",
            "the route cannot take this type of body".to_owned(),
        ),
        DenyReason::NotAcceptable => (
            "not-acceptable",
            "nothing the client accepts can be redacted here".to_owned(),
        ),
    };
    format!("refused, {slug}: {why}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::respond::{self, each_problem};

    #[test]
    fn every_problem_that_is_sent_is_explained_with_its_status_and_nothing_else_is() {
        let mut sent = BTreeSet::new();
        for (shown, status) in each_problem() {
            let slug = shown.slug();
            let explained = problem(slug).unwrap_or_else(|| panic!("`{slug}` is not explained"));
            let title = explained.title;
            let (_, statuses) = title.rsplit_once('(').unwrap();
            assert!(
                statuses.contains(status.as_str()),
                "{slug}: {title}, {status}"
            );
            sent.insert(slug);
        }
        let explained: BTreeSet<_> = PROBLEMS.iter().map(|(slug, ..)| *slug).collect();
        assert_eq!(explained, sent);
    }

    #[test]
    fn why_a_request_is_refused_begins_with_the_slug_that_the_client_gets() {
        for (shown, _status) in each_problem() {
            if let respond::Problem::Denied(reason) = &shown {
                let begins = format!("refused, {}: ", shown.slug());
                assert!(refusal(reason).starts_with(&begins), "{begins}");
            }
        }
    }

    #[test]
    fn slugs_are_in_order_and_the_whole_type_is_understood() {
        let slugs: Vec<_> = PROBLEMS.iter().map(|(slug, ..)| slug).collect();
        assert!(slugs.is_sorted());
        assert!(problem("urn:postern:problem:no-role").is_some());
        assert!(problem("no-such").is_none());
    }
}
