//! The texts: for each problem its slug, in a few words what it is, and what to do; in the order of the slugs.

/// Every problem that is explained.
pub(super) const PROBLEMS: &[(&str, &str, &str)] = &[
    (
        "ambiguous-request",
        "the request could mean two things (400)",
        "Two readers could understand the request differently: where its body ends, which path it names, \
         for which host it is, what a part of a form is called. Postern answers 400 and closes the \
         connection. Send one Content-Length or one Transfer-Encoding, an absolute path without dot \
         segments, empty segments, encoded slashes or control characters, and one Host. In a session it \
         also means that a placeholder stands where the token that it stands for cannot be written.",
    ),
    (
        "audit-unavailable",
        "what would happen cannot be put on record, so it does not happen (503)",
        "The audit log takes no entries: its disk is full, nearly full or faulty, or it waits too long \
         for it. Nothing leaves that is not on record, so exchanges are refused until it is again. \
         Clients try again after the seconds in Retry-After. Operators make room, look at the log of the \
         process, and see `postern audit verify`.",
    ),
    (
        "binding-required",
        "the session is not bound to its holder as strongly as this needs (401)",
        "What was asked needs a session that is bound to a key or a certificate, more strongly than this \
         one (`sessions.required` in the policy), or what proves the binding is missing, old or of \
         another client. Prove possession with the next request (DPoP, DBSC or the client certificate), \
         or log in with a client that can. Which of it was wrong is in the log of the process, as \
         `reason`, and never told to the client.",
    ),
    (
        "body-too-large",
        "the request's body exceeds a limit (413)",
        "The body is larger than `limits.request_body` of the server file; or than `limits.held_bytes`, \
         where fields are hidden from the writer and the body of a write is therefore read whole. Send \
         less, or raise the limit.",
    ),
    (
        "case-grant-required",
        "the session is used for a case outside of its grant (403)",
        "Rule H15 of `sessions` refuses the request: its case is none that the person was given access \
         to. Ask for access to that case, and repeat the request.",
    ),
    (
        "connection-outdated",
        "the connection was let in by authorities that have changed (421)",
        "The server file's `listen.tls.client_ca` was renewed after this connection was made, so that \
         nobody can say whether its client certificate would still be let in. Connect again and send the \
         request on the new connection; most clients do that by themselves.",
    ),
    (
        "csrf",
        "the request does not come from a page of ours (403)",
        "In a session that a browser holds, what another site's page sends is refused, and so is what \
         changes something while nothing says that it was a page of this site. Send it from a page of \
         one of the hosts under `listen.hosts`; a program sends `Postern-Request: 1`.",
    ),
    (
        "expectation-failed",
        "`Expect` asks for something other than `100-continue` (417)",
        "That is the only expectation there is (RFC 9110 section 10.1.1). Send the request again without \
         `Expect`.",
    ),
    (
        "headers-too-large",
        "the request's header block exceeds a limit (431)",
        "The headers together are larger than `limits.header_bytes` of the server file, or there are \
         more of them than `limits.header_count`. Often a cookie has grown. Send fewer or shorter \
         headers, or raise the limit; the connection is closed.",
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
        "identity-unavailable",
        "credentials cannot be checked now (503)",
        "The keys that verify tokens cannot be had, or those at hand are too old: the address under \
         `identity.keys` does not answer, or answers something else. Clients try again after the seconds \
         in Retry-After. Operators see in the log why the keys could not be fetched.",
    ),
    (
        "method-not-allowed",
        "a route has this path, none has this method (405)",
        "The `Allow` header lists the methods that routes of the policy have for this path. A write to \
         such a path needs a route of its own.",
    ),
    (
        "misdirected-request",
        "the host is not served here (421)",
        "The request names a host that is not under `listen.hosts` of the server file, or another one \
         than the connection was made for. Send it to a host that is, or add the host.",
    ),
    (
        "no-role",
        "the identity has no role of the policy (403)",
        "The identity is valid, but none of its groups is the name of a role. Groups that are no role \
         are ignored. Ask for membership in a group that is one, or add the role.",
    ),
    (
        "not-acceptable",
        "nothing that the client accepts can be sent (406)",
        "On a route whose answers are read, `Accept-Encoding` rules out every content coding that \
         Postern could ask the application for, the plain one included. Accept `gzip` or `identity`, or \
         leave the header out.",
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
        "quota-exceeded",
        "a quota is used up (429)",
        "As many records, subjects, bytes or requests as the policy's `quotas` allow have left within \
         the window. The problem's member `quota` names the quota, its unit, limit and window; \
         Retry-After says when something is left again. A longer answer is cut where the limit is \
         reached. Operators see what is used with `postern quotas list` and give it back with `postern \
         quotas reset`.",
    ),
    (
        "request-timeout",
        "the request took too long to arrive (408)",
        "Its head was not complete within `limits.header_seconds` of the server file, or its body came \
         too slowly or paused too long. Nothing was done. Send the whole request without long pauses; \
         the connection is closed.",
    ),
    (
        "route-denied",
        "no route allows this request (403)",
        "The most specific route that matches says `deny: true`; often it is the catch-all. Add a \
         route to the policy for requests that are to pass.",
    ),
    (
        "session-expired",
        "the session has ended by itself (401)",
        "It was not used for `sessions.idle` of the policy, or it is older than `sessions.longest`. The \
         client's handle is taken back. Log in again.",
    ),
    (
        "session-limit",
        "the person has as many sessions as allowed (409)",
        "`sessions.max_sessions` of the policy says how many sessions one person may have at once, and \
         `sessions.on_limit` what happens to one more. Log out elsewhere first; operators end sessions \
         with `postern sessions revoke`.",
    ),
    (
        "session-missing",
        "there is no session (401)",
        "The policy recognises people by their login (`identity: { from: session }`) or asks for a \
         session (`sessions`), and the request brings no handle, or one that is not known. Log in first. \
         A browser that asks for a page is sent to the login instead.",
    ),
    (
        "session-revoked",
        "the session was ended (401)",
        "The person, an operator or a rule ended it: it was used by another holder, from two places at \
         once, with a decoy. The client's handle is taken back. Log in again. `postern sessions list`, \
         the log and the audit log say who or what ended it; the client is not told.",
    ),
    (
        "session-unknown",
        "the person has no such session (404)",
        "Whoever wants to end one of their own sessions named one that is not theirs, or not alive any \
         more. `/__postern/sessions` lists those that they have.",
    ),
    (
        "step-up-required",
        "this needs a fresh login (401)",
        "What was asked needs somebody who has just signed in: a quota with `on_exceed: step_up` is used \
         up, or a rule or route of `sessions` asks for it. `WWW-Authenticate` says how fresh it must be \
         (RFC 9470). Sign in again and repeat the request.",
    ),
    (
        "store-unavailable",
        "the store of quotas or sessions does not answer (503)",
        "Nobody can tell now what is left of a quota, or which sessions still hold, so nothing is let \
         through that depends on it. Clients try again after the seconds in Retry-After. Operators look \
         at what `store` in the server file names, and at the log.",
    ),
    (
        "target-too-long",
        "the path and query exceed a limit (414)",
        "They are longer together than `limits.target_bytes` of the server file. Shorten them, or raise \
         the limit; the connection is closed.",
    ),
    (
        "unreadable-body",
        "the upstream's answer cannot be redacted (502)",
        "Where an answer has to be read, only one that is complete and strictly valid can leave: in a \
         format that the route declares under `formats` (JSON when it declares none), with a content \
         type that one of them claims, in a content coding that can be taken off. The answer was of \
         another type, damaged, cut short, too deep, expanded too far, could be read in two ways, or \
         lacked something that the route requires. Nothing of it was passed on. Declare the format, or \
         name content types that may pass as they are with `unreadable: { allow: [...] }`.",
    ),
    (
        "unreadable-recording",
        "the attachment is a recording that cannot be read (422)",
        "A recording of a browser (HAR) holds the credentials of whoever made it, which are taken out on \
         the way up. This one is damaged or too large, so nobody can do that, and nothing of it was \
         passed on. Record less, and attach that.",
    ),
    (
        "unsupported-media-type",
        "the route cannot take this type of body (415)",
        "Where something is hidden from the writer, the body of a write is read: JSON, a JSON merge \
         patch or a JSON patch, or a form, in UTF-8 and without a content coding; and a patch is not \
         sent by PUT. In a session the body must have no content coding either, since tokens are put \
         into it. Send one of these, with a Content-Type that says so.",
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
        "version-not-supported",
        "the protocol version is not served (505)",
        "Postern speaks HTTP/1.1, and HTTP/2 over TLS. Use one of them.",
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
