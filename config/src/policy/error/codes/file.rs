//! The file itself: its text, its keys and values, its names. `PN001` to `PN009`.

use super::{Code, code};

pub(super) const CODES: &[Code] = &[
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
         would be a hole. The report hides its value, which may be a secret. Correct the spelling, or \
         move the key to the section it belongs to. `postern schema` prints every key for use in an editor.",
    ),
    code(
        "PN004",
        "a required key is missing",
        "The section needs a key that is not there. Postern has no silent default where a default could \
         let data out: who may ask (`identity`), what is matched (`match`) and so on are always written \
         out. Add the key named in the message.",
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
         Labels are lower-case words joined by dots (`pii.contact`). Names of policies, routes and \
         quotas are letters, digits, `_`, `-` and `.`; names of roles may also hold `:`, `/`, `@` and spaces \
         inside, since groups of an identity provider do.",
    ),
];
