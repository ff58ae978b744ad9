//! What each problem that Postern answers means (RFC 9457), for whoever got it and for whoever wrote
//! the policy.

use postern_filters::DenyReason;

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

const PROBLEMS: &[(&str, &str, &str)] = &[
    (
        "ambiguous-request",
        "the request could mean two things (400)",
        "Two readers could understand the request differently: where its body ends, which path it \
         names, for which host it is. Postern answers 400 and closes the connection. Send one \
         Content-Length or one Transfer-Encoding, an absolute path without dot segments, empty \
         segments, encoded slashes or control characters, and one Host.",
    ),
    (
        "body-too-large",
        "the request's body exceeds a limit (413)",
        "The body is larger than `limits.request_body` of the server file. Send less, or raise the limit.",
    ),
    (
        "identity-invalid",
        "the credentials are not valid (401)",
        "A token is expired, not yet valid, for another issuer or audience, or not signed by a known \
         key; or identity headers came from a peer that is not trusted. Get a new token.",
    ),
    (
        "identity-missing",
        "there are no credentials (401)",
        "The policy says how people are recognised (`identity`), and the request shows nothing of the \
         kind. With `from: jwt` send `Authorization: Bearer <token>`, once.",
    ),
    (
        "method-not-allowed",
        "a route has this path, none has this method (405)",
        "The `Allow` header lists the methods that routes of the policy have for this path. A write to \
         such a path needs a route of its own.",
    ),
    (
        "no-role",
        "the identity has no role of the policy (403)",
        "The identity is valid, but none of its groups is the name of a role. Groups that are no role \
         are ignored. Ask for membership in a group that is one, or add the role.",
    ),
    (
        "overloaded",
        "too many exchanges at once (503)",
        "`limits.exchanges` of the server file is reached. Try again after the seconds in Retry-After.",
    ),
    (
        "policy-unavailable",
        "no policy is in force (503)",
        "Until the first policy has loaded, everything is refused. `postern status` tells more.",
    ),
    (
        "proof-unavailable",
        "there is no proof of that entry yet (404)",
        "`GET /__postern/audit/proof?index=N` gives the proof that the entry of an `Audit-Receipt` is in the audit \
         log, once the next checkpoint is published, a second later unless `audit.checkpoint` says otherwise. \
         The index is the one of the receipt.",
    ),
    (
        "query-not-allowed",
        "a query parameter is not allowed (400)",
        "On a route that labels fields only the parameters under `query` and `params` pass, each once. A \
         parameter that nobody thought of could search by a hidden field, or ask for another format. List \
         it under `query` if it is harmless, and under `params` if it asks about a field. A parameter of \
         `params` that names fields passes only in a form that can be read, and with the names it lists.",
    ),
    (
        "query-on-hidden-field",
        "the query searches or sorts by a hidden field (403)",
        "Whoever may not see a field in full may not filter, sort, search or select by it either: the number \
         of hits would tell. The route's `params` say which labels a parameter asks about. A route with \
         `body: query` takes posted searches only from those from whom nothing of it is hidden.",
    ),
    (
        "route-denied",
        "no route allows this request (403)",
        "The most specific route that matches says `deny: true`; often it is the catch-all. Add a \
         route to the policy for requests that are to pass.",
    ),
    (
        "unreadable-body",
        "the upstream's answer cannot be redacted (502)",
        "On a route that labels fields only a complete, strictly valid JSON document in UTF-8 can be \
         redacted. The answer was of another type, damaged, cut short, too deep, expanded too far, or \
         lacked something that the route requires. Nothing of it was passed on. `unreadable: { allow: \
         [...] }` names content types that may pass as they are.",
    ),
    (
        "upgrade-refused",
        "another protocol was asked for (403)",
        "Messages of a WebSocket or an event stream cannot be redacted. Only a route that labels no \
         field may allow them.",
    ),
    (
        "upstream-unavailable",
        "the application behind Postern does not answer (502, 504)",
        "It cannot be reached, took too long, or broke off before its answer was complete.",
    ),
    (
        "write-conflict",
        "what is stored is not what the write was made from (409)",
        "On a route with `write_back: restore` Postern reads what is stored before a write goes up. It \
         could not be read, or it changed meanwhile, or elements of an array without an `id` of their own \
         were added, moved or taken out, so that nobody can tell which hidden value belongs where. Read \
         the resource again and repeat the change.",
    ),
    (
        "write-of-hidden-field",
        "a write reaches a field that is hidden from its writer (403)",
        "Who sees a mask in place of a value would write the mask back over the truth. So a write may not \
         hold, replace, delete, move or ask for what its roles do not see in full; the answer names the \
         labels. Leave those fields out. PUT and DELETE reach everything. `write_back: drop_field` takes \
         such fields out of the body instead, and `write_back: restore` puts the stored values back where \
         the body repeats what was shown.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_an_explanation_or_is_plain_http() {
        let reasons = [
            DenyReason::PolicyUnavailable,
            DenyReason::RouteDenied,
            DenyReason::MethodNotAllowed { allow: Vec::new() },
            DenyReason::NoRole,
            DenyReason::QueryNotAllowed,
            DenyReason::QueryOnHiddenField,
            DenyReason::WriteOfHiddenField { labels: Vec::new() },
            DenyReason::UpgradeRefused,
        ];
        for reason in reasons {
            let line = refusal(&reason);
            let slug = line.strip_prefix("refused, ").unwrap();
            let slug = slug.split(':').next().unwrap();
            assert!(problem(slug).is_some(), "{slug}");
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
