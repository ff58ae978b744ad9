//! Lists of fields to sort by or to answer with, and filters whose fields stand in brackets.
//!
//! Each reader gives the fields that a parameter names as dotted paths, or nothing when it cannot tell.
//! Aliases, casts, functions and wild cards are not read: they rename or compute.

use super::spelling::{Spelled, is_operator};

/// What may follow a field in a sort list, with what joins it.
const DIRECTIONS: [&str; 4] = ["asc", "desc", "nullsfirst", "nullslast"];
/// What a sort in brackets may say.
const BRACKET_DIRECTIONS: [&str; 4] = ["asc", "desc", "1", "-1"];

/// `-created_at,customer.name`, `name desc`, `name:asc`, `name.desc.nullslast`, `[name]=asc`.
pub(super) fn sort(spelled: &Spelled<'_>, value: &str) -> Option<Vec<String>> {
    match spelled {
        Spelled::Brackets(parts) if parts.as_slice() != [""] => {
            let direction = BRACKET_DIRECTIONS
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known));
            let path = path(&parts.join("."))?;
            direction.then(|| vec![path])
        }
        Spelled::Plain | Spelled::Brackets(_) => sorted(value),
        Spelled::Operator => None,
    }
}

/// The fields of a sort list.
pub(super) fn sorted(value: &str) -> Option<Vec<String>> {
    value
        .split(',')
        .map(|item| path(undirected(item)))
        .collect()
}

/// An item of a sort list without its direction.
fn undirected(item: &str) -> &str {
    let item = item.trim_matches(' ');
    let mut rest = item.strip_prefix(['-', '+']).unwrap_or(item);
    while let Some(at) = rest.rfind([' ', ':', '.']) {
        let (before, word) = rest.split_at(at);
        let word = word.get(1..).unwrap_or_default();
        if !DIRECTIONS
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
        {
            break;
        }
        rest = before;
    }
    rest
}

/// `id,customer.name`, `[customer]=name,email`.
pub(super) fn fields(spelled: &Spelled<'_>, value: &str) -> Option<Vec<String>> {
    let of = match spelled {
        Spelled::Plain => None,
        Spelled::Brackets(parts) => match parts.as_slice() {
            [""] => None,
            [only] => Some(path(only)?),
            _ => return None,
        },
        Spelled::Operator => return None,
    };
    listed(value)?
        .into_iter()
        .map(|path| {
            Some(match &of {
                Some(of) => format!("{of}.{path}"),
                None => path,
            })
        })
        .collect()
}

/// The fields of a plain list.
pub(super) fn listed(value: &str) -> Option<Vec<String>> {
    value
        .split(',')
        .map(|item| path(item.trim_matches(' ')))
        .collect()
}

/// The field of `[customer][name][contains]`; with both readings where the last part can be either.
pub(super) fn filter(
    spelled: &Spelled<'_>,
    is_known: &dyn Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let Spelled::Brackets(parts) = spelled else {
        return None;
    };
    let mut parts = parts.as_slice();
    while let Some((&"", before)) = parts.split_last() {
        parts = before;
    }
    let whole = path(&parts.join(".")).filter(|path| is_known(path));
    let shorter = match parts.split_last() {
        Some((last, before)) if is_operator(last) => path(&before.join(".")),
        Some(_) | None => path(&parts.join(".")),
    };
    // A name that is known in full may also be read with an operator at its end.
    let named: Vec<String> = match whole {
        Some(whole) => {
            let other = shorter.filter(|path| is_known(path) && *path != whole);
            std::iter::once(whole).chain(other).collect()
        }
        None => shorter.into_iter().collect(),
    };
    (!named.is_empty()).then_some(named)
}

/// A field's name as a dotted path: parts of letters, digits, `_` and `-`, joined by a dot, a slash or an
/// arrow of PostgreSQL.
pub(super) fn path(text: &str) -> Option<String> {
    let dotted = text
        .replace("->>", ".")
        .replace("->", ".")
        .replace('/', ".");
    let is_name = |part: &str| {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        !part.is_empty() && !part.starts_with('-') && part.chars().all(fits)
    };
    dotted.split('.').all(is_name).then_some(dotted)
}
