//! What names look like: policies, routes, roles, labels, key ids.

use crate::document::Place;
use crate::document::read::Slot;
use crate::policy::error::Problems;

/// The longest name, in characters.
const NAME_MAX: usize = 128;

/// The name of a policy, checked.
pub(crate) fn plain_name(
    what: &str,
    slot: &Slot<String>,
    problems: &mut Problems,
) -> Option<String> {
    let at = slot.found.as_ref()?;
    check(what, &at.value, at.place, problems).then(|| at.value.clone())
}

/// Whether a name of this sort is well formed; reports it otherwise.
pub(super) fn check(what: &str, name: &str, place: Place, problems: &mut Problems) -> bool {
    let (fits, help) = match what {
        "label" => (
            is_label(name),
            "lower-case words joined by dots, such as `pii.contact`",
        ),
        "role" => (
            is_role(name),
            "letters, digits and `_ - . : / @`, with spaces only inside",
        ),
        _ => (is_plain(name), "letters, digits, `_`, `-` and `.`"),
    };
    let length = name.chars().count();
    let help = match length > NAME_MAX {
        true => format!("a name has at most {NAME_MAX} characters, this one has {length}"),
        false if fits => return true,
        false => help.to_owned(),
    };
    let message = format!("`{name}` is no {what} name");
    problems.add("PN009", place, message).help(help);
    false
}

/// `word(.word)*` of lower-case letters, digits, `_` and `-`, each beginning with a letter or digit.
pub(super) fn is_label(name: &str) -> bool {
    name.split('.').all(|word| {
        let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let first = word.bytes().next();
        first.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && word.bytes().all(inside)
    })
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn is_role(name: &str) -> bool {
    let inside = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b' ')
    };
    !name.is_empty() && name.trim() == name && name.bytes().all(inside)
}

/// The name of a path parameter.
pub(super) fn is_parameter(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The id of a key: 1 to 16 lower-case letters and digits.
pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=16).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
