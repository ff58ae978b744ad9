//! Every code an error can carry, with the long explanation that `postern explain PN012` prints.
//!
//! Codes are stable: one is never given another meaning. Codes from `PN100` on are lint findings.

/// A code, in one line and at length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// The code, such as `PN012`.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it means, why it is refused, and what to do.
    pub explanation: &'static str,
}

/// Every code, in order.
#[must_use]
pub const fn codes() -> &'static [Code] {
    CODES
}

/// The code of this name, in either case.
#[must_use]
pub fn explanation(code: &str) -> Option<&'static Code> {
    CODES
        .iter()
        .find(|known| known.code.eq_ignore_ascii_case(code))
}

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code {
        code,
        title,
        explanation,
    }
}

const CODES: &[Code] = &[
    code(
        "PN001",
        "the file is not YAML that Postern reads",
        "The text could not be read as one YAML document. Besides plain syntax errors this covers what \
         Postern refuses on purpose: tabs as indentation, several documents in one file, merge keys \
         (`<<`), custom tags, aliases that multiply, and nesting or size past a fixed bound. Correct \
         the place shown; the other errors of the file appear once it can be read.",
    ),
    code(
        "PN002",
        "a key is written twice",
        "A map holds the same key twice. YAML readers differ in which of the two they keep, so a \
         reviewer and the proxy could read two different policies from one file. Keep one of them, or \
         merge what they say. For labels on one selector, write a list: `$.a: [pii.name, secret]`.",
    ),
    code(
        "PN003",
        "a key is not known here",
        "The section has no such key. Nothing is ignored silently: a misspelt `alwyas` that is skipped \
         would be a hole. Correct the spelling, or move the key to the section it belongs to. \
         `postern schema` prints every key for use in an editor.",
    ),
    code(
        "PN004",
        "a required key is missing",
        "The section needs a key that is not there. Postern has no silent default where a default could \
         let data out: who may ask (`identity`, `without_a_role`), what is matched (`match`) and so on \
         are always written out. Add the key named in the message.",
    ),
    code(
        "PN005",
        "a value has the wrong form",
        "Another kind of value is expected here: a text where a list is, a map where a text is, a number \
         where a text is. Dates, versions and anything that looks like a number but is a text need \
         quotes. Only `true` and `false` are booleans; `yes` and `on` are texts.",
    ),
    code(
        "PN006",
        "a word is not one of those allowed",
        "This place takes one of a few fixed words, and the one written is none of them. The report \
         lists the words. `policy: v1` is the only version there is; another version means that this \
         Postern is too old or the file is not meant for it.",
    ),
    code(
        "PN007",
        "a value is out of range",
        "The value is of the right form, but too small, too large, empty, or repeated where each may \
         come once. Every limit has a smallest and a largest value, so that neither a typing error nor \
         a zero can switch a protection off. Choose a value in the range that the message names.",
    ),
    code(
        "PN008",
        "this build cannot enforce it yet",
        "The policy language knows this section, word or action, but this build does not enforce it. A \
         policy that says more than is enforced would promise a protection that is not there, so it is \
         refused instead of ignored. Remove it until a release that enforces it; the change log says \
         which one does.",
    ),
    code(
        "PN009",
        "a name is not well formed",
        "Names appear in logs, metrics, headers and other policies, and are limited to a plain form. \
         Labels are lower-case words joined by dots (`pii.contact`). Names of policies and routes are \
         letters, digits, `_`, `-` and `.`; names of roles may also hold `:`, `/`, `@` and spaces \
         inside, since groups of an identity provider do.",
    ),
    code(
        "PN010",
        "a label is not declared",
        "A rule names a label that `labels` does not declare and that covers no declared label. A \
         selector must name a declared label; `sees` and `always` may also name a prefix, so that a \
         rule on `pii` covers `pii.name` although `pii` itself is not declared. Declare the label, or \
         correct its spelling.",
    ),
    code(
        "PN011",
        "labels cover one another in a circle",
        "Following the dotted prefixes and `parents` of a label leads back to the label itself. Which of \
         two labels is the nearer one, and so which rule wins, would have no answer. Take one of the \
         `parents` out.",
    ),
    code(
        "PN012",
        "a role is not defined",
        "`extends`, or the `roles` of `identity`, name a role that `roles` does not define. Somebody \
         mapped to an undefined role would see nothing and get a confusing refusal. Define the role, or \
         correct its spelling.",
    ),
    code(
        "PN013",
        "roles extend one another in a circle",
        "Following `extends` from a role leads back to the role itself. The nearest definition wins, and \
         in a circle nothing is nearest. Take one `extends` out; what two roles share can go into a \
         third that both extend.",
    ),
    code(
        "PN014",
        "an action is not understood",
        "The action is none of those Postern knows, or its options are incomplete. Actions are `show`, \
         `mask`, `last4` (or any `last1` to `last16`), `redact`, `remove`, `pseudonym`, and in long form \
         `{ mask: { keep_first: 1, keep_last: 4 } }`, `{ redact: { with: \"x\" } }`, `{ pseudonym: { \
         scope: tenant } }` and `{ generalize: { date: year } }` (with `epoch: seconds` or `millis` \
         where numbers are points in time), `{ generalize: { bucket: 10 } }`, `{ generalize: { prefix: 2 \
         } }`.",
    ),
    code(
        "PN015",
        "`always` may not show",
        "`always` beats every role, so `show` in it would open a label to everybody, whatever the roles \
         say. It exists to close labels. Leave the label out of `always` and let each role say what it \
         sees.",
    ),
    code(
        "PN016",
        "a selector is not valid",
        "Selectors are RFC 9535 JSONPath, read strictly: `$` first, names with other characters than \
         letters, digits and `_` quoted in brackets (`$['first name']`), integers without leading \
         zeros, `length`, `count` and `value` compared with something, `match` and `search` not. A \
         selector that begins with `$` needs no YAML quotes, one that holds `: ` or ` #` does.",
    ),
    code(
        "PN017",
        "a pattern is not valid",
        "The pattern in `match` or `search` is not one that can be compiled. The standard says that such \
         a pattern selects nothing, which in a policy would be a field that is never protected, so a \
         literal one is refused. Patterns are I-Regexp (RFC 9485): no look-around, no back-references, \
         and small enough to match in linear time.",
    ),
    code(
        "PN018",
        "a selector cannot be moved under another",
        "`labels_of` with `under` takes selectors that were written for one document and moves them \
         below a place in another. A filter that refers to `$` refers to the document's root, and after \
         the move the root is something else. Write this selector out in the route that needs it.",
    ),
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
         specific, or merge them.",
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
    code(
        "PN030",
        "an identity key belongs to another source",
        "The keys of `identity` depend on `from`. `jwt` has issuer, audience, keys, subject, tenant and \
         roles; `mtls` has subject and a map of roles; `header` has subject, tenant, roles and trusted. \
         A key of another source would have no effect. Remove it, or correct `from`.",
    ),
    code(
        "PN031",
        "an identity value is not valid",
        "The value does not fit the identity source: an empty issuer or audience, a header name that is \
         no token of RFC 9110, two keys that name one header, or `roles` in the form of another source \
         (a selector for `jwt`, a map from patterns to roles for `mtls`, a header name for `header`).",
    ),
    code(
        "PN032",
        "identity headers would be believed from afar",
        "`trusted` lists who may say who is asking. Headers are not signed, so only neighbours on the \
         same host are accepted: `unix` for our own Unix socket, or loopback addresses such as \
         `127.0.0.1/32` and `::1`. For anything further away use `jwt` or `mtls`.",
    ),
    code(
        "PN033",
        "a secret or key is not a reference",
        "Secrets and key files are named, never written out: `env:NAME` or `file:PATH`, and for JWT keys \
         also `https://...`. Policies are reviewed, copied and logged; a secret in one is a secret lost. \
         If a real secret was written here, replace it at its source too. Plain `http://` keys are \
         accepted from loopback only, since whoever changes them on the way decides who is let in.",
    ),
    code(
        "PN040",
        "an address is not valid",
        "An address is `HOST:PORT`, such as `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; the data \
         listener may also be `unix:PATH`. The admin listener accepts loopback addresses only in this \
         build, and must not be the address of the data listener: nothing of it may be reachable \
         through the data listener.",
    ),
    code(
        "PN041",
        "the upstream is not valid",
        "The upstream is `http://HOST:PORT` or `https://HOST:PORT`, the port optional, without user, \
         path, query or fragment: paths are forwarded as they come, and credentials are given by \
         `credential` as a reference. `ca` belongs to `https`.",
    ),
    code(
        "PN042",
        "a size or duration is not valid",
        "Sizes are whole numbers of bytes with a unit, `16KiB`, `1MiB`, `512B`; durations likewise, \
         `250ms`, `25s`, `10m`, `24h`. Decimal units such as `kB` are not accepted: a limit that two \
         people read differently is no limit.",
    ),
    code(
        "PN043",
        "a key id is not valid",
        "Key ids appear in pseudonyms, `~k1.…`, and tell which key made them. An id is 1 to 16 lower-case \
         letters and digits, and each id comes once; the list is newest first. An id that was used \
         before must not be given to another key.",
    ),
    code(
        "PN050",
        "a query parameter's rule is not valid",
        "Under `params` a parameter is given the labels it asks about, `tax_id: pii.gov_id`, or the way in \
         which it names fields and the fields it may name, `sort: { asks: sort, of: [created_at] }`. The \
         fields are dotted paths as in the answer; one that the application calls otherwise stands under \
         `labelled` with its labels. `odata` reads `$filter $orderby $select $expand`, `postgrest` reads \
         `select order or and not.or not.and`; what computes, renames or aggregates is never allowed. \
         `asks: anything` is for what nobody can read, and for roles from which nothing is hidden.",
    ),
    code(
        "PN060",
        "`detect` has nothing to search for",
        "A role, or `always`, lets a label be seen through `detect`, and no entry of the `detect` section \
         is about that label or one that covers it. Without an entry nothing would be found and the text \
         would leave as it is. Add one, such as `detect: { text.free: { find: [email, phone], then: \
         redact } }`, or choose another action.",
    ),
    code(
        "PN061",
        "a detector is listed twice",
        "`find` lists each kind of data once. The kinds are `email`, `phone`, `card`, `iban`, `us_ssn`, \
         `secret`, `ip` and `names_in_this_response`, which stands for what the same record holds \
         elsewhere and hides from the reader.",
    ),
    code(
        "PN062",
        "what is found cannot be treated so",
        "`then` says what takes the place of a piece of text: `redact` (also with a constant), a mask, \
         `pseudonym`, or `remove`, with which the piece disappears. `show` and `detect` would hide \
         nothing, and `generalize` is about whole values of a known form.",
    ),
    code(
        "PN070",
        "two formats claim one content type",
        "Which format a body has follows from its content type alone; nothing is guessed from the bytes. \
         So a format is listed once, a type listed under `types` belongs to no other format, and a type \
         that a declared format reads cannot pass unread under `unreadable` as well. Leave the type to \
         one of them.",
    ),
    code(
        "PN071",
        "a selector cannot be followed in one of the route's formats",
        "The lines of NDJSON, the texts of a JSON text sequence and the rows of a table are the elements \
         of `$`: `$[*].email` is a member of each line and a column of the table. They stream by, so \
         nothing may depend on the whole body or on where it ends: no label on `$` itself, no filter \
         that asks about `$`, no index from the end of the body. In a table a column is labelled as a \
         whole, so that a filter, or the number of a row, labels none. Begin with `$[*]`, label columns \
         by name, or give the format a route of its own.",
    ),
    code(
        "PN072",
        "`columns` does not fit",
        "`columns` attaches labels to the columns of a CSV or TSV table by their header text, besides \
         what selectors say: `columns: { \"E-mail\": pii.contact }`. It needs `csv` or `tsv` among the \
         route's `formats`, and a header text that is not empty.",
    ),
    code(
        "PN073",
        "an option of a format is not valid",
        "`types` lists exact content types in lower case; `delimiter` is one of `,`, `;`, `|`, `:` and \
         the tab; `encoding` is a label of the WHATWG Encoding Standard, such as `windows-1252`. What is \
         read in another encoding leaves as UTF-8.",
    ),
    code(
        "PN074",
        "a cell cannot be opened as a document",
        "A label with `embedded` lets selectors go on inside a string. A table's cell is treated as one \
         text, so what is inside would leave unseen. Give the table a route of its own, in which the \
         column carries a label that says what happens to the whole text.",
    ),
    code(
        "PN080",
        "the case is not known",
        "A pseudonym with the scope `case` is the same for everybody who reads one case, and another in \
         the next. The route must say which case its answers are about: by a parameter of its path that \
         is called `case_id`, or by `case: NAME` where it is called otherwise. Every `match` of the route \
         must have that parameter. Where answers are about several cases, attach another label, or give \
         the role another scope.",
    ),
    code(
        "PN081",
        "a filter asks for `$` beside a document in a string",
        "A label with `embedded` lets selectors go on inside a string. A filter that refers to `$` asks \
         for the root of the whole answer, which is out of reach from inside of the string, and taking \
         the string's own root for it would decide by the wrong data. Write the filter so that it asks \
         for something under `@`, or attach a label without `embedded`.",
    ),
    code(
        "PN082",
        "a string is opened and searched at once",
        "A label with `embedded` is for strings that hold a document: fields inside are found by \
         selectors. `detect` is for free text: what is searched for may be anywhere. Searching a \
         document's text would pass by what selectors hide inside. Show the string, and attach a label \
         that is searched to the texts inside, such as `$.payload.note: text.free`.",
    ),
    code(
        "PN101",
        "a label is not used",
        "No route attaches this label to a field, so no rule on it has an effect. Either a selector is \
         missing, and the data it was meant for leaves as `unlabelled` says, or the label is left over. \
         Attach it or remove it.",
    ),
    code(
        "PN102",
        "a role says nothing about any label in use",
        "Neither this role nor one that it extends mentions a label that is attached to a field, so \
         every labelled field is removed for it. A role is often forgotten this way when labels are \
         renamed. If it is meant to see nothing, say so: `sees: { pii: remove }` for one of them is \
         enough.",
    ),
    code(
        "PN103",
        "a list has no `records`",
        "The route answers with a list (its labels are attached under `[*]`), and does not say where its \
         records are. Export quotas count records, and will count such an answer as one. Add `records: \
         $.cases[*]` or wherever the elements are.",
    ),
    code(
        "PN104",
        "a label is hidden from every role",
        "No role mentions this label or one that covers it, so it is removed for everybody. If that is \
         meant, say so under `always`: there it is visible to reviewers and holds for roles that come \
         later.",
    ),
    code(
        "PN105",
        "a label is shown to every role",
        "Every role sees this label in full, so its selectors protect nothing. Either a role should see \
         less, or the label only documents the field; then this finding can be ignored.",
    ),
    code(
        "PN106",
        "`always` shows more than a role does",
        "`always` beats every role, also one that says something stricter: with `always: { pii: mask }`, a \
         role that says `pii: remove` sees masks. Make `always` at least as strict as every role, or \
         leave the label to the roles.",
    ),
    code(
        "PN107",
        "a parameter asks about a label that the route does not use",
        "Under `params` the parameter is given a label that no selector of the route attaches to a field. \
         Then the label is often the wrong one, and a role that sees it could ask about a field that it \
         does not see. Give it the label of the field it asks about, or attach the label.",
    ),
    code(
        "PN108",
        "a parameter that names fields is not looked into",
        "Parameters under `query` pass with any value. One of this name usually says what to sort, filter, \
         search or select by, and on a route with labels it could name a hidden field. Put it under \
         `params` and say how it names fields: `sort: { asks: sort, of: [created_at] }`, or which labels \
         a search looks through: `q: [pii.name]`.",
    ),
    code(
        "PN109",
        "a `detect` entry searches nothing",
        "No role sees this entry's label, or one that it covers, through the action `detect`, so nothing \
         is ever searched for. Let a role see the label with `detect`, or remove the entry.",
    ),
    code(
        "PN113",
        "a posted search may ask about hidden fields",
        "The path says that the body of the request is a search, and on a route with labels it could name a \
         hidden field in a language that nobody here reads. Say `body: query`: then it is allowed only to \
         roles from which nothing of the route is hidden. If it is no search, say `body: write`.",
    ),
];
