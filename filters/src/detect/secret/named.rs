//! What stands beside a name that says it is a secret, such as `password`, or beside `Bearer`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::view::View;
use super::super::{Detector, Found, Tail, fold};
use super::{has_digit, is_replacement, is_token, is_value};

/// Ends of names, such as `API_KEY` or `dbPassword`, whose values are secrets.
const NAMES: [&str; 22] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "secret_key",
    "secretkey",
    "credential",
    "credentials",
    "passwort",
    "kennwort",
    "wachtwoord",
    "senha",
];

/// The same in words beyond ASCII.
const WORDS: [&str; 5] = ["contraseña", "hasło", "пароль", "密码", "κωδικός"];

/// The longest name.
const NAME_MAX: usize = 40;

/// What a text has where a name says that something is a secret, or where a private key or a bearer's token can be: a text
/// with none of these, and with nothing that [`fold::any_may_change`] knows, is not searched for names.
const ANCHORS: [&str; 30] = [
    "passw",
    "passp",
    "passc",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "credential",
    "kennwort",
    "wachtwoord",
    "senha",
    "contrase",
    "hasł",
    "парол",
    "密码",
    "κωδικ",
    "-----begin",
    "bearer",
    "CONTRASEÑ",
    "HASŁ",
    "ПАРОЛ",
    "Парол",
    "ΚΩΔΙΚ",
    "Κωδικ",
];

/// Whether a name that says it is a secret can be in a text: one of its anchors is, or a character that may make one
/// out of what does not look like it byte for byte.
pub(in crate::detect) fn may_be_named(text: &[u8]) -> bool {
    static WHERE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let builder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(ANCHORS);
        builder.ok()
    });
    fold::any_may_change(text) || WHERE.as_ref().is_none_or(|anchors| anchors.is_match(text))
}

/// What stands beside a name that says it is a secret.
pub(super) fn named(view: View<'_>, at: usize) -> Option<Found> {
    let name = view.run(at, NAME_MAX, |byte| is_token(byte) || byte >= 0x80);
    let text = view.span(at, name);
    let bearer = text.eq_ignore_ascii_case(b"bearer");
    if !bearer && !is_secrets_name(text) {
        return None;
    }
    let (value, assigned) = value_after(view, name, bearer)?;
    let mut end = view.run(value, usize::MAX, is_value);
    let open = end == view.len();
    while !open && matches!(view.before(end), b'.' | b',' | b')' | b':') && end > value {
        end -= 1;
    }
    let text = view.span(value, end);
    let secret = match (assigned, bearer) {
        (true, _) => text.len() >= 6 && is_mixed(text),
        (false, true) => text.len() >= 16 && has_digit(view, value, end),
        (false, false) => text.len() >= 8 && is_random(text),
    };
    (secret && !is_replacement(text)).then(|| Found {
        tail: open.then_some(Tail::Token),
        ..Found::closed(Detector::Secret, value, end)
    })
}

/// Whether a name says that its value is a secret.
fn is_secrets_name(name: &[u8]) -> bool {
    // PERF: a name in ASCII needs no lower case of its own (`postern bench`, free text).
    if name.is_ascii() {
        let plural = name
            .strip_suffix(b"s")
            .or_else(|| name.strip_suffix(b"S"))
            .unwrap_or(name);
        let ends = |name: &[u8], end: &str| {
            let from = name.len().checked_sub(end.len());
            let last = from.and_then(|from| name.get(from..));
            last.is_some_and(|last| last.eq_ignore_ascii_case(end.as_bytes()))
        };
        return NAMES.iter().any(|end| ends(plural, end) || ends(name, end));
    }
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let name = name.to_lowercase();
    let plural = name.strip_suffix('s').unwrap_or(&name);
    let known = |end: &&str| plural.ends_with(*end) || name.ends_with(*end);
    NAMES.iter().any(known) || WORDS.iter().any(|end| name.ends_with(end))
}

/// Where the value after a name begins, and whether a sign says that it is its value.
fn value_after(view: View<'_>, name: usize, bearer: bool) -> Option<(usize, bool)> {
    let quotes = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\\');
    let sign = view.run(name, 4, quotes);
    let assigned = matches!(view.at(sign), b':' | b'=');
    if assigned {
        let after = view.run(sign, 3, |byte| matches!(byte, b':' | b'=' | b'>'));
        return Some((view.run(after, 4, quotes), true));
    }
    if view.at(name) != b' ' {
        return None;
    }
    if bearer {
        return Some((name + 1, false));
    }
    let joined = ["is ", "was ", "ist ", "est ", "es "];
    let verb = joined.iter().find(|verb| view.has(name + 1, verb));
    let after = name + 1 + verb.map_or(0, |verb| verb.len());
    let value = view.run(after, 4, quotes);
    Some((value, verb.is_some()))
}

/// Letters and something that is no letter.
fn is_mixed(text: &[u8]) -> bool {
    let letters = text
        .iter()
        .any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let others = text
        .iter()
        .any(|byte| !byte.is_ascii_alphabetic() && !matches!(*byte, b'-' | b'_' | b'.' | b'/'));
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters && others || digits >= 6 && digits == text.len()
}

/// At least three of the four classes of characters, or a long text with many different ones.
fn is_random(text: &[u8]) -> bool {
    const DIFFERENT_MIN: usize = 8;
    const LONG: usize = 16;
    let has = |class: fn(&u8) -> bool| usize::from(text.iter().any(class));
    let classes = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|byte| {
            byte.is_ascii_punctuation() && !matches!(byte, b'.' | b'-' | b'_' | b'/' | b',')
        });
    let mut different: Vec<u8> = text.to_vec();
    different.sort_unstable();
    different.dedup();
    let varied = different.len() >= DIFFERENT_MIN;
    let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    mixed && (classes >= 3 || text.len() >= LONG && varied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_anchor() {
        let upper = NAMES.iter().chain(&WORDS).map(|name| name.to_uppercase());
        let names = NAMES.iter().chain(&WORDS).map(|name| (*name).to_owned());
        for name in names.chain(upper).chain(["bearer".to_owned()]) {
            assert!(may_be_named(name.as_bytes()), "{name}");
        }
    }

    /// Whatever case a name is written in, letter by letter: a letter that no anchor spells makes its text be searched.
    #[test]
    fn every_letter_of_a_name_is_in_an_anchor_or_makes_its_text_be_searched() {
        let letters: String = NAMES.iter().chain(&WORDS).copied().collect();
        let anchors = ANCHORS.concat();
        for character in '\0'..=char::MAX {
            let mut lower = character.to_lowercase();
            let (Some(small), None) = (lower.next(), lower.next()) else {
                continue;
            };
            // The anchor of `contraseña` ends before its last but one letter.
            let is_behind = matches!(character, 'ñ' | 'Ñ');
            let is_spelled = character.is_ascii() || anchors.contains(character) || is_behind;
            if letters.contains(small) && !is_spelled {
                let mut bytes = [0; 4];
                let text = character.encode_utf8(&mut bytes);
                assert!(fold::any_may_change(text.as_bytes()), "{character:?}");
            }
        }
    }

    #[test]
    fn a_name_in_ascii_is_told_as_one_in_any_script_is() {
        for name in ["apiKeys", "DB_PASSWORDS", "tokenS", "secret", "Credentials"] {
            assert!(is_secrets_name(name.as_bytes()), "{name}");
            assert!(is_secrets_name(format!("é{name}").as_bytes()), "{name}");
        }
        for name in ["", "s", "S", "passwords_", "tokenized"] {
            assert!(!is_secrets_name(name.as_bytes()), "{name}");
            assert!(!is_secrets_name(format!("é{name}").as_bytes()), "{name}");
        }
    }
}
