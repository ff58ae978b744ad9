//! What stands beside a name that says it is a secret, such as `password`, or beside `Bearer` or `Basic`.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use unicode_normalization::UnicodeNormalization as _;

use super::super::canonical::is_mark;
use super::super::view::View;
use super::super::{Detector, Found, Tail, fold};
use super::{has_digit, is_replacement, is_token, is_value};

/// Ends of names, such as `API_KEY` or `dbPassword`, whose values are secrets.
const NAMES: [&str; 26] = [
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
    "palavra-passe",
    "contrasena",
    "haslo",
    "mdp",
];

/// The same in words beyond ASCII.
const WORDS: [&str; 11] = [
    "contraseña",
    "hasło",
    "пароль",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "κωδικός",
    "κωδικος",
    "συνθηματικό",
    "باسورد",
];

/// The same in several words: those before the last one, and the last one.
const PHRASES: [(&str, &str); 8] = [
    ("mot de ", "passe"),
    ("mots de ", "passe"),
    ("palavra ", "passe"),
    ("κωδικός ", "πρόσβασης"),
    ("كلمة ", "المرور"),
    ("كلمة ", "السر"),
    ("كلمه ", "المرور"),
    ("كلمه ", "السر"),
];

/// Words that mean more than a secret: names by themselves or behind `_`, where a sign follows.
const PARTS: [&str; 2] = ["pass", "clave"];

/// What such a word means no secret behind.
const OTHERWISE: [(&str, &str); 3] = [
    ("palabra ", "clave"),
    ("palabras ", "clave"),
    ("boarding ", "pass"),
];

/// How a sign after such a word begins.
const SIGNS: [&str; 8] = [":", "=", " :", " =", "\"", "'", "`", "\\"];

/// Ends of names of cookies and parameters whose long random values are sessions.
const SESSIONS: [&str; 4] = ["sessionid", "session_id", "session-id", "sessid"];

/// The longest name.
const NAME_MAX: usize = 40;

/// What a text has where a name says that something is a secret, or where a private key or a credential of HTTP can be:
/// a text with none of these, and with nothing that [`fold::any_may_change`] knows, is not searched for names. Letters
/// of ASCII stand for both cases; `contrasen` goes on with a tilde of its own.
fn anchors() -> impl Iterator<Item = String> {
    let names = NAMES.into_iter().chain(SESSIONS);
    let others = ["-----begin", "bearer", "basic ", "contrasen"];
    let upper = WORDS.iter().map(|word| word.to_uppercase());
    let phrases = PHRASES
        .iter()
        .map(|(before, last)| [*before, *last].concat());
    // PERF: most texts have a word that begins with `pass`, and none before a sign (`postern bench`, free text).
    let parts = PARTS
        .iter()
        .flat_map(|part| SIGNS.map(|sign| [*part, sign].concat()));
    let spelled = names.chain(others).chain(WORDS).map(str::to_owned);
    spelled.chain(upper).chain(phrases).chain(parts)
}

/// Whether a name that says it is a secret can be in a text: one of its anchors is, or a character that may make one
/// out of what does not look like it byte for byte.
pub(in crate::detect) fn may_be_named(text: &[u8]) -> bool {
    static WHERE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let builder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(anchors());
        builder.ok()
    });
    fold::any_may_change(text) || WHERE.as_ref().is_none_or(|anchors| anchors.is_match(text))
}

/// What a name says of the value after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Secret,
    /// One of [`PARTS`].
    Part,
    Session,
    /// The scheme of RFC 6750.
    Bearer,
    /// The scheme of RFC 7617.
    Basic,
}

/// What stands beside a name that says it is a secret.
pub(super) fn named(view: View<'_>, at: usize) -> Option<Found> {
    let name = view.run(at, NAME_MAX, |byte| is_token(byte) || byte >= 0x80);
    let kind = kind(view, at, name)?;
    let scheme = matches!(kind, Name::Bearer | Name::Basic);
    let (value, assigned) = value_after(view, name, scheme)?;
    let quoted = in_guillemets(view, value);
    let (value, mut end) = quoted.unwrap_or_else(|| (value, view.run(value, usize::MAX, is_value)));
    let assigned = assigned || quoted.is_some();
    let open = end == view.len();
    while !open && matches!(view.before(end), b'.' | b',' | b')' | b':') && end > value {
        end -= 1;
    }
    let text = view.span(value, end);
    let secret = match (kind, assigned) {
        (Name::Secret | Name::Bearer, true) => text.len() >= 6 && is_mixed(text),
        (Name::Secret, false) => text.len() >= 8 && is_random(text),
        (Name::Bearer, false) => text.len() >= 16 && has_digit(view, value, end),
        (Name::Basic, assigned) => !assigned && is_user_and_password(text),
        (Name::Part, assigned) => assigned && text.len() >= 6 && is_chosen(text),
        (Name::Session, assigned) => {
            text.len() >= 16 && is_random(text) && (assigned || is_encoded(text))
        }
    };
    (secret && !is_replacement(text)).then(|| Found {
        tail: open.then_some(Tail::Token),
        ..Found::closed(Detector::Secret, value, end)
    })
}

/// What the name between two places says.
fn kind(view: View<'_>, at: usize, end: usize) -> Option<Name> {
    let name = view.span(at, end);
    let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    let is_said = |(before, last): &(&str, &str)| {
        is(last)
            && at
                .checked_sub(before.len())
                .is_some_and(|from| view.has(from, before))
    };
    if is("bearer") {
        Some(Name::Bearer)
    } else if is("basic") {
        Some(Name::Basic)
    } else if is_secrets_name(name) || PHRASES.iter().any(is_said) {
        Some(Name::Secret)
    } else if PARTS.iter().any(|part| is_part(view, (at, end), part)) {
        let otherwise = OTHERWISE.iter().any(is_said);
        (!otherwise).then_some(Name::Part)
    } else {
        let is_session = SESSIONS.iter().any(|session| ends(name, session));
        is_session.then_some(Name::Session)
    }
}

/// Whether the name between two places ends with such a word, and a sign may follow.
fn is_part(view: View<'_>, (at, end): (usize, usize), part: &str) -> bool {
    let from = end.checked_sub(part.len()).filter(|from| *from >= at);
    let stands_alone = |from: usize| match view.before(from) {
        b'_' => true,
        before => from == at && before != b'-',
    };
    from.is_some_and(|from| view.has(from, part) && stands_alone(from))
        && SIGNS.iter().any(|sign| view.has(end, sign))
}

/// Whether a name ends with letters of ASCII, in either case.
fn ends(name: &[u8], end: &str) -> bool {
    let from = name.len().checked_sub(end.len());
    let last = from.and_then(|from| name.get(from..));
    last.is_some_and(|last| last.eq_ignore_ascii_case(end.as_bytes()))
}

/// Whether a name says that its value is a secret.
fn is_secrets_name(name: &[u8]) -> bool {
    // PERF: a name in ASCII needs no lower case of its own (`postern bench`, free text).
    if name.is_ascii() {
        let plural = name
            .strip_suffix(b"s")
            .or_else(|| name.strip_suffix(b"S"))
            .unwrap_or(name);
        return NAMES.iter().any(|end| ends(plural, end) || ends(name, end));
    }
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let name: String = name.to_lowercase().nfc().collect();
    let plural = name.strip_suffix('s').unwrap_or(&name);
    let known = |end: &&str| plural.ends_with(*end) || name.ends_with(*end);
    NAMES.iter().any(known) || WORDS.iter().any(|end| name.ends_with(end))
}

/// Where the value after a name begins, and whether a sign says that it is its value.
fn value_after(view: View<'_>, name: usize, scheme: bool) -> Option<(usize, bool)> {
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
    if scheme {
        return Some((name + 1, false));
    }
    let joined = ["is ", "was ", "ist ", "est ", "es "];
    let verb = joined.iter().find(|verb| view.has(name + 1, verb));
    let after = name + 1 + verb.map_or(0, |verb| verb.len());
    let value = view.run(after, 4, quotes);
    Some((value, verb.is_some()))
}

/// Where a value in guillemets begins and ends, whichever way they point, and with a blank inside or without.
fn in_guillemets(view: View<'_>, place: usize) -> Option<(usize, usize)> {
    let is_guillemet = |c: char| matches!(c, '«' | '»' | '‹' | '›');
    let is_at = |place: usize| view.char_at(place).filter(|(c, _)| is_guillemet(*c));
    let (_, inside) = is_at(place)?;
    let value = view.run(inside, 1, |byte| byte == b' ');
    let run = view.span(value, view.run(value, usize::MAX, is_value));
    let text = std::str::from_utf8(run).ok()?;
    let end = value + text.find(is_guillemet).unwrap_or(run.len());
    let closing = view.run(end, 1, |byte| byte == b' ');
    is_at(closing).map(|_| (value, end))
}

/// Whether bytes are UTF-8, whose last character may be cut off.
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether a value is a user's name and a password, as the scheme `Basic` has them.
fn is_user_and_password(text: &[u8]) -> bool {
    /// How much of a value is looked at; whole groups of four.
    const LOOKED_AT: usize = 512;
    /// Shorter ones are words rather.
    const LENGTH_MIN: usize = 8;
    let first = text.get(..text.len().min(LOOKED_AT)).unwrap_or_default();
    let padded = |byte: &u8| *byte != b'=';
    let length = first.iter().rposition(padded).map_or(0, |last| last + 1);
    let decoded = STANDARD_NO_PAD.decode(first.get(..length).unwrap_or_default());
    decoded.is_ok_and(|pair| {
        let is_text = is_utf8(&pair) && !pair.iter().any(u8::is_ascii_control);
        let user = pair.iter().position(|byte| *byte == b':');
        length >= LENGTH_MIN && is_text && user.is_some_and(|user| user > 0)
    })
}

/// Letters and something that is no letter, or digits. Signs that words of a sentence have say nothing.
fn is_mixed(text: &[u8]) -> bool {
    const LIGHT: &str = "-_./…«»、،؛";
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits >= 6 && digits == text.len() {
        return true;
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return true;
    };
    let is_letter = |c: char| c.is_alphabetic() || is_mark(c);
    text.contains(is_letter) && text.contains(|c: char| !is_letter(c) && !LIGHT.contains(c))
}

/// Small letters and digits, as in what people choose, and no address of the web.
fn is_chosen(text: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    let is_address = memchr::memmem::find(text, b"://").is_some();
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit) && !is_address
}

/// Letters, digits and hyphens, letters and digits in turn: no words, which may have a number behind them, and no time.
fn is_encoded(text: &[u8]) -> bool {
    const TURNS_MIN: usize = 3;
    let end = text
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b',' | b')' | b':'));
    let text = text.get(..=end.unwrap_or_default()).unwrap_or_default();
    let is_turn = |pair: &&[u8]| match pair {
        [a, b] if a.is_ascii_digit() => b.is_ascii_alphabetic(),
        [a, b] => a.is_ascii_alphabetic() && b.is_ascii_digit(),
        _ => false,
    };
    text.iter().all(|byte| is_token(*byte)) && text.windows(2).filter(is_turn).count() >= TURNS_MIN
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

    /// Whatever case a name is written in, letter by letter: a letter that no anchor spells makes its text be searched,
    /// and no name has two that anchors must spell.
    #[test]
    fn every_letter_of_a_name_is_in_an_anchor_or_makes_its_text_be_searched() {
        let is_searched = |character: char| {
            let mut bytes = [0; 4];
            fold::any_may_change(character.encode_utf8(&mut bytes).as_bytes())
        };
        let letters: String = NAMES
            .iter()
            .chain(&SESSIONS)
            .chain(&WORDS)
            .copied()
            .collect();
        let anchors: String = anchors().collect();
        for character in '\0'..=char::MAX {
            let mut lower = character.to_lowercase();
            let (Some(small), None) = (lower.next(), lower.next()) else {
                continue;
            };
            let is_spelled = character.is_ascii() || anchors.contains(character);
            if letters.contains(small) && !is_spelled {
                assert!(is_searched(character), "{character:?}");
            }
        }
        for word in WORDS {
            let has_cases = |c: &char| !c.is_ascii() && !c.to_uppercase().eq([*c]);
            let spelled = word.chars().filter(|c| has_cases(c) && !is_searched(*c));
            assert!(spelled.count() <= 1, "{word}");
        }
    }

    #[test]
    fn letters_and_their_marks_apart_make_the_same_names() {
        for word in WORDS {
            let apart: String = word.nfd().collect();
            assert!(is_secrets_name(apart.as_bytes()), "{word}");
            assert!(may_be_named(apart.as_bytes()), "{word}");
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
