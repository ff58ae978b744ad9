//! The names of session tokens, of fields and of parameters: those that are always taken for one, which are compared
//! by their letters and digits in lower case and nothing else, and those that a policy adds.

use postern_config::sessions::TokenNames;

use super::Says;

/// The longest name that can be one of these; what a name has beside letters and digits is not counted.
pub(super) const NAME_LETTERS_MAX: usize = 64;

/// Names of fields and of parameters whose values are tokens, in order.
const TOKENS: [&str; 38] = [
    "accesstoken",
    "apikey",
    "aspnetsessionid",
    "aspxauth",
    "assertion",
    "authenticitytoken",
    "authtoken",
    "bearer",
    "bearertoken",
    "cfauthorization",
    "clientsecret",
    "connectsid",
    "csrf",
    "csrfmiddlewaretoken",
    "csrftoken",
    "idtoken",
    "jsessionid",
    "jsessionidsso",
    "jwt",
    "logintoken",
    "ltpatoken",
    "ltpatoken2",
    "mrhsession",
    "phpsessid",
    "refreshtoken",
    "requestverificationtoken",
    "samlart",
    "samlrequest",
    "samlresponse",
    "securitytoken",
    "sessid",
    "sessionid",
    "sessiontoken",
    "sid",
    "smsession",
    "token",
    "xsrf",
    "xsrftoken",
];

/// Ordinary words that are names of tokens too.
const FIELD_WORDS: [&str; 6] = ["access", "auth", "nonce", "refresh", "session", "ticket"];

/// The same for parameters of URLs.
const PARAMETER_WORDS: [&str; 8] = [
    "auth",
    "code",
    "key",
    "relaystate",
    "session",
    "sig",
    "state",
    "ticket",
];

/// What the names of tokens end in.
const ENDS: [&str; 6] = ["apikey", "csrf", "secret", "sessid", "sessionid", "token"];

/// What such names hold when the value is the place where a list goes on.
const LISTS: [&str; 6] = ["continuation", "cursor", "next", "page", "prev", "sync"];

/// What the name of a member, an element or a column says about its value. A cookie's name counts too: answers tell
/// pages what to set.
pub(crate) fn field(name: &[u8], names: &TokenNames) -> Option<Says> {
    added_field(name, names).or_else(|| says(name, &FIELD_WORDS))
}

/// The same of a form's field, which becomes a parameter when the form is sent.
pub(crate) fn form_field(name: &[u8], names: &TokenNames) -> Option<Says> {
    added_form_field(name, names).or_else(|| says(name, &FIELD_WORDS))
}

/// What the policy itself says of a form's field.
pub(crate) fn added_form_field(name: &[u8], names: &TokenNames) -> Option<Says> {
    added_parameter(name, names).or_else(|| added_field(name, names))
}

/// What the name of a parameter of a URL says about its value.
pub(crate) fn parameter(name: &[u8], names: &TokenNames) -> Option<Says> {
    added_parameter(name, names).or_else(|| says(name, &PARAMETER_WORDS))
}

/// What a name says about the value that a request brings under it, whatever the value is. An ordinary word says
/// nothing of a value that somebody chose.
pub(crate) fn sent(name: &[u8], names: &TokenNames) -> Option<Says> {
    added_form_field(name, names).or_else(|| says(name, &[]))
}

fn added_field(name: &[u8], names: &TokenNames) -> Option<Says> {
    if names.json.is_empty() && names.cookies.is_empty() {
        return None;
    }
    let name = String::from_utf8_lossy(name);
    let adds = names.adds_member(&name) || names.adds_cookie(&name);
    adds.then_some(Says::Token)
}

fn added_parameter(name: &[u8], names: &TokenNames) -> Option<Says> {
    let adds = !names.query.is_empty() && names.adds_parameter(&String::from_utf8_lossy(name));
    adds.then_some(Says::Token)
}

fn says(name: &[u8], words: &[&str]) -> Option<Says> {
    let mut buffer = [0; NAME_LETTERS_MAX];
    let letters = letters(name, &mut buffer)?;
    if TOKENS.binary_search(&letters).is_ok() {
        return Some(Says::Token);
    }
    let perhaps = words.contains(&letters)
        || ENDS.iter().any(|end| letters.ends_with(end))
            && !LISTS.iter().any(|list| letters.contains(list));
    perhaps.then_some(Says::Perhaps)
}

/// A name without case and separators; none when it is too long to be one of these.
pub(super) fn letters<'b>(name: &[u8], buffer: &'b mut [u8; NAME_LETTERS_MAX]) -> Option<&'b str> {
    let mut length = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *buffer.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    std::str::from_utf8(buffer.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_the_order_in_which_they_are_searched() {
        assert!(TOKENS.is_sorted());
    }
}
