//! What bodies and queries hold: parameters, `detect`, formats, embedded documents. `PN050` to `PN089`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
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
        "`find` lists each kind of data and each pattern once. The kinds are `email`, `phone`, `card`, \
         `iban`, `us_ssn`, `secret`, `ip` and `names_in_this_response`, which stands for what the same \
         record holds elsewhere and hides from the reader.",
    ),
    code(
        "PN062",
        "what is found cannot be treated so",
        "`then` says what takes the place of a piece of text: `redact` (also with a constant), a mask, \
         `pseudonym`, or `remove`, with which the piece disappears. `show` and `detect` would hide \
         nothing, and `generalize` is about whole values of a known form.",
    ),
    code(
        "PN063",
        "a pattern cannot be searched for",
        "`find` may hold patterns of your own, `{ pattern: 'MRN-[0-9]{7}' }`, in the syntax of the `regex` \
         crate and with case as it is written. Text is searched as its readers see it: digits of every \
         script are `0` to `9`, full-width forms, dashes and blanks are the plain ones, and what shows \
         nothing is left out. So a pattern names plain characters; one that needs another could never \
         be found. It must not match an empty text. It may ask for the edge of a word (`\\b`), but not \
         where a text or a line begins or ends, since text streams by in pieces.",
    ),
    code(
        "PN064",
        "a pattern finds too much, or is too large",
        "What a pattern finds has an end: at most 128 bytes of UTF-8, of which a character that is not \
         ASCII takes up to four. Write `{1,9}` in place of `+` and `*`. A pattern has at most 1024 bytes \
         and 1 MiB once it is compiled; classes of all scripts such as `\\w` are large, `[0-9A-Z]` is \
         small. An entry has at most 16 patterns.",
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
];
