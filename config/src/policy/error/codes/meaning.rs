//! Labels, roles, actions and selectors. `PN010` to `PN019`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
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
         `detect`, `mask`, `last4` (or any `last1` to `last16`), `redact`, `remove`, `pseudonym`, and in long form \
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
];
