//! Routes, and what they match. `PN020` to `PN029`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
    code(
        "PN020",
        "a `match` line is not understood",
        "A match is a method and a path: `GET /api/cases/{case_id}`. The method is `ANY` or in upper \
         case, not CONNECT or TRACE. A path begins with `/`, has no empty and no dot segments, no query, \
         no escape that could be written plainly and no escaped slash: requests are compared in \
         canonical form, so another spelling would never match. `{name}` stands for one whole segment; \
         `{name...}` for all that remain, only at the end.",
    ),
    code(
        "PN021",
        "there is no catch-all route",
        "A policy must say what happens to requests that no other route matches, in a route with `match: \
         ANY /{path...}`, usually with `deny: true`. It is written out so that nobody has to know a \
         default, and so that a reviewer sees it.",
    ),
    code(
        "PN022",
        "two routes match the same request equally well",
        "The most specific match wins: segment by segment from the left, a literal beats a parameter, a \
         parameter beats the rest, and after that an exact method beats `ANY`. These two are equal and \
         can match the same request, so the order in the file would decide. Make one of them more \
         specific, or merge them. Lines of `login` and `logout` under `identity` count as well.",
    ),
    code(
        "PN023",
        "a denied route says more than what it matches",
        "A route with `deny: true` refuses every request; labels, parameters or formats on it would \
         never apply and only look like protection. Remove them, or remove `deny`.",
    ),
    code(
        "PN024",
        "`labels_of` or `under` lead nowhere",
        "`labels_of` names another route whose labels apply here too; that route must exist, must not \
         be denied, and must not lead back to this one. `under` says where in this route's answers \
         those labels begin, and means nothing without `labels_of`.",
    ),
    code(
        "PN025",
        "a labelled route lets an unreadable protocol through",
        "Messages of server-sent events and WebSockets are not redacted. A route that labels fields \
         cannot allow them: labelled fields would leave untouched. Give the protocol a route of its \
         own, without labels.",
    ),
    code(
        "PN026",
        "a content type cannot pass unread",
        "`unreadable: { allow: [...] }` names bodies that pass without being read, such as `image/png`. \
         Each is one exact type in lower case, without parameters or wildcards. JSON types may not be \
         listed: a JSON body that cannot be read is broken, and passing it on would pass on what it \
         holds.",
    ),
    code(
        "PN027",
        "a query parameter's name is not valid",
        "`query` lists the names of the parameters that may be asked, decoded, each once. A name is not \
         empty and has no control characters. An empty list means that none may be asked.",
    ),
];
