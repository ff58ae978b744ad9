//! What `postern check` finds in a policy that loads. From `PN100` on.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
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
         records are. Export quotas count records, and count such an answer as one. Add `records: \
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
        "PN110",
        "a route names no data subjects",
        "A quota counts `subjects`, and this route has labels and does not say whom its answers are about, \
         so whatever leaves on it costs nothing of that quota: a reader could fetch one record after \
         another. Add `subjects:` with the selector of what tells one person from another, such as \
         `$.customer.id`. The same value costs once per window, on whichever route it leaves.",
    ),
    code(
        "PN111",
        "records or subjects are not found in one of the formats",
        "The lines of NDJSON, the texts of a JSON text sequence and the rows of a table are the elements of \
         `$`. A selector that begins with a member's name, `$.cases[*]`, finds the elements of a list in \
         JSON and nothing in them, so that a quota would count an export in that format wrongly. Add a \
         selector that finds each line or row and nothing in the JSON answer, such as `$[*].id`, or give \
         the format a route of its own.",
    ),
    code(
        "PN113",
        "a posted search may ask about hidden fields",
        "The path says that the body of the request is a search, and on a route with labels it could name a \
         hidden field in a language that nobody here reads. Say `body: query`: then it is allowed only to \
         roles from which nothing of the route is hidden. If it is no search, say `body: write`.",
    ),
    code(
        "PN114",
        "a route lets every other path through",
        "The route matches every path, is not denied and attaches no label, so whatever no other route \
         matches leaves as the application sends it: also what is added to the application later, and a \
         path that another route was to match and is misspelt there. Say `deny: true`, and write a route \
         for each path that may be asked for; where all that nobody named may pass, say `unlabelled: \
         remove`, or attach labels with selectors such as `$..email`.",
    ),
    code(
        "PN115",
        "a policy hides nothing",
        "No route that may be asked for attaches a label, so every role sees all that the application \
         answers, and what `roles` says has no effect. Attach labels under `label`, or take them from \
         another route with `labels_of`. A policy that keeps sessions or counts quotas and is meant to do \
         nothing else does not get this finding.",
    ),
    code(
        "PN116",
        "a method is not registered",
        "Methods are compared letter by letter, and this one is not in the registry of HTTP methods, so \
         hardly any client sends it: the line matches nothing, and the requests it was meant for meet the \
         catch-all. Correct the spelling. If the application has a method of its own, this finding can be \
         ignored.",
    ),
    code(
        "PN117",
        "a path is written as in another language",
        "A segment is taken for what it says: `:id`, `*` and `**` are no patterns here, and match nothing \
         but themselves. One segment of any text is `{id}`, all that remain are `{rest...}`.",
    ),
];
