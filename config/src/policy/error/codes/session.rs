//! Sessions, and logins of the application. `PN095` to `PN099`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
    code(
        "PN095",
        "a name under `sessions` is not valid",
        "Under `token` stand the names by which the application's session is known, besides the usual ones: \
         cookies and header fields are tokens of RFC 9110, and `*` stands for any run of characters beside \
         at least one other. `passthrough` and `decoy` name cookies exactly. A cookie that is known as a \
         token, that is the decoy or that is one of ours (`__Host-Http-pn`, `__Host-pnb`) cannot pass: \
         what the client would hold then is the application's own session.",
    ),
    code(
        "PN096",
        "a binding level cannot be reached",
        "`required` asks for a level that no entry of `bind` reaches: `context` reaches 1, `dpop` and `dbsc` \
         2, `mtls` 3. Nobody could ever do what needs it. Exports need 2 unless `required: { export: ... }` \
         says otherwise; a route is an export when it may answer in lines or rows. Without a session \
         there is no level, but 3 with `from: mtls`. With `from: header` the certificate on our \
         connection is that of the neighbour, so `mtls` binds nobody's session.",
    ),
    code(
        "PN097",
        "a login could not be recognised",
        "With `from: session`, `login` says which requests are logins, which answers to them are \
         successful (`success` with `status`, `location` or `json`, all of which must hold), and who has \
         logged in: `user: { form: username }` from the posted form, `user: { json: $.user.id }` from the \
         answer, or `user: { follow: GET /me, json: $.id }` from the answer to a request of ours, which \
         is a GET without parameters. Lines of `login` and `logout` begin with a literal segment: \
         whatever `login` matches is let through for somebody without a session. Roles can be read by a \
         selector only from an answer that names the user.",
    ),
    code(
        "PN098",
        "`from: session` needs a `sessions` section",
        "Who logged in is known again by the handle that the client holds in place of the application's \
         session, and the `sessions` section says how that handle is kept, bound and ended. Write it out, \
         so that a reviewer sees it: `sessions: {}` takes every default.",
    ),
    code(
        "PN099",
        "a level is required on a route that cannot be asked for",
        "`required: { routes: ... }` names a route that the policy does not define, or one with `deny: true`, \
         which nobody gets an answer from. Correct the name, or remove the entry. Levels by the kind of \
         request stand beside `routes`: `read`, `write`, `export`, `approve`.",
    ),
];
